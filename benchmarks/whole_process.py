"""Runs commands in turn, A B C A B C ..., and takes down how long each whole process took and how much memory it had.

In turn, so that what else the machine does falls on all of them alike.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .figures import Figure, Figures

__all__ = ["ROUND", "Command", "measure"]

ROUND: Final = "{round}"
"""Stands for the number of the round in a command's arguments."""

_WARM_UP: Final = 2
_STARTER: Final = Path(__file__).with_name("starter.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line, and what must be so that its time means something.

    `prints` must be in what it writes to stdout. `prepare` is called before each run, out of the time. Where `missing`
    says why the command is not there, it is not run.
    """

    name: str
    label: str
    arguments: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    directory: Path = Path()
    prints: str = ""
    prepare: Callable[[], None] = lambda: None
    missing: str = ""


@dataclass(slots=True)
class _Taken:
    """What was taken down of a command so far."""

    missing: str
    times: list[float] = field(default_factory=list)
    memory: float = 0


def measure(commands: Sequence[Command], rounds: int, scratch: Path) -> Figures:
    """Run every command once a round and return what was taken down.

    A command that fails, or does not print what it should, is not run again: its figure says what it complained of.
    """
    taken = {command.name: _Taken(command.missing) for command in commands}
    for number in range(-_WARM_UP, rounds):
        print(f"Round {number + 1} of {rounds}" if number >= 0 else "Warming up", flush=True)
        for command in commands:
            so_far = taken[command.name]
            if so_far.missing:
                continue
            command.prepare()
            milliseconds, memory, so_far.missing = _run(command, number, scratch)
            if number >= 0:
                so_far.times.append(milliseconds)
                so_far.memory = max(so_far.memory, memory)
    return {command.name: _figure(command, taken[command.name]) for command in commands}


def _figure(command: Command, taken: _Taken) -> Figure:
    if taken.missing:
        return Figure(label=command.label, missing=taken.missing)
    return Figure(label=command.label, times=tuple(taken.times), memory=taken.memory)


def _run(command: Command, number: int, scratch: Path) -> tuple[float, float, str]:
    """Return milliseconds, MB, and what was wrong, which is nothing as a rule."""
    arguments = [word.replace(ROUND, str(number)) for word in command.arguments]
    out, error = scratch / "stdout", scratch / "stderr"
    said = subprocess.run(
        [sys.executable, "-I", "-S", _STARTER, out, error, *arguments],
        cwd=command.directory,
        env=command.environ,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    nanoseconds, kibibytes, status = map(int, said.split())
    return nanoseconds / 1e6, kibibytes * 1024 / 1e6, _wrong(command, status, out, error)


def _wrong(command: Command, status: int, out: Path, error: Path) -> str:
    if status:
        said = error.read_text("utf-8", "replace").strip().splitlines() or [f"exit status {status}"]
        return said[0].removeprefix("error: ")
    if command.prints not in out.read_text("utf-8", "replace"):
        return f"it did not print `{command.prints}`"
    return ""
