"""The command lines that are compared, with the work trees, stores and data sets they need.

All look at one and the same environment, activated as its users would. Each that writes has a place of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from .environments import Environments, own_variables
from .whole_process import ROUND, Command

__all__ = ["commands", "project", "variables", "work_tree"]

_METADATA_LOOP: Final = """
from importlib.metadata import distributions
for found in distributions():
    print(f"{found.name}=={found.version}")
"""
_ONE_OF_THEM: Final = "numpy=="


def commands(made: Environments, scratch: Path) -> list[Command]:
    """Return the commands, in the order in which a round runs them and the page shows them."""
    environ = variables(made, scratch)
    return [
        *_floors(made, environ, scratch),
        *_ours(made, environ, scratch),
        *_of_conda(made, environ, scratch),
        *_others(made, environ, scratch),
    ]


def variables(made: Environments, scratch: Path) -> dict[str, str]:
    """Return what everything is started with: a home that has nobody's settings, and the target activated."""
    home = scratch / "home"
    home.mkdir(exist_ok=True)
    (home / ".gitconfig").write_text("[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n", "utf-8")
    return own_variables() | {
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "VIRTUAL_ENV": str(made.target),
        "PATH": f"{made.target / 'bin'}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(home / "warm"),
        "XDG_CONFIG_HOME": str(home / "config"),
    }


def work_tree(path: Path, environ: Mapping[str, str]) -> Path:
    """Make a git work tree with an analysis in it, committed."""
    path.mkdir()
    (path / "analysis.py").write_text("print(42)\n", "utf-8")
    _do(path, environ, "git", "init", "--quiet", ".")
    _do(path, environ, "git", "add", ".")
    _do(path, environ, "git", "commit", "--quiet", "-m", "an analysis")
    return path


def project(path: Path, made: Environments, environ: Mapping[str, str]) -> Path:
    """Make a work tree with a store, in which the environment that is active is the first capsule."""
    capsule = str(made.capsule / "bin/capsule")
    work_tree(path, environ)
    _do(path, environ, capsule, "init")
    _do(path, environ, capsule, "add", "-m", "first")
    return path


def _floors(made: Environments, environ: Mapping[str, str], scratch: Path) -> list[Command]:
    """Return what nothing of its kind can be faster than."""
    floor = partial(Command, environ=environ, directory=scratch)
    true = shutil.which("true") or "/bin/true"
    python = str(made.capsule / "bin/python")
    capsule = str(made.capsule / "bin/capsule")
    return [
        floor(name="true", label="`true`", arguments=[true]),
        floor(name="python", label="`python -I -c pass`", arguments=[python, "-I", "-c", "pass"]),
        floor(name="version", label="`capsule --version`", arguments=[capsule, "--version"]),
    ]


def _ours(made: Environments, environ: Mapping[str, str], scratch: Path) -> list[Command]:
    capsule = str(made.capsule / "bin/capsule")
    cold = scratch / "cold"
    kept, growing, running = (project(scratch / name, made, environ) for name in ("kept", "growing", "running"))
    return [
        Command(
            name="capture-cold",
            label="`capsule capture`, its index cold",
            arguments=[capsule, "capture"],
            environ={**environ, "XDG_CACHE_HOME": str(cold)},
            directory=kept,
            prints="environment ",
            prepare=lambda: shutil.rmtree(cold, ignore_errors=True),
        ),
        Command(
            name="capture-warm",
            label="`capsule capture`",
            arguments=[capsule, "capture"],
            environ=environ,
            directory=kept,
            prints="environment ",
        ),
        Command(
            name="verify",
            label="`capsule verify`, identical",
            arguments=[capsule, "verify"],
            environ=environ,
            directory=kept,
            prints="identical to ",
        ),
        Command(
            name="add-same",
            label="`capsule add`, nothing new",
            arguments=[capsule, "add", "-m", "first"],
            environ=environ,
            directory=kept,
        ),
        Command(
            name="add-new",
            label="`capsule add`, a new capsule",
            arguments=[capsule, "add", "-m", f"round {ROUND}"],
            environ=environ,
            directory=growing,
        ),
        Command(
            name="run",
            label="`capsule run -- true`",
            arguments=[capsule, "run", "--", "true"],
            environ=environ,
            directory=running,
        ),
    ]


def _of_conda(made: Environments, environ: Mapping[str, str], scratch: Path) -> list[Command]:
    """Return what captures the prefix of conda's, with all layers and with one."""
    arguments = [str(made.capsule / "bin/capsule"), "capture", "--python", str(made.conda / "bin/python")]
    capture = partial(Command, environ=environ, directory=scratch, prints="environment ", missing=made.without_conda)
    label = "`capsule capture`, a conda prefix"
    return [
        capture(name="conda-all", label=label, arguments=arguments),
        capture(name="conda-python", label=f"{label}, layer `python`", arguments=[*arguments, "--layer", "python"]),
    ]


def _others(made: Environments, environ: Mapping[str, str], scratch: Path) -> list[Command]:
    other = partial(Command, environ=environ, directory=scratch)
    bin_ = made.target / "bin"
    return [
        other(
            name="uv-freeze",
            label="`uv pip freeze`",
            arguments=[str(made.uv / "bin/uv"), "pip", "freeze"],
            prints=_ONE_OF_THEM,
        ),
        other(name="pip-freeze", label="`pip freeze`", arguments=[str(bin_ / "pip"), "freeze"], prints=_ONE_OF_THEM),
        other(name="pip-inspect", label="`pip inspect`", arguments=[str(bin_ / "pip"), "inspect"], prints='"numpy"'),
        other(
            name="metadata",
            label="`importlib.metadata`, names and versions",
            arguments=[str(bin_ / "python"), "-c", _METADATA_LOOP],
            prints=_ONE_OF_THEM,
        ),
        *_datalad(made, environ, scratch),
    ]


def _datalad(made: Environments, environ: Mapping[str, str], scratch: Path) -> list[Command]:
    label = "`datalad run true`"
    if made.without_datalad:
        return [Command(name="datalad-run", label=label, missing=made.without_datalad)]
    environ = {**environ, "PATH": f"{made.datalad / 'bin'}:{environ['PATH']}"}
    datalad = str(made.datalad / "bin/datalad")
    dataset = scratch / "dataset"
    _do(scratch, environ, datalad, "-l", "error", "create", str(dataset))
    (dataset / "analysis.py").write_text("print(42)\n", "utf-8")
    _do(dataset, environ, datalad, "-l", "error", "save", "-m", "an analysis")
    of_datalad = partial(Command, environ=environ, directory=dataset)
    return [
        of_datalad(name="datalad-version", label="`datalad --version`", arguments=[datalad, "--version"]),
        of_datalad(name="datalad-run", label=label, arguments=[datalad, "run", "true"]),
        of_datalad(
            name="datalad-run-saved",
            label="`datalad run`, a file written and saved",
            arguments=[datalad, "run", f"echo 42 >result{ROUND}.txt"],
        ),
    ]


def _do(directory: Path, environ: Mapping[str, str], *command: str) -> None:
    subprocess.run(command, cwd=directory, env=environ, stdout=subprocess.DEVNULL, check=True)
