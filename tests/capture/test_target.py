"""Which interpreter is captured when nobody names one: design §2.2's order."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from capsulestore.capture.target import choose, running
from capsulestore.errors import InterpreterProblem


def prefix(path: Path) -> Path:
    """Make what looks like an environment's prefix."""
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").symlink_to(sys.executable)
    return path


@pytest.fixture
def here(tmp_path) -> Path:
    """A directory with everything that can be chosen in it."""
    for name in ("named", "virtual", "conda", "work/.venv"):
        prefix(tmp_path / name)
    (tmp_path / "path").mkdir()
    for name in ("python3", "python3.99"):
        (tmp_path / "path" / name).symlink_to(sys.executable)
    return tmp_path


def environ(here: Path, *names: str, **more: str) -> dict[str, str]:
    known = {"VIRTUAL_ENV": "virtual", "CONDA_PREFIX": "conda", "PATH": "path"}
    return {name: str(here / known[name]) for name in names} | more


ORDER: dict[str, tuple[str | None, tuple[str, ...], dict[str, str], str, str]] = {
    "a name comes first": ("named", ("VIRTUAL_ENV", "CONDA_PREFIX", "PATH"), {}, "named/bin/python", "--python"),
    "then an activated venv": (None, ("VIRTUAL_ENV", "CONDA_PREFIX", "PATH"), {}, "virtual/bin/python", "VIRTUAL_ENV"),
    "then an activated conda environment": (None, ("CONDA_PREFIX", "PATH"), {}, "conda/bin/python", "CONDA_PREFIX"),
    "which a name of its own leaves": (
        None,
        ("CONDA_PREFIX", "PATH"),
        {"CONDA_DEFAULT_ENV": "analysis"},
        "conda/bin/python",
        "CONDA_PREFIX",
    ),
    "but not the base of conda": (
        None,
        ("CONDA_PREFIX", "PATH"),
        {"CONDA_DEFAULT_ENV": "base"},
        "work/.venv/bin/python",
        ".venv",
    ),
    "a venv comes before the base of conda": (
        None,
        ("VIRTUAL_ENV", "CONDA_PREFIX"),
        {"CONDA_DEFAULT_ENV": "base"},
        "virtual/bin/python",
        "VIRTUAL_ENV",
    ),
    "then the .venv here": (None, ("PATH",), {}, "work/.venv/bin/python", ".venv"),
    "an empty variable is none": (None, (), {"VIRTUAL_ENV": "", "CONDA_PREFIX": ""}, "work/.venv/bin/python", ".venv"),
}


@pytest.mark.parametrize(("python", "names", "more", "chosen", "by"), ORDER.values(), ids=ORDER.keys())
def test_the_order_of_choice(python, names, more, chosen, by, here):
    named = str(here / python) if python else None
    target = choose(named, environ=environ(here, *names, **more), directory=str(here / "work"))
    assert (os.path.relpath(target.python, here), target.chosen_by) == (chosen, by)


def test_the_last_choice_is_python3_on_path(here):
    target = choose(None, environ=environ(here, "PATH"), directory=str(here))
    assert (target.python, target.chosen_by) == (str(here / "path" / "python3"), "PATH")


def test_a_conda_prefix_that_holds_conda_itself_is_the_base_by_whatever_name(here):
    (here / "conda" / "condabin").mkdir()
    target = choose(None, environ=environ(here, "CONDA_PREFIX", "PATH"), directory=str(here / "work"))
    assert target.chosen_by == ".venv"


def test_a_venv_without_an_interpreter_is_told_and_not_passed_over(here):
    (here / "work" / ".venv" / "bin" / "python").unlink()
    with pytest.raises(InterpreterProblem, match=r"\.venv` has no `bin/python`"):
        choose(None, environ=environ(here, "PATH"), directory=str(here / "work"))


def test_a_file_named_as_a_venv_is_passed_over(here):
    shutil.rmtree(here / "work" / ".venv")
    (here / "work" / ".venv").write_text("elsewhere\n")
    assert choose(None, environ=environ(here, "PATH"), directory=str(here / "work")).chosen_by == "PATH"


NAMES: dict[str, tuple[str, str]] = {
    "a path": ("{here}/named/bin/python", "named/bin/python"),
    "a relative path": ("../named/bin/python", "named/bin/python"),
    "an environment's directory": ("{here}/named", "named/bin/python"),
    "a relative directory": (".venv", "work/.venv/bin/python"),
    "a command on PATH": ("python3.99", "path/python3.99"),
}


@pytest.mark.parametrize(("name", "chosen"), NAMES.values(), ids=NAMES.keys())
def test_an_interpreter_can_be_named_by(name, chosen, here):
    target = choose(name.format(here=here), environ=environ(here, "PATH"), directory=str(here / "work"))
    assert os.path.normpath(target.python) == str(here / chosen)
    assert target.chosen_by == "--python"


def test_a_file_here_comes_before_a_command_on_path(here):
    (here / "work" / "python3.99").symlink_to(sys.executable)
    target = choose("python3.99", environ=environ(here, "PATH"), directory=str(here / "work"))
    assert target.python == str(here / "work" / "python3.99")


WRONG: dict[str, tuple[str | None, dict[str, str], str]] = {
    "a name that leads nowhere": ("nowhere", {}, "nowhere"),
    "a path that leads nowhere": ("no/python3.99", {}, "no/python3.99"),
    "a directory without an interpreter": ("{here}/path", {}, "path"),
    "an activated venv that is gone": (None, {"VIRTUAL_ENV": "{here}/gone"}, "VIRTUAL_ENV"),
    "an activated conda environment that is gone": (None, {"CONDA_PREFIX": "{here}/gone"}, "CONDA_PREFIX"),
    "no python3 at all": (None, {"PATH": "{here}/named"}, "python3"),
}


@pytest.mark.parametrize(("python", "variables", "named"), WRONG.values(), ids=WRONG.keys())
def test_a_choice_that_cannot_be_met_is_told_with_a_hint(python, variables, named, here):
    given = {name: value.format(here=here) for name, value in variables.items()}
    with pytest.raises(InterpreterProblem) as caught:
        choose(python and python.format(here=here), environ={**environ(here, "PATH"), **given}, directory=str(here))
    assert named in caught.value.message
    assert caught.value.hint


def test_the_running_interpreter_is_this_one():
    assert (running().python, running().chosen_by) == (sys.executable, "running")
