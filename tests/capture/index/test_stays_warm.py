"""Where nothing changed that counts, a second capture starts no process and opens no file of the environment."""

import shutil
import sys

import pytest

from capsulestore.capture.cache import Cache

CAPTURE = """
import sys
from capsulestore.capture.cache import Cache
from capsulestore.capture.environment import capture
from capsulestore.capture.target import Target
capture(Target(sys.argv[1], "test"), cache=Cache(sys.argv[2], granularity_ns=25_000_000))
"""


@pytest.fixture
def project(copied, tmp_path):
    """An editable project with its package at its root (flat layout), which is on the path."""
    root = tmp_path / "project"
    info = root / "flat.egg-info"
    info.mkdir(parents=True)
    (info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: flat\nVersion: 1.0\n")
    (info / "SOURCES.txt").write_text("flat/__init__.py\n")
    (root / "flat").mkdir()
    (root / "flat" / "__init__.py").touch()
    installed = copied.environment.site / "flat-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: flat\nVersion: 1.0\n")
    (installed / "RECORD").write_text("__editable__.flat.pth,,\n")
    (installed / "direct_url.json").write_text('{"url": "file:///project", "dir_info": {"editable": true}}')
    (copied.environment.site / "__editable__.flat.pth").write_text(f"{root}\n")
    return root


def write_outputs(directory) -> None:
    (directory / "results").mkdir()
    for name in ("results/table.csv", "plot.png", "log.txt", "records.json"):
        (directory / name).write_text("1\n")


def test_a_second_capture_reads_nothing(furnished, indexed, tmp_path):
    whole = indexed(furnished, layers=None, directory=tmp_path / "own")
    assert any(event.startswith("subprocess.Popen") for event in whole.read()), "so that this test can fail"
    whole.warm()
    assert whole.read() == []


def test_outputs_written_into_a_directory_on_pythonpath_change_nothing(copied, tmp_path):
    (tmp_path / "code").mkdir()
    copied.change(PYTHONPATH=str(tmp_path / "code"))
    before = copied.warm()
    write_outputs(tmp_path / "code")
    assert copied.read() == []
    assert copied.agree() == before


def test_outputs_written_into_an_editable_project_change_nothing(copied, project):
    before = copied.warm()
    assert before.environment["python"]["packages"]["flat"] == {"version": "1.0", "editable": True}
    write_outputs(project)
    (project / "flat" / "__init__.py").write_text("x = 1\n")
    assert copied.read() == []
    assert copied.agree() == before


def test_bytecode_that_running_leaves_changes_nothing(copied, run_command):
    environment = copied.environment
    before = copied.warm()
    run_command(
        environment.python, "-c", "import alpha.core, loose, tree.deep.deeper.module", env=dict(environment.environ)
    )
    for directory in (environment.site, environment.site / "tree", environment.site / "tree/deep/deeper"):
        assert (directory / "__pycache__").is_dir()
    assert copied.read() == []
    assert copied.agree() == before


def test_another_working_directory_changes_nothing(copied, tmp_path, monkeypatch):
    copied.warm()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert copied.read() == []


def test_what_a_shell_says_of_itself_changes_nothing_and_any_other_variable_asks_anew(copied):
    copied.warm()
    copied.change(PWD="/", OLDPWD="/", SHLVL="7", _="/bin/true")
    assert copied.read() == []
    copied.change(ANY="1")
    assert any(event.startswith("subprocess.Popen") for event in copied.read())


@pytest.mark.slow
def test_a_process_of_its_own_opens_no_file_of_a_warm_environment(furnished, tmp_path, run_command):
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("there is no strace on this machine")
    log, directory = tmp_path / "log", tmp_path / "index"
    command = [sys.executable, "-c", CAPTURE, furnished.python, directory]
    trace = [strace, "-f", "-qq", "-s", "4096", "-o", log, "-e", "trace=execve,open,openat"]
    for number in range(5):
        run_command(*trace, *command, env=furnished.environ)
        calls = [call for call in log.read_text().splitlines() if " = -1 " not in call]
        opened = [call for call in calls if "open" in call.partition("(")[0] and "O_DIRECTORY" not in call]
        read = [call for call in opened if f'"{furnished.python.parents[1]}/' in call]
        assert read or number, "the first has to"
        if not read:
            break
    assert read == []
    assert sum("execve(" in call for call in calls) == 1, "ourselves"


def test_what_is_removed_costs_time_alone(furnished, indexed, tmp_path):
    own = indexed(furnished, directory=tmp_path / "own")
    before = own.warm()
    shutil.rmtree(tmp_path / "own")
    assert own.read()
    assert own.warm() == before


@pytest.mark.parametrize("damage", [b"", b"capsulestore cache 1 0\n[]", b"\0" * 4096], ids=["empty", "older", "zeros"])
def test_what_is_damaged_costs_time_alone(damage, furnished, indexed, tmp_path):
    own = indexed(furnished, directory=tmp_path / "own")
    before = own.warm()
    for path in (tmp_path / "own").iterdir():
        path.write_bytes(damage)
    assert own.agree() == before
    assert own.warm() == before


def test_a_directory_that_cannot_be_costs_time_alone(furnished, indexed, tmp_path):
    (tmp_path / "own").touch()
    before = indexed(furnished, directory=tmp_path / "own").agree()
    assert before == indexed(furnished).agree()
    assert Cache(str(tmp_path / "own")).recall("name", lambda: 1) == 1
