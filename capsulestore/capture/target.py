"""Which interpreter is captured when nobody names one."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import NamedTuple

from capsulestore.capture.files import path_text
from capsulestore.errors import InterpreterProblem, UsageError
from capsulestore.model.canonical import Json

__all__ = ["Target", "choose", "of_caller", "running"]


class Target(NamedTuple):
    """An interpreter to capture: the path to start it by, and what led to it (`--python`, `VIRTUAL_ENV`, ...)."""

    python: str
    chosen_by: str

    def as_dict(self) -> dict[str, Json]:
        """Return the target as `--json` has it."""
        return {"python": path_text(self.python), "chosen_by": self.chosen_by}


def running() -> Target:
    """Return the interpreter that this process runs in; raise `InterpreterProblem` where it does not know its path."""
    if not sys.executable:
        raise InterpreterProblem(
            "the running program embeds Python and does not know its interpreter", hint="name one by path"
        )
    return Target(sys.executable, "running")


def of_caller(python: str | os.PathLike[str] | None) -> Target:
    """Return the interpreter that a program names as `--python` would, the running one where it names none.

    Raise `InterpreterProblem` where there is no such interpreter, `UsageError` for what is no path.
    """
    if python is None:
        return running()
    try:
        path = os.fsdecode(python)
    except TypeError:
        raise UsageError(f"an interpreter is named by its path, which `{python!r}` is not") from None
    return Target(os.path.abspath(_named(path, os.environ, os.curdir, by="`python`")), "caller")


def choose(python: str | None, *, environ: Mapping[str, str], directory: str) -> Target:
    """Return the target: the one named, else the activated environment, else `./.venv`, else `python3` on PATH.

    A base conda environment does not count as activated: it is what conda itself runs in. Raise `InterpreterProblem`
    where the one that is named, the activated one, or that of a `.venv` which is here, is not there.
    """
    if python is not None:
        return Target(_named(python, environ, directory), "--python")
    if virtual := environ.get("VIRTUAL_ENV"):
        return Target(_of_prefix(virtual, "VIRTUAL_ENV"), "VIRTUAL_ENV")
    conda = environ.get("CONDA_PREFIX")
    if conda and environ.get("CONDA_DEFAULT_ENV") != "base" and not os.path.isdir(f"{conda}/condabin"):
        return Target(_of_prefix(conda, "CONDA_PREFIX"), "CONDA_PREFIX")
    local = os.path.join(directory, ".venv")
    if os.path.isdir(local) or os.path.islink(local):
        return Target(_of_prefix(local), ".venv")
    import shutil  # noqa: PLC0415

    found = shutil.which("python3", path=environ.get("PATH", os.defpath))
    if not found:
        raise InterpreterProblem("no `python3` on PATH", hint="name an interpreter with `--python PATH`")
    return Target(found, "PATH")


def _named(python: str, environ: Mapping[str, str], directory: str, *, by: str = "--python") -> str:
    path = os.path.join(directory, python)
    if os.path.isdir(path):
        return _of_prefix(path, by)
    if os.path.exists(path):
        return path
    command = f"python{python}" if re.fullmatch(r"\d+(\.\d+)*t?", python) else python
    import shutil  # noqa: PLC0415

    found = shutil.which(command, path=environ.get("PATH", os.defpath)) if os.path.basename(python) == python else None
    if not found:
        raise InterpreterProblem(
            f"no interpreter at `{python}`",
            hint="name a path, a virtual environment's directory, a version, or a command on PATH",
        )
    return found


def _of_prefix(prefix: str, named_by: str | None = None) -> str:
    python = _in_prefix(prefix)
    if not os.path.exists(python):
        raise InterpreterProblem(
            f"{named_by} names `{prefix}`, which has no `bin/python`"
            if named_by
            else f"`{prefix}` has no `bin/python`",
            hint="activate another environment, or name an interpreter with `--python PATH`",
        )
    return python


def _in_prefix(prefix: str) -> str:
    return os.path.join(prefix, "bin", "python")
