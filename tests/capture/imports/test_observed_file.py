"""What is read of a trace: only what interpreters write, only so much of it, whatever else stands there."""

import os
import subprocess
from pathlib import Path

import pytest

from capsulestore.capture.imports import tracing
from capsulestore.capture.imports.observed import MAX_BYTES, read_observed
from capsulestore.errors import FileProblem

INTERPRETER = b"interpreter\t3.11\twhole\t/usr\t/usr/lib/python3/dist-packages\n"
STRANGE = "among its imports stands what no interpreter writes"

LINES = {
    "nothing": (b"", None),
    "an interpreter": (INTERPRETER, None),
    "an interpreter twice": (INTERPRETER * 2, None),
    "one that cannot be observed": (INTERPRETER + b"interpreter\t2.7\tpart\t/usr\n", "Python 2.7 cannot be observed"),
    "a line cut off": (INTERPRETER + b"file\t/usr/lib/a", STRANGE),
    "an empty line": (INTERPRETER + b"\n", STRANGE),
    "an unknown kind": (INTERPRETER + b"directory\t/usr\n", STRANGE),
    "a field too many": (INTERPRETER + b"file\t/a.py\t/b.py\n", STRANGE),
    "a relative path": (INTERPRETER + b"file\ta.py\n", STRANGE),
    "a NUL": (INTERPRETER + b"file\t/a\0.py\n", STRANGE),
    "an unknown escape": (INTERPRETER + b"file\t/a\\x.py\n", STRANGE),
    "a path without end": (INTERPRETER + b"file\t/" + b"a" * 5000 + b"\n", STRANGE),
    "a version that is none": (INTERPRETER + b"interpreter\t3.x\tpart\t/usr\n", STRANGE),
    "no prefix": (INTERPRETER + b"interpreter\t3.11\twhole\n", STRANGE),
    "bytes of any kind": (INTERPRETER + bytes(range(256)) + b"\n", STRANGE),
}


@pytest.mark.parametrize(("data", "problem"), LINES.values(), ids=LINES)
def test_what_no_interpreter_writes_is_passed_over_and_said(data, problem, tmp_path):
    (tmp_path / "observed").write_bytes(data)
    traced = read_observed(str(tmp_path / "observed"))
    assert traced.interpreters == ({"/usr"} if data else set())
    assert traced.site_directories == ({"/usr/lib/python3/dist-packages"} if data else set())
    assert traced.files == set()
    assert traced.complete == (problem is None)
    assert problem is None or traced.problem.startswith(problem)


def test_only_modules_that_are_there_are_files_and_archives_stand_for_what_is_in_them(tmp_path):
    for name in ("a.py", "b.pyc", "c.cpython-311.so", "template.html", "archive.whl"):
        (tmp_path / name).touch()
    names = ["a.py", "b.pyc", "c.cpython-311.so", "template.html", "archive.whl/d/e.py", "gone/f.py", "./sub/../a.py"]
    (tmp_path / "observed").write_text("".join(f"file\t{tmp_path}/{name}\n" for name in names))
    traced = read_observed(str(tmp_path / "observed"))
    assert traced.files == {str(tmp_path / name) for name in ("a.py", "b.pyc", "c.cpython-311.so", "archive.whl")}
    assert traced.complete


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/nonesuch"), lambda path: None])
def test_what_is_no_file_is_not_read(make, tmp_path):
    make(tmp_path / "observed")
    traced = read_observed(str(tmp_path / "observed"))
    assert traced.files == set()
    assert not traced.complete


def test_of_a_file_without_end_the_first_part_is_read_and_the_rest_is_said_to_be_missing(tmp_path):
    (tmp_path / "a.py").touch()
    with (tmp_path / "observed").open("wb") as file:
        file.write(f"file\t{tmp_path}/a.py\n".encode())
        file.truncate(2 * MAX_BYTES)
    traced = read_observed(str(tmp_path / "observed"))
    assert traced.files == {str(tmp_path / "a.py")}
    assert "64 MiB" in traced.problem


def test_no_interpreter_writes_more_than_is_read(small, write, environ):
    local = write("local.py", "")
    with tracing(environ) as tracing_it:
        observed = Path(tracing_it.directory, "observed")
        os.truncate(observed, MAX_BYTES)
        done = subprocess.run(
            [small.python, "-c", "import local"], env=tracing_it.environ, cwd=local.parent, check=False
        )
        assert done.returncode == 0
        assert observed.stat().st_size == MAX_BYTES
        assert not tracing_it.files().complete


def test_a_program_that_removes_our_directory_still_runs_and_it_is_said(small, write, run_traced):
    program = (
        "import os, shutil\nshutil.rmtree(os.environ['PYTHONPATH'])\nimport alpha, subprocess, sys\n"
        "print(subprocess.run([sys.executable, '-c', 'import gamma; print(gamma.version)']).returncode)\n"
    )
    done = run_traced(small.python, write("main.py", program))
    assert (done.status, done.stderr, done.stdout) == (0, "", "3.0+local.1\n0\n")
    assert (done.traced.files, done.traced.complete) == (frozenset(), False)


def test_our_directory_is_private_and_gone_afterwards(environ, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with tracing(environ) as tracing_it:
        assert Path(tracing_it.directory).parent == tmp_path
        assert Path(tracing_it.directory).stat().st_mode & 0o777 == 0o700
        Path(tracing_it.directory, "more").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_pythonpath_would_take_apart_is_refused(environ, tmp_path, monkeypatch):
    (tmp_path / "a:b").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "a:b"))
    with pytest.raises(FileProblem, match="PYTHONPATH") as caught, tracing(environ):
        pass
    assert "TMPDIR" in caught.value.hint
    assert list((tmp_path / "a:b").iterdir()) == []


def test_where_no_directory_can_be_made_that_is_said(environ, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nonesuch"))
    with pytest.raises(FileProblem, match="cannot make a temporary directory"), tracing(environ):
        pass
