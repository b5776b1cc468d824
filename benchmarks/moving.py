"""Measures pushing, pulling and cloning as whole processes, between stores on this machine, and git's own beside.

One new capsule at a time is moved between stores that hold few, and between stores that hold many; and a whole store at
once. Git moves the same commits between repositories of its own that hold the same, in the same packs.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import count, repeat
from pathlib import Path
from typing import Final

from . import whole_process
from .commands import variables
from .environments import Environments
from .figures import Figure, Figures
from .known_stores import add_capsules, store_of
from .whole_process import Command

__all__ = ["measure"]

NUMBERS: Final = (10, 1_000, 100_000)
"""How many capsules the stores hold between which a new one is moved."""

KNOWN: Final = 1_000
"""How many they hold where the environment of the new one is known already, as that of the first."""

WHOLE: Final = 20_000
_MOST_ROUNDS_OF_WHOLE: Final = 5
_CAPSULES_OF_EACH: Final = 10
_HERE: Final = Path(__file__).parent
_ORIGIN, _COUNTED = "origin", "counted"
_FILE, _COUNTED_URL = "file://", "ssh://nowhere"


def measure(made: Environments, rounds: int, scratch: Path) -> Figures:
    """Return the figures, each name with `moving-` before it."""
    place = scratch / "moving"
    place.mkdir()
    moving = _Moving(made, place, variables(made, scratch))
    one = [command for number in NUMBERS for command in moving.one(number)] + moving.known()
    figures = whole_process.measure(one, rounds, scratch)
    whole = moving.whole()
    figures |= whole_process.measure(whole, min(rounds, _MOST_ROUNDS_OF_WHOLE), scratch)
    for command in (*one, *whole):
        if not figures[command.name].missing:
            figures[command.name] = _counted(command, figures[command.name], scratch)
    return figures


def _counted(command: Command, figure: Figure, scratch: Path) -> Figure:
    """Run a command once more, by way of wire.py, and say what went through."""
    told = scratch / "count"
    told.unlink(missing_ok=True)
    wire = shlex.join([sys.executable, "-I", "-S", str(_HERE / "wire.py"), str(told)])
    command.prepare()
    subprocess.run(
        [_COUNTED if word == _ORIGIN else word.replace(_FILE, _COUNTED_URL, 1) for word in command.arguments],
        cwd=command.directory,
        env={**command.environ, "GIT_SSH_COMMAND": wire, "GIT_SSH_VARIANT": "simple"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return replace(figure, kilobytes=int(told.read_text("ascii")) / 1e3)


class _Moving:
    """The commands, with the stores and repositories that they need."""

    def __init__(self, made: Environments, place: Path, environ: Mapping[str, str]) -> None:
        self._made = made
        self._capsule = str(made.capsule / "bin/capsule")
        self._git = shutil.which("git") or "git"
        self._place = place
        self._environ = environ

    def one(self, number: int) -> list[Command]:
        """Return what moves one new capsule to, and from, stores that hold so many."""
        place = self._exchanging(str(number), number)
        there = f"{number:,} there"
        return [
            *self._pushes(place, str(number), there, count(number // _CAPSULES_OF_EACH)),
            Command(
                name=f"moving-pull-{number}",
                label=f"`capsule pull`, a new capsule, {there}",
                arguments=[self._capsule, "pull", _ORIGIN],
                environ=self._environ,
                directory=place / "reader",
                prints="1 capsule,",
            ),
            Command(
                name=f"moving-git-fetch-{number}",
                label=f"`git fetch`, the same, {there}",
                arguments=[self._git, "fetch", "--quiet", _ORIGIN, "main:main"],
                environ=self._environ,
                directory=place / "git-reader",
            ),
        ]

    def known(self) -> list[Command]:
        """Return what pushes a new capsule whose environment the other store has."""
        place = self._exchanging("known", KNOWN)
        return self._pushes(place, "known", f"{KNOWN:,} there, and its environment", repeat(0))

    def whole(self) -> list[Command]:
        """Return what moves a whole store into an empty one, and into none."""
        store = store_of(WHOLE, self._made, self._environ)
        hub, cloned = self._place / "empty.git", self._place / "cloned"

        def make_empty() -> None:
            shutil.rmtree(hub, ignore_errors=True)
            self._do(self._git, "init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main", hub)

        command = partial(Command, environ=self._environ, directory=store)
        to_empty = partial(command, prepare=make_empty)
        into_none = partial(command, prepare=lambda: shutil.rmtree(cloned, ignore_errors=True))
        of = f"{WHOLE:,} capsules"
        git = [self._git, "-C", str(store / ".capsules")]
        return [
            to_empty(
                name="moving-first-push",
                label=f"`capsule push`, {of} to an empty repository",
                arguments=[self._capsule, "push", f"{_FILE}{hub}"],
                prints=f"{WHOLE} capsules",
            ),
            to_empty(
                name="moving-git-first-push",
                label=f"`git push`, {of} to an empty repository",
                arguments=[*git, "push", "--quiet", f"{_FILE}{hub}", "main"],
            ),
            into_none(
                name="moving-clone",
                label=f"`capsule clone`, {of}, with the index",
                arguments=[self._capsule, "clone", f"{_FILE}{store}/.capsules", str(cloned)],
                prints=str(cloned),
            ),
            into_none(
                name="moving-git-clone",
                label=f"`git clone --bare`, {of}",
                arguments=[self._git, "clone", "--quiet", "--bare", f"{_FILE}{store}/.capsules", str(cloned)],
            ),
        ]

    def _pushes(self, place: Path, name: str, there: str, environments: Iterator[int]) -> list[Command]:
        """Return what pushes a new capsule with the next of these environments, and git's push of the same commit."""
        writer, of_git = place / "writer", place / "git-writer"

        def add() -> None:
            add_capsules(self._made, self._environ, writer, _count(self._git, writer) + 1, next(environments))

        def take_over() -> None:
            self._do(self._git, "-C", of_git, "fetch", "--quiet", writer / ".capsules", "main:main")

        return [
            Command(
                name=f"moving-push-{name}",
                label=f"`capsule push`, a new capsule, {there}",
                arguments=[self._capsule, "push", _ORIGIN],
                environ=self._environ,
                directory=writer,
                prints="1 capsule,",
                prepare=add,
            ),
            Command(
                name=f"moving-git-push-{name}",
                label=f"`git push`, the same, {there}",
                arguments=[self._git, "push", "--quiet", _ORIGIN, "main"],
                environ=self._environ,
                directory=of_git,
                prepare=take_over,
            ),
        ]

    def _exchanging(self, name: str, number: int) -> Path:
        """Make a repository with so many capsules, and stores that know that they have the same; all for git again."""
        place, store = self._place / name, store_of(number, self._made, self._environ)
        place.mkdir()
        for bare in ("hub", "git-hub", "git-writer", "git-reader"):
            self._do(self._git, "clone", "--quiet", "--bare", store / ".capsules", place / bare)
        for of_git in ("git-writer", "git-reader"):
            self._do(self._git, "-C", place / of_git, "remote", "set-url", _ORIGIN, f"{_FILE}{place}/git-hub")
            self._do(self._git, "-C", place / of_git, "remote", "add", _COUNTED, f"{_COUNTED_URL}{place}/git-hub")
        _copy(store, place / "writer")
        for remote, url in ((_ORIGIN, _FILE), (_COUNTED, _COUNTED_URL)):
            self._do(self._capsule, "--store", place / "writer", "remote", "add", remote, f"{url}{place}/hub")
        self._do(self._capsule, "--store", place / "writer", "push")
        _copy(place / "writer", place / "reader")
        return place

    def _do(self, *command: object) -> None:
        subprocess.run(list(map(str, command)), env=self._environ, stdout=subprocess.DEVNULL, check=True)


def _count(git: str, store: Path) -> int:
    log = [git, "-C", str(store / ".capsules"), "rev-list", "--count", "main"]
    return int(subprocess.run(log, capture_output=True, check=True).stdout)


def _copy(store: Path, place: Path) -> None:
    """Copy a store; packs, which nobody writes into, as links."""
    shutil.copytree(store, place, copy_function=_copy_file)


def _copy_file(source: str, place: str) -> None:
    (os.link if source.endswith((".pack", ".idx")) else shutil.copy2)(source, place)
