"""Follows `conda run` and its kin into the environment that they name, where conda and mamba look for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from capsulestore.capture.command.line import Line, Started
from capsulestore.capture.command.options import read_options
from capsulestore.capture.command.programs import inside
from capsulestore.capture.files import read_up_to

__all__ = ["named_environment", "through_conda"]

_VALUED: Final = frozenset(
    {"-n", "--name", "-p", "--prefix", "-r", "--root-prefix", "-a", "--attach", "-e", "--env", "--cwd", "--label"}
)
_MAX_LIST_BYTES: Final = 2**20
_BASE: Final = frozenset({"base", "root"})


def through_conda(line: Line, conda: str) -> Line | Started | None:
    """Return what `conda run`, `mamba run` or `micromamba run` starts, in its environment; None for other commands."""
    before, rest = read_options(line.words[1:], _VALUED)
    if rest[:1] != ("run",):
        return None
    after, words = read_options(rest[1:], _VALUED)
    options = dict([*before, *after])
    environ = dict(line.environ)
    if root := options.get("-r") or options.get("--root-prefix"):
        environ["MAMBA_ROOT_PREFIX"] = inside(line.directory, root)
    name = options.get("-n") or options.get("--name")
    prefix = options.get("-p") or options.get("--prefix")
    if prefix:
        prefix = inside(line.directory, prefix)
    elif name or not environ.get("CONDA_PREFIX"):
        prefix = named_environment(name or "base", environ, conda)
    else:
        prefix = environ["CONDA_PREFIX"]
    if not prefix or not os.path.isdir(prefix):
        return Started(None, reason=f"there is no environment `{name or prefix or 'base'}`")
    entered = line.entering(os.path.join(prefix, "bin"), words, CONDA_PREFIX=prefix)
    directory = inside(line.directory, options.get("--cwd", ""))
    return replace(entered, chosen_by=f"{os.path.basename(conda)} run", directory=directory)


def named_environment(name: str, environ: Mapping[str, str], conda: str | None = None) -> str | None:
    """Return the prefix of an environment by its name; None where it is in none of the places to look.

    These are the root prefixes and their `envs`, the directories of `CONDA_ENVS_PATH`, and what conda has noted in
    `~/.conda/environments.txt`. `envs_dirs` of a `.condarc` is not read.
    """
    for prefix in _candidates(name, environ, conda):
        if os.path.isdir(os.path.join(prefix, "conda-meta")):
            return prefix
    return None


def _candidates(name: str, environ: Mapping[str, str], conda: str | None) -> Iterator[str]:
    home = environ.get("HOME") or os.path.expanduser("~")
    programs = [program for program in (environ.get("CONDA_EXE"), conda) if program]
    roots = [os.path.dirname(os.path.dirname(os.path.realpath(program))) for program in programs]
    if root := environ.get("MAMBA_ROOT_PREFIX"):
        roots.insert(0, root)
    roots += [os.path.join(home, "micromamba"), os.path.join(home, ".local", "share", "mamba")]
    if name in _BASE:
        yield from roots
        return
    listed = environ.get("CONDA_ENVS_PATH") or environ.get("CONDA_ENVS_DIRS") or ""
    for directory in [
        *filter(None, listed.split(os.pathsep)),
        *(os.path.join(root, "envs") for root in roots),
        os.path.join(home, ".conda", "envs"),
    ]:
        yield os.path.join(directory, name)
    try:
        known = os.fsdecode(read_up_to(os.path.join(home, ".conda", "environments.txt"), _MAX_LIST_BYTES)).split("\n")
    except OSError:
        return
    yield from (entry for entry in map(str.strip, known) if os.path.basename(entry) == name)
