"""Whose the modules are that a command imported: a distribution's, or the analysis's own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, cast

from capsulestore.capture.cache import NOTHING_KEPT, Cache
from capsulestore.capture.imports.observed import MODULE_ENDINGS, Traced
from capsulestore.capture.interpreter import Interpreter
from capsulestore.capture.live_source import LiveSource
from capsulestore.capture.python.keys import entry_key
from capsulestore.capture.search_path import Directory, search_path
from capsulestore.capture.watch import noticed

if TYPE_CHECKING:  # what is installed is seldom read anew, and start-up counts
    from capsulestore.capture.python.installed import Installed, Place

__all__ = ["distributions_and_modules", "loaded_distributions", "local_modules"]

_ENDINGS: Final = tuple(map(os.fsencode, MODULE_ENDINGS))
_NO_EDITABLES: Final[Mapping[str, str]] = {}

_Identity = tuple[int, int]


def distributions_and_modules(
    traced: Traced, interpreter: Interpreter, live: Iterable[LiveSource], *, cache: Cache = NOTHING_KEPT
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what was imported of what an interpreter has: its distributions, and the analysis's own modules.

    `live` are the interpreter's live sources, whose modules are the analysis's own. What other interpreters have in
    their site directories is neither. What is installed is read where `cache` does not know whose these files are.
    """
    directories = search_path(interpreter)[0]
    editables = {entry_key(source.name): source.directory for source in live if source.role == "editable"}
    files = sorted(traced.files)
    found = _Found(files, [_identity(directory.path) for directory in directories])

    def compute() -> dict[str, list[int]]:
        from capsulestore.capture.python.installed import read_installed  # noqa: PLC0415

        owned = _owned(found, read_installed(directories), editables)
        # By their numbers: each is a path of a hundred bytes.
        number = {file: place for place, file in enumerate(files)}
        return {key: sorted(number[file] for file in of_it) for key, of_it in sorted(owned.items())}

    name = f"owners of modules, {os.path.abspath(interpreter.executable)}"
    asked = repr([files, found.places(), directories, sorted(editables.items())])
    condition = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()
    owned = cast("Mapping[str, Sequence[int]]", cache.recall(name, compute, condition=condition))
    # What was installed with `--target` lies in a directory that may hold the analysis's own modules too.
    unowned = traced.files.difference(files[number] for numbers in owned.values() for number in numbers)
    outside = (interpreter.standard_library, *interpreter.site_directories, interpreter.user_site)
    loaded = tuple(sorted({*owned, *_edited(traced.files, directories, editables)}))
    return loaded, local_modules(unowned, outside=[*outside, *traced.site_directories])


def loaded_distributions(
    traced_files: Collection[str], installed: Installed, editables: Mapping[str, str] = _NO_EDITABLES
) -> tuple[str, ...]:
    """Return the keys, as an environment's `python/packages` has them, of the distributions that own one of the files.

    A distribution owns what its RECORD lists, or the list that stands in for one; where nothing lists its files, it is
    not in the answer. `editables` gives the source directory of an editable by its key: that one owns what lies below
    it, and what was installed of it does not count, since every start of an interpreter imports its finder.
    Directories are compared by what they are, not by name (`lib64` of a venv is `lib`). What installs (`pip`, `uv`) is
    left out.
    """
    directories = [place.directory for place in installed.places]
    found = _Found(traced_files, [_identity(directory.path) for directory in directories])
    owned = _owned(found, installed, editables)
    return tuple(sorted({*owned, *_edited(traced_files, directories, editables)}))


def _edited(files: Iterable[str], directories: Iterable[Directory], editables: Mapping[str, str]) -> Iterator[str]:
    """Yield the key of each editable whose sources some of the files are.

    A project may hold its own virtual environment, and other projects: the nearest directory says whose a file is.
    """
    sources = {key: identity for key, directory in editables.items() if (identity := _identity(directory))}
    if not sources:
        return
    site = {_identity(directory.path) for directory in directories if directory.role == "site"}
    ends, identity_of = site.union(sources.values()), cache(_identity)
    nearest = {
        next((found for above in _above(directory) if (found := identity_of(above)) in ends), None)
        for directory in {os.path.realpath(os.path.dirname(file)) for file in files}
    }
    yield from (key for key, source in sources.items() if source in nearest - site)


def _owned(found: _Found, installed: Installed, editables: Mapping[str, str]) -> dict[str, set[str]]:
    """Return which of the files that were found each distribution lists, by its key, for those that list any."""
    from capsulestore.capture.python.installed import INSTALLERS  # noqa: PLC0415

    owned: dict[str, set[str]] = {}
    for place in installed.places:
        inside = found.below(_identity(place.directory.path))
        paths = frozenset(inside)
        for distribution in place.distributions:
            key = entry_key(distribution.key)
            if distribution.key in INSTALLERS or (distribution.editable and editables.get(key)):
                continue
            lists = distribution.owned
            listed = {inside[path] for path in lists & paths}
            listed.update(found.at(_elsewhere(lists, place)))
            if listed:
                owned.setdefault(key, set()).update(listed)
    return owned


def local_modules(traced_files: Collection[str], *, outside: Collection[str]) -> tuple[str, ...]:
    """Return the files that lie in none of the directories `outside`, sorted: the modules that are the analysis's own.

    `outside` is where others' modules are: the standard library and the site directories of every interpreter that was
    seen. Directories are compared by what they are, not by name.
    """
    others = {identity for directory in outside if (identity := _identity(directory))}
    found = _Found(traced_files, others)
    return tuple(sorted(frozenset(traced_files) - found.inside))


class _Found:
    """Files by which of some directories they lie in, at whatever depth and by whatever links."""

    def __init__(self, files: Iterable[str], directories: Iterable[_Identity | None]) -> None:
        self.inside: set[str] = set()
        self._below: dict[_Identity, dict[bytes, str]] = {one: {} for one in directories if one}
        self._real: dict[bytes, str] = {}
        self._identity = cache(_identity)
        real, places = cache(os.path.realpath), cache(self._places)
        for file in files:
            directory, name = os.path.split(file)
            resolved = real(directory)
            self._real[os.fsencode(os.path.join(resolved, name))] = file
            # A link in a site directory leads out of it, one elsewhere leads into it: the file is in it both ways.
            for lies_in in {directory, resolved}:
                for identity, path in places(lies_in):
                    self.inside.add(file)
                    self._below[identity][os.fsencode(path + name)] = file

    def _places(self, directory: str) -> list[tuple[_Identity, str]]:
        """Return those of the directories that this one is, or lies in, and the path that leads from there to it."""
        found = [(self._identity(above), above) for above in _above(directory)]
        below = f"{directory}/"
        return [(one, below.removeprefix(f"{above}/")) for one, above in found if one in self._below]

    def below(self, directory: _Identity | None) -> Mapping[bytes, str]:
        """Return the files in a directory by their paths from there."""
        return self._below.get(directory, {}) if directory else {}

    def at(self, paths: Iterable[bytes]) -> Iterator[str]:
        """Yield those of the files that lie at these absolute paths."""
        return (self._real[path] for path in paths if path in self._real)

    def places(self) -> list[Mapping[bytes, str]]:
        """Return all that `below` and `at` answer from."""
        return [self._real, *self._below.values()]


def _above(directory: str) -> Iterator[str]:
    """Yield a directory and each that holds it, but for the root."""
    while directory not in {"", "/"}:
        yield directory
        directory = os.path.dirname(directory)


def _elsewhere(owned: Iterable[bytes], place: Place) -> Iterator[bytes]:
    """Yield the absolute paths of the modules that a distribution has outside the directory it is installed in."""
    base = os.fsencode(os.path.realpath(place.directory.path))
    for path in owned:
        if path.startswith((b"../", b"/")) and path.endswith(_ENDINGS):
            directory, name = os.path.split(os.path.normpath(os.path.join(base, path)))
            # Where it leads to is part of the answer.
            noticed(os.fsdecode(directory))
            yield os.path.join(os.path.realpath(directory), name)


def _identity(directory: str) -> _Identity | None:
    try:
        status = os.stat(directory)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
