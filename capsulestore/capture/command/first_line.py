"""Follows a script's `#!` line, as execve(2) does."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import replace
from typing import Final

from capsulestore.capture.command.line import Line
from capsulestore.capture.command.programs import beginning

__all__ = ["through_first_line"]

_KERNEL_READS: Final = 256
_SHELLS: Final = frozenset({"sh", "bash", "dash"})
_EXEC: Final = b"'''exec' "
"""How installers begin a script whose interpreter's path has a blank or is too long for the kernel.

The shell runs this line; Python takes it for a string.
"""
_BESIDE: Final = re.compile(r"""\$\(dirname .*\)"?/'?([\w.-]+)'?\s""")
"""The same in an environment that can be moved (`uv venv --relocatable`)."""


def through_first_line(line: Line, path: str) -> Line | None:
    """Return the command line that starts instead of a script; None where its `#!` line is missing or broken."""
    data = beginning(path)
    first, ended, _ = data[:_KERNEL_READS].partition(b"\n")
    words = re.split("[ \t]+", os.fsdecode(first[2:]).strip(" \t"), maxsplit=1)
    if not first.startswith(b"#!") or not words[0] or not (ended or len(data) < _KERNEL_READS or len(words) > 1):
        return None
    instead = words
    if os.path.basename(words[0]) in _SHELLS:
        instead = _second_line(path, data) or instead
    chosen_by = "#!" if line.chosen_by == "command" else line.chosen_by
    return replace(line, words=(*instead, path, *line.words[1:]), chosen_by=chosen_by)


def _second_line(path: str, data: bytes) -> list[str]:
    second = data.split(b"\n", 2)[1:2]
    if not second or not second[0].startswith(_EXEC):
        return []
    text = os.fsdecode(second[0])
    if beside := _BESIDE.search(text):
        return [os.path.join(os.path.dirname(os.path.realpath(path)), beside[1])]
    try:
        words = shlex.split(text)
    except ValueError:
        return []
    return [word for word in words[1:] if word not in {"$0", "$@"}]
