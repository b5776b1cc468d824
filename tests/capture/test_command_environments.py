"""Launchers that enter an environment which has a name: conda and its kin, pixi, poetry."""

from pathlib import Path

import pytest

from capsulestore.capture.command import started_by


@pytest.fixture
def program(tmp_path):
    """Make a program of this name on PATH, which is never started."""

    def make(name, text="#!/bin/sh\nexit 99\n"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def conda(tmp_path, program):
    """A conda with environments in all the places where they can be: none of it is ever run."""
    for prefix in ("root", "root/envs/one", "listed/two", "noted/three", "mamba/envs/four", "by path"):
        program(f"{prefix}/bin/python")
        (tmp_path / prefix / "conda-meta").mkdir()
    for name in ("conda", "mamba", "micromamba"):
        program(f"root/bin/{name}")
    program("root/envs/one/bin/tool", f"#!{tmp_path}/root/envs/one/bin/python\n")
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda" / "environments.txt").write_text(f"{tmp_path}/noted/three\n{tmp_path}/gone/five\n")
    return {
        "HOME": str(tmp_path),
        "PATH": f"{tmp_path}/root/bin:/usr/bin:/bin",
        "CONDA_ENVS_PATH": f"{tmp_path}/listed",
        "MAMBA_ROOT_PREFIX": f"{tmp_path}/mamba",
    }


CONDA = {
    "conda run -n one python fit.py": ("root/envs/one", "conda run"),
    "conda run --name=two --no-capture-output python fit.py": ("listed/two", "conda run"),
    "conda run -n three nice python fit.py": ("noted/three", "conda run"),
    "mamba run -p root/envs/one python fit.py": ("root/envs/one", "mamba run"),
    "micromamba -r mamba run -n four -e A=1 python fit.py": ("mamba/envs/four", "micromamba run"),
    "micromamba run -n four --cwd . python fit.py": ("mamba/envs/four", "micromamba run"),
    "conda run -n base python fit.py": ("root", "conda run"),
}


@pytest.mark.parametrize("command", CONDA)
def test_conda_runs_in_the_environment_that_is_named(command, conda, tmp_path):
    prefix, chosen_by = CONDA[command]
    started = started_by(command.split(), environ=conda, directory=str(tmp_path))
    assert (started.target.python, started.target.chosen_by) == (str(tmp_path / prefix / "bin" / "python"), chosen_by)
    assert (started.script, started.prepares) == (str(tmp_path / "fit.py"), False)


def test_a_program_of_the_environment_is_followed(conda, tmp_path):
    started = started_by(["conda", "run", "-n", "one", "tool"], environ=conda, directory=str(tmp_path))
    assert (started.target.chosen_by, started.script) == ("conda run", None)


def test_without_a_name_the_activated_environment_counts(conda, tmp_path):
    conda["CONDA_PREFIX"] = str(tmp_path / "by path")
    started = started_by(["conda", "run", "python"], environ=conda, directory=str(tmp_path))
    assert started.target.python == str(tmp_path / "by path" / "bin" / "python")


def test_an_environment_that_is_not_there_has_no_target(conda, tmp_path):
    started = started_by(["conda", "run", "-n", "five", "python"], environ=conda, directory=str(tmp_path))
    assert (started.target, started.reason) == (None, "there is no environment `five`")


@pytest.mark.parametrize("text", ["#!/bin/sh\npython fit.py\n", "#!/bin/sh\n", "\x7fELF\0"])
def test_another_program_in_an_environment_is_guessed_to_use_it(text, conda, program, tmp_path):
    program("work", text)
    started = started_by(["conda", "run", "-n", "one", "./work"], environ=conda, directory=str(tmp_path))
    assert (started.guessed, started.target.python) == (True, str(tmp_path / "root/envs/one/bin/python"))


PROJECTS = {
    "pixi run python fit.py": (".pixi/envs/default", True),
    "pixi run -e gpu python fit.py": (".pixi/envs/gpu", True),
    "poetry run python fit.py": (".venv", False),
    "poetry -C . run python fit.py": (".venv", False),
    "pdm run python fit.py": (".venv", False),
    "pipenv run python fit.py": (".venv", True),
}


@pytest.mark.parametrize("command", PROJECTS)
def test_a_project_s_environment_is_looked_for_upwards(command, program, tmp_path):
    prefix, prepares = PROJECTS[command]
    words = command.split()
    program(f"tools/{words[0]}")
    program(f"project/{prefix}/bin/python")
    below = tmp_path / "project" / "below"
    below.mkdir()
    started = started_by(words, environ={"PATH": str(tmp_path / "tools")}, directory=str(below))
    assert Path(started.target.python) == tmp_path / "project" / prefix / "bin" / "python"
    assert (started.target.chosen_by, started.prepares) == (f"{words[0]} run", prepares)
    assert started.script == str(below / "fit.py")


def test_a_task_is_guessed_to_use_the_environment(program, tmp_path):
    program("tools/pixi")
    python = program(".pixi/envs/default/bin/python")
    started = started_by(["pixi", "run", "fit"], environ={"PATH": str(tmp_path / "tools")}, directory=str(tmp_path))
    assert (started.guessed, started.target.python) == (True, str(python))
    assert started.reason == "`fit` is no program of the environment, but may be a task"


def test_an_environment_kept_elsewhere_is_guessed(program, tmp_path):
    program("tools/poetry")
    python = program("tools/python3")
    words = ["poetry", "run", "python"]
    started = started_by(words, environ={"PATH": str(tmp_path / "tools")}, directory=str(tmp_path))
    assert (started.guessed, started.target.python) == (True, str(python))
    assert started.reason == "`poetry` keeps the environment elsewhere, or has not made it yet"
