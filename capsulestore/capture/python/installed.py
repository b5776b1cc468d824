"""All distributions on a search path, in import order: what counts, what is shadowed, who installed and from where."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from capsulestore.capture.files import path_text
from capsulestore.capture.finding import Finding
from capsulestore.capture.python.discovery import Listing, list_directory
from capsulestore.capture.python.distribution import Distribution, read_distribution
from capsulestore.capture.python.distro_files import DistroFiles
from capsulestore.capture.python.keys import entry_key
from capsulestore.capture.search_path import Directory
from capsulestore.capture.watch import noticed_metadata_names, noticed_names
from capsulestore.model.canonical import Json

__all__ = ["INSTALLERS", "Installed", "Place", "read_installed"]

INSTALLERS: Final = frozenset({"pip", "uv"})
"""What installs is context: an environment made with either, or without, is the same."""


@dataclass(frozen=True, slots=True)
class Place:
    """A directory of the search path, what lies in it, and the distributions among that."""

    directory: Directory
    listing: Listing
    distributions: tuple[Distribution, ...]


@dataclass(frozen=True, slots=True)
class Installed:
    """What is installed, place by place in the order in which import looks."""

    places: tuple[Place, ...]
    findings: tuple[Finding, ...]

    def packages(self) -> dict[str, Json]:
        """Return the entry of each distribution by its key: of several with one name, the first."""
        entries: dict[str, Json] = {}
        for key, (first, *others) in self._by_key(installers=False).items():
            entry = first.entry()
            if others:
                entry["shadowed"] = [other.entry() for other in others]
            entries[entry_key(key)] = entry
        return entries

    def installers(self) -> dict[str, Json]:
        """Return the version of each installer that is among the distributions."""
        return {key: found[0].version for key, found in self._by_key(installers=True).items()}

    def sources(self) -> dict[str, Json]:
        """Return where those distributions came from that came from no index (PEP 610)."""
        first = {entry_key(key): found[0] for key, found in self._by_key(installers=False).items()}
        return {key: distribution.source for key, distribution in first.items() if distribution.source}

    def shadowed(self) -> Iterator[tuple[Distribution, Distribution]]:
        """Yield each distribution that another of the same name comes before, and that other."""
        for first, *others in self._by_key(installers=False).values():
            yield from ((other, first) for other in others)

    def _by_key(self, *, installers: bool) -> dict[str, list[Distribution]]:
        found: dict[str, list[Distribution]] = {}
        for place in self.places:
            for distribution in place.distributions:
                if (distribution.key in INSTALLERS) == installers:
                    found.setdefault(distribution.key, []).append(distribution)
        return {key: _without_build_leftovers(distributions) for key, distributions in found.items()}


def _without_build_leftovers(distributions: list[Distribution]) -> list[Distribution]:
    """Leave out the metadata that a build put among an editable's sources, which its installed metadata stands for."""
    if not any(distribution.editable and distribution.found.kind == "dist-info" for distribution in distributions):
        return distributions
    return [one for one in distributions if not (one.editable and one.found.kind == "egg-info")]


def read_installed(directories: Sequence[Directory], of_conda: Collection[str] = ()) -> Installed:
    """Return the distributions in these directories, which stand in the order of the search path.

    `of_conda` are the real paths of metadata that conda installed (`metadata_of_conda`), which no url is read of.
    """
    distro = DistroFiles()
    places: list[Place] = []
    findings: list[Finding] = []
    for directory in directories:
        # In a directory that is not installed into, anything else may come and go.
        (noticed_names if directory.role == "site" else noticed_metadata_names)(directory.path)
        try:
            listing = list_directory(directory.path)
        except OSError as error:
            message = f"a directory on the search path that cannot be read ({error.strerror})"
            findings.append(
                Finding("python", "directory-unreadable", path_text(directory.path), message, incomplete=True)
            )
            continue
        findings += [
            Finding("python", "leftover", path_text(name), "left behind by an interrupted pip; not counted")
            for name in listing.leftovers
        ]
        distributions = []
        real = os.path.realpath(directory.path) if of_conda else directory.path
        for found in listing.distributions:
            is_of_conda = os.path.join(real, found.name) in of_conda
            distribution, found_of_it = read_distribution(found, directory.role, distro, has_url=not is_of_conda)
            findings += found_of_it
            if distribution is not None:
                distributions.append(distribution)
        places.append(Place(directory, listing, tuple(distributions)))
    installed = Installed(tuple(places), ())
    findings += [_shadowed(distribution, first) for distribution, first in installed.shadowed()]
    return replace(installed, findings=tuple(findings))


def _shadowed(distribution: Distribution, first: Distribution) -> Finding:
    subject = f"{distribution.name} {distribution.version}"
    if distribution.found.directory == first.found.directory:
        return Finding(
            "python",
            "twice",
            subject,
            f"has metadata twice in one directory, also as {first.version}; the first by file name counts",
        )
    return Finding("python", "shadowed", subject, f"comes after {first.version} on the search path; listed as shadowed")
