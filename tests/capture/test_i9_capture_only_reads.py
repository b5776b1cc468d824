"""I9: capture only reads. It imports none of the target's packages, runs none of their code and writes nothing."""

import os
import re
import shutil
from pathlib import Path

import pytest

CHANGES_FILES = re.compile(
    r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|\b(mkdir|rmdir|unlink|rename|link|symlink|truncate|utime|chmod|chown|mknod)"
)


def tree(root: Path) -> dict[str, tuple]:
    """Return everything below a directory, with what writing would change of it."""
    found = {}
    for path in [root, *root.rglob("*")]:
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino, status.st_nlink)
    return found


def trap(marker: Path) -> str:
    return f"open({str(marker)!r}, 'a').close()\nraise SystemExit('was run')\n"


@pytest.fixture
def target(tmp_path, make_interpreter, small_wheels):
    """An interpreter whose start compiles modules of its own: a `sitecustomize`, and what a `.pth` file imports."""
    interpreter = make_interpreter(tmp_path / "target")
    interpreter.install(*small_wheels.values())
    (interpreter.site / "sitecustomize.py").write_text("x = 1\n")
    (interpreter.site / "started.py").write_text("x = 1\n")
    (interpreter.site / "start.pth").write_text("import started\n")
    return interpreter


def test_i9_nothing_is_written_near_the_target(target, tmp_path, run_command):
    assert not any(name.startswith("PYTHON") for name in target.environ)
    before = tree(tmp_path / "target")
    captured = target.capture(None)
    assert sorted(captured.environment["python"]["unowned"]) == ["sitecustomize.py", "start.pth", "started.py"]
    assert tree(tmp_path / "target") == before
    run_command(target.python, "-c", "pass", env=target.environ)
    assert set(tree(tmp_path / "target")) - set(before), "a plain start writes __pycache__, so this test can fail"


def test_i9_nothing_is_written_in_home_or_the_working_directory(target, tmp_path, monkeypatch):
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    target.capture(None, HOME=str(tmp_path / "home"))
    assert list((tmp_path / "home").iterdir()) == []
    assert list((tmp_path / "work").iterdir()) == []


def test_i9_an_environment_that_cannot_be_written_is_captured(target, tmp_path, as_nobody_special):
    before = target.digest()
    directories = [path for path in (tmp_path / "target").rglob("*") if path.is_dir() and not path.is_symlink()]
    for directory in directories:
        directory.chmod(0o555)
    try:
        captured = target.capture_apart(*as_nobody_special)
    finally:
        for directory in directories:
            directory.chmod(0o755)
    assert captured["digest"] == before


def test_i9_none_of_the_targets_packages_is_imported(target, tmp_path, make_wheel):
    marker = tmp_path / "was-run"
    target.install(make_wheel("delta", files={"delta/__init__.py": trap(marker), "delta/__main__.py": trap(marker)}))
    (target.site / "loose.py").write_text(trap(marker))
    captured = target.capture(None)
    assert "delta" in captured.environment["python"]["packages"]
    assert "loose.py" in captured.environment["python"]["unowned"]
    assert not marker.exists()


def test_i9_modules_named_like_those_of_the_standard_library_are_not_run(target, tmp_path):
    marker = tmp_path / "was-run"
    (tmp_path / "code").mkdir()
    names = ("json", "ast", "platform", "sysconfig", "importlib/metadata", "typing", "re", "subprocess", "email", "csv")
    for name in names:
        (tmp_path / "code" / f"{os.path.basename(name)}.py").write_text(trap(marker))
    before = target.digest()
    assert target.digest(PYTHONPATH=str(tmp_path / "code")) == before
    assert not marker.exists()


def test_i9_the_interpreter_is_started_once(target, tmp_path):
    log = tmp_path / "starts"
    (target.site / "sitecustomize.py").write_text(f"open({str(log)!r}, 'a').write('start\\n')\n")
    target.capture(None)
    assert log.read_text() == "start\n"


def test_i9_no_layer_opens_a_file_to_write_or_starts_a_program_of_its_own(small, tmp_path):
    if not shutil.which("strace"):
        pytest.skip("there is no strace on this machine")
    log, scratch = tmp_path / "log", tmp_path / "scratch"
    scratch.mkdir()
    small.capture_apart(
        *("strace", "-f", "-qq", "-s", "4096", "-o", str(log), "-e", "trace=%file"),
        TMPDIR=str(scratch),
        PYTHONDONTWRITEBYTECODE="1",
    )
    calls = [line for line in log.read_text().splitlines() if " = -1 " not in line and "(" in line]
    assert any("/proc/meminfo" in call for call in calls)
    apart = (f'"{scratch}', '"/dev/null"')
    assert [call for call in calls if CHANGES_FILES.search(call) and not any(path in call for path in apart)] == []
    assert sum("execve(" in call for call in calls) == 2, "ourselves and the target"
