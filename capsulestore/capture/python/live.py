"""Which directories hold live sources: those of editable distributions, and those added to the search path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes, urlsplit

from capsulestore.capture.files import read_up_to
from capsulestore.capture.live_source import LiveSource, is_apart
from capsulestore.capture.python.metadata import normalized
from capsulestore.capture.watch import noticed, noticed_metadata_names, noticed_names

if TYPE_CHECKING:  # what is installed is seldom read anew, and start-up counts
    from capsulestore.capture.python.distribution import Distribution
    from capsulestore.capture.python.installed import Installed, Place

__all__ = ["live_sources"]

_EGG_LINK: Final = ".egg-link"
_MAX_EGG_LINK_BYTES: Final = 2**16


def live_sources(installed: Installed) -> tuple[LiveSource, ...]:
    """Return each editable distribution once, then the directories that were added to the search path.

    Not among those is one that lies in an editable's, and one whose files distributions brought there: they are part of
    the environment.
    """
    links = dict(_egg_links(installed))
    editables: dict[str, Distribution] = {}
    for place in installed.places:
        for distribution in place.distributions:
            if distribution.editable:
                known = editables.setdefault(distribution.key, distribution)
                # What a build left among the sources says less than what an installer wrote.
                if (known.found.kind, distribution.found.kind) == ("egg-info", "dist-info"):
                    editables[distribution.key] = distribution
    found = [LiveSource("editable", key, _directory(one, links)) for key, one in sorted(editables.items())]
    tops = [os.path.realpath(source.directory) for source in found if source.directory]
    added = [place for place in installed.places if place.directory.role == "added"]
    found += [
        LiveSource("path", "", place.directory.path)
        for place in added
        if not any(_is_in(place.directory.path, top) for top in tops) and not _is_installed(place, installed)
    ]
    return tuple(found)


def _directory(distribution: Distribution, links: dict[str, str]) -> str:
    """Return where an editable's sources lie: as PEP 610 has it, as `setup.py develop` wrote it, else its metadata."""
    found = distribution.found
    if found.kind != "dist-info":
        return links.get(distribution.key) or os.path.abspath(found.directory)
    url = (distribution.source or {}).get("url")
    return _local_path(url) if isinstance(url, str) else ""


def _local_path(url: str) -> str:
    """Return the absolute path that a `file:` url (RFC 8089) leads to; empty where it leads to none here."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    path = os.fsdecode(unquote_to_bytes(parts.path))
    local = parts.scheme == "file" and parts.netloc in {"", "localhost"}
    return os.path.normpath(path) if local and os.path.isabs(path) and "\0" not in path else ""


def _egg_links(installed: Installed) -> Iterator[tuple[str, str]]:
    """Yield by key where the sources of `setup.py develop` lie.

    A `.egg-link` has the directory of the metadata in its first line, and in its second how the project's directory is
    reached from there (setuptools' documentation, "The Internal Structure of Python Eggs").
    """
    for place in installed.places:
        for entry in place.listing.others:
            if entry.name.endswith(_EGG_LINK):
                try:
                    lines = read_up_to(entry.path, _MAX_EGG_LINK_BYTES).splitlines()
                except OSError:
                    continue
                directory = os.fsdecode(os.path.join(*lines[:2])) if lines else ""
                if os.path.isabs(directory) and "\0" not in directory:
                    yield normalized(entry.name.removesuffix(_EGG_LINK)), os.path.normpath(directory)


def _is_in(directory: str, top: str) -> bool:
    real = os.path.realpath(directory)
    return real == top or real.startswith(os.path.join(top, ""))


def _is_installed(place: Place, installed: Installed) -> bool:
    """Whether distributions brought all that lies in an added directory: an egg, a `--target`, a part of a package."""
    directory = place.directory.path
    if any(distribution.found.kind == "egg" for distribution in place.distributions):
        return True
    if place.distributions:
        owned = {path.partition(b"/")[0] for one in place.distributions for path in one.owned} | {b"bin"}
        others = [entry for entry in place.listing.others if not _is_of(os.fsencode(entry.name), owned)]
        if not others:
            noticed_names(directory)
            return True
        # As long as one of them is there, it is nobody's concern which others come and go.
        witness = min(others, key=lambda entry: not entry.is_dir())
        (noticed_metadata_names if witness.is_dir() else noticed)(witness.path)
    return any(
        os.fsencode(os.path.relpath(directory, other.directory.path)) + b"/" in _directories_of(other)
        for other in installed.places
        if other.directory.role == "site" and directory.startswith(os.path.join(other.directory.path, ""))
    )


def _is_of(name: bytes, owned: set[bytes]) -> bool:
    return name in owned or is_apart(name)


def _directories_of(place: Place) -> set[bytes]:
    """Return the directories that distributions of a place list files in, each with a slash at its end."""
    return {os.path.dirname(path) + b"/" for one in place.distributions for path in one.owned}
