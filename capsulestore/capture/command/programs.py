"""Finds the program that a word starts, and tells an interpreter from everything else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from capsulestore.capture.command.options import read_options
from capsulestore.capture.files import read_up_to

__all__ = ["beginning", "find", "inside", "is_interpreter", "script_of"]

_INTERPRETER: Final = re.compile(r"(python|pypy|graalpy)\d*(\.\d+)*[a-z]?(-dbg|-debug|-intel64)?")
_BEGINNING_BYTES: Final = 8192
_WITH_VALUE: Final = frozenset({"-c", "-m", "-W", "-X", "--check-hash-based-pycs"})
_INSTEAD_OF_A_SCRIPT: Final = frozenset({"-c", "-m"})


def inside(directory: str, path: str) -> str:
    """Return a path as seen from a directory; without a `.` in it, but through every link that it names."""
    parts = [part for part in path.split(os.sep) if part not in {"", "."}]
    return os.path.join(os.sep if path.startswith(os.sep) else directory, *parts)


def find(word: str, environ: Mapping[str, str], directory: str) -> str | None:
    """Return the absolute path of the program that execvpe(3) would start in `directory`, None where there is none."""
    if not word:
        return None
    entries = [""] if os.sep in word else environ.get("PATH", os.defpath).split(os.pathsep)
    for entry in entries:
        path = inside(directory, os.path.join(entry, word))
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def is_interpreter(path: str) -> bool:
    """Whether a program is a Python interpreter: one by name, also where it is a script (pyenv), or a link to one."""
    if _INTERPRETER.fullmatch(os.path.basename(path)):
        return True
    real = os.path.realpath(path)
    return bool(_INTERPRETER.fullmatch(os.path.basename(real))) and not beginning(real).startswith(b"#!")


def beginning(path: str) -> bytes:
    """Return a file's first bytes; none where it cannot be read."""
    try:
        return read_up_to(path, _BEGINNING_BYTES)
    except OSError:
        return b""


def script_of(python: str, arguments: tuple[str, ...], directory: str) -> str | None:
    """Return the script that an interpreter runs with these arguments (python(1)), None where it is no live source.

    Modules, `-c`, standard input and directories are none, nor is what an installer wrote to start a package.
    """
    options, rest = read_options(arguments, _WITH_VALUE, _INSTEAD_OF_A_SCRIPT)
    if not rest or rest[0] in {"", "-"} or any(name in _INSTEAD_OF_A_SCRIPT for name, _ in options):
        return None
    path = inside(directory, rest[0])
    return None if os.path.isdir(path) or _is_installed(path, python) else path


def _is_installed(script: str, python: str) -> bool:
    text = beginning(script)
    if not text.startswith(b"#!"):
        return False
    directory = os.path.dirname(script)
    beside = os.path.basename(directory) == "bin" and directory == os.path.dirname(python)
    return beside or (b"sys.argv[0] = " in text and b"sys.exit(" in text)
