"""Long answers on a terminal go through a pager, as git's do."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

__all__ = ["open_pager", "page"]

_AS_GIT_SETS_THEM: Final = {"LESS": "FRX", "LV": "-c"}
"""Where the user has not: no pager for what fits on the screen, colours as they are."""
_FOR_THE_SHELL: Final = re.compile(r"[|&;<>()$`*?\[#~=%]")
"""What makes more of a pager than a program and its arguments, as for git: `sed s/a/b/ | less`, `LESS=R less`."""


def open_pager() -> subprocess.Popen[str] | None:
    """Start the pager: `$CAPSULE_PAGER`, else `$PAGER`, else `less`; None where that is empty, `cat`, or not there."""
    chosen = os.environ.get("CAPSULE_PAGER", os.environ.get("PAGER"))
    try:
        command = _command("less" if chosen is None else chosen)
        if not command or command == ["cat"] or not shutil.which(command[0]):
            return None
        environ = _AS_GIT_SETS_THEM | os.environ
        return subprocess.Popen(command, stdin=subprocess.PIPE, env=environ, text=True, errors="backslashreplace")
    except (OSError, ValueError):
        return None


def _command(text: str) -> list[str]:
    return ["sh", "-c", text] if _FOR_THE_SHELL.search(text) else shlex.split(text)


def page(pager: subprocess.Popen[str], lines: Iterable[str]) -> int:
    """Write lines to a pager, and return the status it ends with; one that is closed early wants no more of them."""
    screen = pager.stdin
    try:
        with suppress(BrokenPipeError):
            for line in lines:
                print(line, file=screen)
    finally:
        with suppress(BrokenPipeError):
            if screen:
                screen.close()
        _wait(pager)
    return pager.returncode


def _wait(pager: subprocess.Popen[str]) -> None:
    while pager.returncode is None:
        # On the terminal, Ctrl-C is the pager's.
        with suppress(KeyboardInterrupt):
            pager.wait()
