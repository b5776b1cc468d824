"""`uv run`: the interpreter told after a run is the one that ran, and before it never another. With the real uv."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from capsulestore.capture.command import started_by

pytestmark = pytest.mark.slow

TELL = "import sys\nprint(sys.prefix)\n"
METADATA = "# /// script\n# dependencies = []\n# ///\n"
PROJECT = '[project]\nname = "{}"\nversion = "1"\nrequires-python = ">=3.11"\n'


@pytest.fixture(scope="module")
def environment(tmp_path_factory, run_command):
    """A virtual environment, to be copied: it finds its parts from where it lies."""
    made = tmp_path_factory.mktemp("environment") / "venv"
    run_command(sys.executable, "-m", "venv", "--without-pip", made)
    return made


@pytest.fixture
def here(tmp_path, environment):
    """A project with a member, another without a project table, one that keeps uv out, and plain directories."""
    files = {
        "project/pyproject.toml": PROJECT.format("whole") + '[tool.uv.workspace]\nmembers = ["member"]\n',
        "project/member/pyproject.toml": PROJECT.format("member"),
        "project/inner/fit.py": TELL,
        "tools/pyproject.toml": "[tool.ruff]\nline-length = 100\n",
        "unmanaged/pyproject.toml": PROJECT.format("unmanaged") + "[tool.uv]\nmanaged = false\n",
        "plain/alone.py": METADATA + TELL,
        "plain/script": f"#!/usr/bin/env -S uv run --script\n{METADATA}{TELL}",
        "plain/package/__main__.py": TELL,
        "plain/shell.sh": "#!/bin/sh\npython fit.py\n",
        "with-venv/fit.py": TELL,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.with_name("fit.py").write_text(TELL)
    (tmp_path / "plain" / "script").chmod(0o755)
    (tmp_path / "plain" / "shell.sh").chmod(0o755)
    for venv in ("with-venv/.venv", "project/inner/.venv", "activated"):
        shutil.copytree(environment, tmp_path / venv, symlinks=True)
    return tmp_path


@pytest.fixture
def environ(here):
    path = os.pathsep.join([os.path.dirname(find_uv_bin()), f"{sys.base_prefix}/bin", os.defpath])
    return {"PATH": path, "HOME": str(here), "UV_CACHE_DIR": str(here / "cache"), "UV_OFFLINE": "1", "UV_QUIET": "1"}


def prefix_of(started, environ):
    python = started.target.python
    return subprocess.run([python, "-c", TELL], env=environ, capture_output=True, text=True, check=True).stdout


PYTHON = shlex.quote(sys.executable)
CASES = {
    # directory, command line, script
    "a script in a project": ("project", "uv run fit.py", "project/fit.py"),
    "python in a project": ("project", "uv run -- python -u fit.py", "project/fit.py"),
    "a module in a project": ("project", "uv run -m fit", None),
    "options before and after": (".", "uv --project project run --no-sync python plain/fit.py", "plain/fit.py"),
    "another directory": (".", "uv run --directory project fit.py", "project/fit.py"),
    "below a project, past a `.venv`": ("project/inner", "uv run fit.py", "project/inner/fit.py"),
    "a workspace's member": ("project/member", "uv run fit.py", "project/member/fit.py"),
    "no project wanted": ("project/inner", "uv run --no-project fit.py", "project/inner/fit.py"),
    "settings of other tools": ("tools", "uv run fit.py", "tools/fit.py"),
    "an unmanaged project": ("unmanaged", "uv run fit.py", "unmanaged/fit.py"),
    "a plain directory": ("plain", "uv run fit.py", "plain/fit.py"),
    "an interpreter asked for": ("plain", f"uv run -p {PYTHON} fit.py", "plain/fit.py"),
    "a package": ("plain", "uv run package", None),
    "a venv": ("with-venv", "uv run fit.py", "with-venv/fit.py"),
    "another program of the environment": ("with-venv", "uv run nice python3 fit.py", "with-venv/fit.py"),
    "an interpreter by its path": ("project", f"uv run {PYTHON} fit.py", "project/fit.py"),
    "a script with requirements": ("plain", "uv run alone.py", "plain/alone.py"),
    "a script without suffix": ("plain", "uv run --script script", "plain/script"),
    "a script that starts uv": ("plain", "./script", "plain/script"),
    "a script with requirements by python": ("plain", "uv run python alone.py", "plain/alone.py"),
}


@pytest.mark.parametrize("variables", [{}, {"VIRTUAL_ENV": "activated"}], ids=["nothing activated", "a venv activated"])
@pytest.mark.parametrize(("directory", "command", "script"), CASES.values(), ids=CASES.keys())
def test_the_interpreter_told_is_the_one_that_runs(directory, command, script, variables, here, environ):
    environ |= {name: str(here / value) for name, value in variables.items()}
    words, directory = shlex.split(command), str(here / directory)
    before = started_by(words, environ=environ, directory=directory)
    ran = subprocess.run(["env", *words], cwd=directory, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    after = started_by(words, environ=environ, directory=directory)
    assert (after.target.chosen_by, after.prepares, after.reason) == ("uv run", True, None)
    assert prefix_of(after, environ) == ran.stdout
    assert before.script == after.script == (script and str(here / script))
    assert before.prepares
    if before.target:
        assert prefix_of(before, environ) == ran.stdout
    else:
        assert before.reason == "`uv run` has not made the environment yet"


@pytest.mark.parametrize("command", ["uv run fit.py", "uv run alone.py"])
def test_an_environment_yet_to_be_made_is_not_told(command, here, environ):
    directory = here / ("project" if "fit" in command else "plain")
    files = set(here.rglob("*"))
    assert started_by(command.split(), environ=environ, directory=str(directory)).target is None
    assert {path for path in here.rglob("*") if here / "cache" not in path.parents} <= files | {here / "cache"}


@pytest.mark.parametrize("option", [[], ["--active"]])
def test_the_environment_of_a_project_may_lie_elsewhere(option, here, environ):
    environ |= {"UV_PROJECT_ENVIRONMENT": "other", "VIRTUAL_ENV": str(here / "activated")}
    words, directory = ["uv", "run", *option, "fit.py"], str(here / "project" / "member")
    ran = subprocess.run(words, cwd=directory, env=environ, capture_output=True, text=True, check=True)
    assert prefix_of(started_by(words, environ=environ, directory=directory), environ) == ran.stdout
    assert Path(ran.stdout.strip()) == (here / "activated" if option else here / "project" / "other")


@pytest.mark.parametrize("option", [["--isolated"], ["--with", "alpha"], ["--with=alpha"], ["-walpha"]])
def test_an_environment_for_this_run_alone_is_guessed(option, here, environ):
    started = started_by(["uv", "run", *option, "fit.py"], environ=environ, directory=str(here / "with-venv"))
    assert started.guessed
    assert started.reason.endswith("runs in an environment that is gone afterwards")


@pytest.mark.parametrize("command", ["uvx tool", "uv tool run tool"])
def test_a_tool_s_own_environment_is_guessed(command, here, environ):
    environ["PATH"] += f":{here}"
    started = started_by(command.split(), environ=environ, directory=str(here / "with-venv"))
    assert (started.guessed, started.reason) == (True, "`uvx` runs a tool in an environment of its own")


def test_a_shell_script_by_uv_is_guessed_in_its_environment(here, environ):
    started = started_by(["uv", "run", "./shell.sh"], environ=environ, directory=str(here / "plain"))
    assert (started.guessed, started.prepares, started.reason) == (True, True, "`./shell.sh` is a shell script")
    ran = subprocess.run(
        ["uv", "run", "./shell.sh"], cwd=here / "plain", env=environ, capture_output=True, text=True, check=True
    )
    assert prefix_of(started, environ) == ran.stdout
