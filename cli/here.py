"""The environment here, as a command line asks for it."""

from __future__ import annotations

import os
import shlex

from capsulestore.capture.cache import users_cache
from capsulestore.capture.environment import Capture, capture
from capsulestore.capture.target import Target, choose

from .output import note

__all__ = ["captured", "target", "tell_target"]


def target(python: str | None) -> Target:
    """Return the interpreter that `--python` names, else the one that would be used here."""
    return choose(python, environ=os.environ, directory=os.curdir)


def tell_target(chosen: Target) -> None:
    """Say which interpreter is looked at, where that may be another than the one that was meant."""
    if chosen.chosen_by == "PATH":
        note(f"no environment is activated and none lies here in `.venv`: looked at `{chosen.python}`")
        if above := _environment_above():
            note(f"`--python {shlex.quote(above)}` names the one that lies above")
    elif chosen.chosen_by in {"VIRTUAL_ENV", "CONDA_PREFIX"} and os.path.isdir(".venv"):
        active = os.path.dirname(os.path.dirname(chosen.python))
        if not os.path.samefile(active, ".venv"):
            note(f"looked at the activated `{active}`, not at `.venv` here, which `--python .venv` names")


def captured(python: str | None, layers: tuple[str, ...]) -> Capture:
    """Capture the environment here: all layers, or those that `--layer` names."""
    return capture(target(python), layers=layers or None, cache=users_cache())


def _environment_above() -> str | None:
    """Return the nearest `.venv` above the working directory, as a path from here."""
    directory = os.getcwd()
    while directory != os.path.dirname(directory):
        directory = os.path.dirname(directory)
        if os.path.exists(os.path.join(directory, ".venv", "bin", "python")):
            return os.path.relpath(os.path.join(directory, ".venv"))
    return None
