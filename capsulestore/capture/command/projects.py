"""Follows the launchers that keep a project's environment below the project: pixi, poetry, pdm, pipenv, hatch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from capsulestore.capture.command.line import Line
from capsulestore.capture.command.options import read_options

__all__ = ["PROJECT_LAUNCHERS", "through_project"]


@dataclass(frozen=True, slots=True)
class _Launcher:
    """Where the environment is, from the project's directory (`{}` stands for the name that `by_name` gives).

    `joins` says that an activated environment comes first; `prepares` that the environment is made where it is missing.
    """

    environment: str = ".venv"
    valued: frozenset[str] = frozenset()
    by_name: tuple[str, ...] = field(default=())
    joins: bool = True
    prepares: bool = False


PROJECT_LAUNCHERS: Final[Mapping[str, _Launcher]] = {
    "hatch": _Launcher(valued=frozenset({"-e", "--env", "-p", "--project"}), joins=False, prepares=True),
    "pdm": _Launcher(valued=frozenset({"-p", "--project", "--venv"})),
    "pipenv": _Launcher(valued=frozenset({"--python"}), prepares=True),
    "pixi": _Launcher(
        ".pixi/envs/{}",
        frozenset({"-e", "--environment", "-m", "--manifest-path", "--color"}),
        ("-e", "--environment"),
        joins=False,
        prepares=True,
    ),
    "poetry": _Launcher(valued=frozenset({"-C", "--directory", "-P", "--project"})),
}


def through_project(line: Line, launcher: _Launcher) -> Line | None:
    """Return what `poetry run` and its kin start, in the project's environment; None for other commands.

    Where the environment is not in the project, there is nothing to follow.
    """
    name = os.path.basename(line.words[0])
    before, rest = read_options(line.words[1:], launcher.valued)
    if rest[:1] != ("run",):
        return None
    after, words = read_options(rest[1:], launcher.valued)
    options = dict([*before, *after])
    chosen = next((options[option] for option in launcher.by_name if options.get(option)), "default")
    line = replace(line, chosen_by=f"{name} run", prepares=launcher.prepares)
    virtual = line.environ.get("VIRTUAL_ENV") if launcher.joins else None
    prefix = virtual or _upwards(line.directory, launcher.environment.format(chosen))
    if prefix is None:
        return replace(line, words=(), doubt=f"`{name}` keeps the environment elsewhere, or has not made it yet")
    return line.entering(os.path.join(prefix, "bin"), words, VIRTUAL_ENV=prefix)


def _upwards(directory: str, relative: str) -> str | None:
    while True:
        path = os.path.join(directory, relative)
        if os.path.exists(os.path.join(path, "bin", "python")):
            return path
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above
