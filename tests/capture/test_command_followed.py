"""Which interpreter a command line starts: told without running it, and held against what really ran."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from capsulestore.capture.command import started_by

TELL = "import sys\nprint(sys.prefix)\n"


@pytest.fixture(scope="module")
def here(small, make_venv, tmp_path_factory):
    """A directory with scripts of all kinds, and an environment below it, at a path with a blank."""
    root = tmp_path_factory.mktemp("here")
    inner = make_venv(root / "an env")
    console = inner.python.parent / "tell"
    console.write_text(f"#!/bin/sh\n'''exec' \"{inner.python}\" \"$0\" \"$@\"\n' '''\n{TELL}")
    moved = inner.python.parent / "moved"
    moved.write_text(
        f"#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''\n{TELL}"
    )
    (root / "fit.py").write_text(TELL)
    (root / "tell.py").write_text(TELL)
    for name, line in {
        "env": "#!/usr/bin/env python3",
        "env-S": "#!/usr/bin/env -S python3 -u -X dev",
        "absolute": f"#! {small.python} -u",
        "chained": f"#!{root}/absolute",
        "long": f"#!{small.python} -u {' ' * 300}",
    }.items():
        (root / name).write_text(f"{line}\n{TELL}")
    (root / "mine").symlink_to(sys.executable)
    (root / "linked").symlink_to("fit.py")
    for path in (console, moved, *root.iterdir()):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o755)
    (root / "elsewhere").mkdir()
    return root


@pytest.fixture
def activated(small):
    return {**small.environ, "PATH": f"{small.python.parent}:{small.environ['PATH']}"}


COMMANDS = {
    # command line: (chosen_by, script)
    "python fit.py": ("command", "fit.py"),
    "python3 -u -X dev -W ignore ./fit.py --fast": ("command", "fit.py"),
    "python -Bu -Wignore -Xdev fit.py": ("command", "fit.py"),
    "python --check-hash-based-pycs never -- fit.py": ("command", "fit.py"),
    "python -m tell fit.py": ("command", None),
    "python -um tell fit.py": ("command", None),
    f"python -c {shlex.quote(TELL)} fit.py": ("command", None),
    f"python -uc{shlex.quote(TELL)} fit.py": ("command", None),
    "'an env/bin/python' fit.py": ("command", "fit.py"),
    "'an env/bin/tell'": ("#!", None),
    "'an env/bin/moved'": ("#!", None),
    "python 'an env/bin/tell'": ("command", "an env/bin/tell"),
    "./mine fit.py": ("command", "fit.py"),
    "python linked": ("command", "linked"),
    "./env": ("#!", "env"),
    "./env-S a b": ("#!", "env-S"),
    "./absolute": ("#!", "absolute"),
    "./chained": ("#!", "absolute"),
    "./long": ("#!", "long"),
    "env python fit.py": ("command", "fit.py"),
    "env 'PATH=an env/bin' python fit.py": ("command", "fit.py"),
    "env -u HOME A=1 B=2 python fit.py": ("command", "fit.py"),
    "env -C elsewhere -- python ../fit.py": ("command", "elsewhere/../fit.py"),
    "env -vS 'A=1 python -u' fit.py": ("command", "fit.py"),
    "nice python fit.py": ("command", "fit.py"),
    "nice -n 5 nice --adjustment=1 nice -2 python fit.py": ("command", "fit.py"),
    "nohup setsid -w timeout -k 5 -s INT 100 stdbuf -oL -e 0 python fit.py": ("command", "fit.py"),
    "ionice -c 3 taskset -c 0 python fit.py": ("command", "fit.py"),
    "chrt -o 0 ./env": ("#!", "env"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_interpreter_told_is_the_one_that_runs(command, here, activated):
    chosen_by, script = COMMANDS[command]
    words = shlex.split(command)
    started = started_by(words, environ=activated, directory=str(here))
    assert (started.target.chosen_by, started.guessed, started.prepares, started.reason) == (
        chosen_by,
        False,
        False,
        None,
    )
    assert started.script == (script and str(here / script))
    ran, asked = (
        subprocess.run(
            line, cwd=here, env=activated, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True
        )
        for line in (["env", *words], [started.target.python, "-c", TELL])
    )
    assert ran.stdout == asked.stdout != ""


def test_a_command_that_installers_write_is_no_script_of_the_analysis(small, activated, tmp_path):
    started = started_by(["beta"], environ=activated, directory=str(tmp_path))
    assert (Path(started.target.python), started.script) == (small.python, None)
    copied = tmp_path / "beta"
    copied.write_text((small.python.parent / "beta").read_text())
    copied.chmod(0o755)
    assert started_by(["./beta"], environ=activated, directory=str(tmp_path)).script is None


@pytest.mark.parametrize("length", [60, 300])
def test_a_console_script_is_followed_however_long_its_path(length, make_venv, small_wheels, activated, tmp_path):
    made = make_venv(tmp_path / ("x" * 100) / ("y" * (length - 60)) / "v")
    made.alone().install(small_wheels["beta"])
    started = started_by([str(made.python.parent / "beta")], environ=activated, directory=str(tmp_path))
    assert (Path(started.target.python), started.target.chosen_by) == (made.python, "#!")


@pytest.mark.parametrize(
    "words", [["no-such-program"], ["./none"], ["fit.py"], [""], ["env", "none"], ["nice", "none"]]
)
def test_a_command_that_is_not_there_has_no_target(words, here, activated):
    started = started_by(words, environ=activated, directory=str(here))
    assert (started.target, started.reason) == (None, f"there is no `{words[-1]}`")


def test_a_version_manager_s_python_is_the_target_though_it_is_a_script(here, tmp_path):
    shim = tmp_path / "python"
    shim.write_text('#!/usr/bin/env bash\nexec elsewhere "$@"\n')
    shim.chmod(0o755)
    started = started_by(["python", "fit.py"], environ={"PATH": f"{tmp_path}:/usr/bin"}, directory=str(here))
    assert (started.target.python, started.target.chosen_by) == (str(shim), "command")


@pytest.mark.parametrize("path", ["", ":/none", "/none:", "."])
def test_an_empty_entry_of_path_is_the_working_directory_of_the_command(path, here):
    started = started_by(["mine", "fit.py"], environ={"PATH": path}, directory=str(here))
    assert started.target.python == str(here / "mine")


def test_what_python_reads_and_env_changes_is_a_doubt(here, activated):
    started = started_by(["env", "PYTHONPATH=lib", "python", "fit.py"], environ=activated, directory=str(here))
    assert started.guessed
    assert started.reason == "`env` changes `PYTHONPATH` for the command alone"
    emptied = started_by(["env", "-i", f"PATH={activated['PATH']}", "python"], environ=activated, directory=str(here))
    assert emptied.guessed
    assert emptied.reason == "`env -i` takes all variables away"
