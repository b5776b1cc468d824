"""Follows a command line, step by step, to the interpreter it starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from capsulestore.capture.command.conda import through_conda
from capsulestore.capture.command.first_line import through_first_line
from capsulestore.capture.command.guessing import guess
from capsulestore.capture.command.line import Line, Started
from capsulestore.capture.command.programs import beginning, find, is_interpreter, script_of
from capsulestore.capture.command.projects import PROJECT_LAUNCHERS, through_project
from capsulestore.capture.command.uv import through_uv, through_uvx
from capsulestore.capture.command.wrappers import WRAPPERS, through_env, through_wrapper

__all__ = ["follow", "started_by"]

_MAX_STEPS: Final = 16
_LAUNCHERS: Final[Mapping[str, Callable[[Line, str], Line | Started | None]]] = {
    "conda": through_conda,
    "mamba": through_conda,
    "micromamba": through_conda,
    "uv": through_uv,
    "uvx": through_uvx,
}


def started_by(command: Sequence[str], *, environ: Mapping[str, str], directory: str) -> Started:
    """Return the Python interpreter that a command starts in `directory` with these variables.

    Nothing of the command is run. Files are read, and only for `uv run` a process is started: uv, which is asked.
    A command that does not exist, or whose environment a launcher has yet to make, gives no target and a reason.
    """
    line = Line(words=tuple(command), environ=environ, directory=os.path.abspath(directory))
    reached = follow(line)
    return reached if isinstance(reached, Started) else guess(line, reached, follow)


def follow(line: Line) -> Started | Line:
    """Return the interpreter that a command line leads to, or what is left of it where that is not plain.

    A script whose `#!` line leads to none is left as it is.
    """
    script: Line | None = None
    for _ in range(_MAX_STEPS):
        path = find(line.words[0], line.environ, line.directory) if line.words else None
        if path is None:
            break
        if is_interpreter(path):
            return line.started(path, script_of(path, line.words[1:], line.directory))
        step = _step(line, path)
        if isinstance(step, Started):
            return step
        if step is None:
            break
        if script is None and path in step.words:
            script = line
        line = step
    return script if script and line.words else line


def _step(line: Line, path: str) -> Line | Started | None:
    name = os.path.basename(path)
    # A script may be called `./time`; the programs are none.
    if (wrapper := WRAPPERS.get(name)) and not beginning(path).startswith(b"#!"):
        return through_env(line) if name == "env" else through_wrapper(line, wrapper)
    if launcher := PROJECT_LAUNCHERS.get(name):
        return through_project(line, launcher)
    if launches := _LAUNCHERS.get(name):
        return launches(line, path)
    return through_first_line(line, path)
