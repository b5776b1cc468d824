"""Which sources a command line names, and from where it imports its own modules."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from capsulestore.capture.command.line import Started
from capsulestore.capture.command.programs import beginning, inside

__all__ = ["sources_named", "starting_directory"]

_ENDINGS: Final = (
    *(".bash", ".do", ".ipynb", ".jl", ".m", ".mk", ".nf", ".pl", ".py", ".qmd", ".r", ".rmd", ".sas", ".sh", ".smk"),
    *(".sql", ".zsh", "makefile", "snakefile"),
)
_MAX_BYTES: Final = 16 * 2**20


def sources_named(command: Sequence[str], directory: str) -> list[str]:
    """Return the absolute paths of the scripts, notebooks and the like that the words of a command line name.

    A program that an installer wrote (in an environment's `bin`) is none, nor is a file of more than 16 MiB.
    """
    paths = {inside(directory, word) for word in command if "\0" not in word and word}
    return sorted(path for path in paths if _is_source(path))


def starting_directory(command: Sequence[str], started: Started, directory: str) -> str | None:
    """Return the directory that Python puts first on the search path (documentation of `sys.path`), where it is known.

    That is the script's own, or the working directory for `-m` and `-c`.
    """
    if started.script is not None:
        return os.path.dirname(os.path.realpath(started.script))
    of_modules = not started.guessed and not {"-m", "-c"}.isdisjoint(command)
    return (started.directory or directory) if of_modules and started.target else None


def _is_source(path: str) -> bool:
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _MAX_BYTES:
            return False
    except OSError:
        return False
    above = os.path.dirname(os.path.dirname(path))
    if any(os.path.exists(os.path.join(above, mark)) for mark in ("pyvenv.cfg", "conda-meta")):
        return False
    in_system = path.startswith(("/usr/", "/bin/", "/opt/"))
    return path.lower().endswith(_ENDINGS) or (not in_system and beginning(path).startswith(b"#!"))
