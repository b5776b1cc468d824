"""Finds the metadata of distributions in a directory of the search path."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

__all__ = ["Found", "Listing", "MetadataKind", "list_directory"]

MetadataKind = Literal["dist-info", "egg-info", "egg"]


@dataclass(frozen=True, slots=True)
class Found:
    """A distribution's metadata on disk: `directory` is on the search path, `name` is what in it holds the metadata.

    A `.dist-info` directory (PyPA's "Recording installed projects"); a `.egg-info` directory or file (distutils,
    setuptools, the distros); or, in a `.egg` directory that is itself on the path, `EGG-INFO`.
    """

    directory: str
    name: str
    kind: MetadataKind

    @property
    def path(self) -> str:
        """Where the metadata lies."""
        return os.path.join(self.directory, self.name)

    @property
    def stem(self) -> str:
        """The file name without its ending: `NAME-VERSION`, mostly."""
        return os.path.splitext(os.path.basename(self.directory) if self.kind == "egg" else self.name)[0]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a directory holds: distributions by name, what pip left behind, and all other names."""

    distributions: tuple[Found, ...]
    leftovers: tuple[str, ...]
    others: tuple[os.DirEntry[str], ...]


def list_directory(directory: str) -> Listing:
    """Return what lies in a directory, each kind sorted by name; raise `OSError` where it cannot be read.

    Two distributions of one name are found in the order of their file names, whatever order the disk has. A name that
    begins with `~` is what pip renames before it removes it: neither a distribution nor a module.
    """
    with os.scandir(directory) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    distributions: list[Found] = []
    leftovers: list[str] = []
    others: list[os.DirEntry[str]] = []
    for entry in ordered:
        name = entry.name
        if name.startswith("~") and not name.endswith(".pth"):
            leftovers.append(name)
        elif name.endswith(".dist-info"):
            distributions.append(Found(directory, name, "dist-info"))
        elif name.endswith(".egg-info"):
            distributions.append(Found(directory, name, "egg-info"))
        elif name == "EGG-INFO" and directory.endswith(".egg"):
            distributions.append(Found(directory, name, "egg"))
        else:
            others.append(entry)
    return Listing(tuple(distributions), tuple(leftovers), tuple(others))
