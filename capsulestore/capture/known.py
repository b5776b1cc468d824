"""Asks an interpreter once, and keeps its answer for as long as that holds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, cast

from capsulestore.capture.cache import Cache
from capsulestore.capture.interpreter import Interpreter
from capsulestore.model.canonical import Json

__all__ = ["interpreter_of"]

_OF_THE_SHELL: Final = frozenset({"_", "OLDPWD", "PWD", "SHLVL"})
"""Variables that differ from command to command, on which nothing at start-up depends."""

_OF_PATHS: Final = ("HOME", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE")
"""Variables that say where start-up looks; of a relative path in them it depends on the working directory."""


def interpreter_of(python: str, environ: Mapping[str, str], cache: Cache) -> Interpreter:
    """Return what the interpreter at a path says of itself, started with these variables.

    It is asked where `cache` does not know: where a file that its start-up read, a directory that it searched, or a
    variable is another. Raise what `ask` raises.
    """

    def compute() -> Json:
        from capsulestore.capture.asking import ask  # noqa: PLC0415  (starting processes takes much to import)

        return cast("Json", ask(python, environ=environ)._asdict())

    # Site code may look at any variable, and what the kernel says of the machine is a process's own (personality(2)).
    given = sorted(f"{name}={value}" for name, value in environ.items() if name not in _OF_THE_SHELL)
    given.append(os.uname().machine)
    searched = [entry for name in _OF_PATHS if environ.get(name) for entry in environ[name].split(os.pathsep)]
    if not all(map(os.path.isabs, [python, *searched])):
        try:
            given.append(os.getcwd())
        except OSError:
            # It was removed.
            return Interpreter(**cast("dict[str, Any]", compute()))
    answer = cache.recall(f"interpreter {python}", compute, condition="\0".join(given))
    return Interpreter(**cast("dict[str, Any]", answer))
