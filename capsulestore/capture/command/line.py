"""A command line on its way to an interpreter, and where it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from capsulestore.capture.target import Target

__all__ = ["GUESSED", "Line", "Started"]

GUESSED: Final = "guessed"


class Started(NamedTuple):
    """The interpreter that a command starts, as far as can be told without running it.

    `target` is None where none can be told. Its `chosen_by` is `command` where the command line names the interpreter,
    `#!` where a script's first line does, a launcher's name (`uv run`), or `guessed`. `script` is the Python script
    that is run, absolute, where that is plain and the script is no installed command. `prepares` says that a launcher
    may make or change the environment first: look again afterwards. `reason` says in words why the interpreter is
    guessed, or why there is none. `environ` and `directory` are what it is started with and where, None where those are
    the command's own.
    """

    target: Target | None
    script: str | None = None
    prepares: bool = False
    reason: str | None = None
    environ: Mapping[str, str] | None = None
    directory: str | None = None

    @property
    def guessed(self) -> bool:
        """Whether the interpreter is only the likeliest one."""
        return self.target is not None and self.target.chosen_by == GUESSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is left of a command line, and what the words before it have changed for the program it starts.

    `directory` is absolute. `python` is the interpreter of the environment that a launcher has entered. `doubt` says in
    words why nothing that follows is sure.
    """

    words: tuple[str, ...]
    environ: Mapping[str, str]
    directory: str
    chosen_by: str = "command"
    prepares: bool = False
    python: str | None = None
    doubt: str | None = None

    def started(self, python: str, script: str | None = None) -> Started:
        """Return the end of the way: this interpreter."""
        target = Target(python, GUESSED if self.doubt else self.chosen_by)
        return Started(target, script, self.prepares, self.doubt, self.environ, self.directory)

    def entering(self, bin_directory: str, words: tuple[str, ...], **variables: str) -> Line:
        """Return the rest of the line as a launcher starts it in an environment: its programs come first."""
        path = self.environ.get("PATH")
        path = f"{bin_directory}:{path}" if path else bin_directory
        environ = {**self.environ, **variables, "PATH": path}
        return replace(self, words=words, environ=environ, python=f"{bin_directory}/python")
