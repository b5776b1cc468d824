"""Differences of context in a few words, for people: `12 OS packages, GPU driver 550 → 560`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

from capsulestore.compare.difference import Change
from capsulestore.compare.words import member_changes, sentence, sides

__all__ = ["in_words"]

_NAMED: Final = 2
"""So many packages are named; more are counted."""

_LABELS: Final[Mapping[tuple[str | None, str | None, str | None], str]] = {
    ("container", None, "runtime"): "container runtime",
    ("container", "image", "names"): "names of the image",
    ("system", "os", "id"): "operating system",
    ("system", "os", "version_id"): "version of the operating system",
    ("system", "libc", "version"): "C library",
    ("system", "runtime", "openssl"): "TLS library",
    ("system", "runtime", "sqlite"): "SQLite",
    ("system", "runtime", "standard_library"): "standard library",
    ("host", "kernel", "release"): "kernel",
    ("host", "cpu", "model"): "CPU",
    ("host", "cpu", "level"): "CPU level",
    ("host", "cpu", "logical"): "logical CPUs",
    ("host", "memory", "gib"): "memory in GiB",
    ("host", "gpu", "driver"): "GPU driver",
    ("host", "gpu", "models"): "GPUs",
    ("host", "gpu", "cuda"): "CUDA",
    ("host", "gpu", "memory_gib"): "GPU memory in GiB",
    ("host", "limits", "cpus"): "CPU limit",
    ("host", "limits", "cpuset"): "CPUs of the cpuset",
    ("host", "limits", "memory_mib"): "memory limit in MiB",
}
"""What people call an entry whose key does not say it."""

_SAID_BY_ITS_KEY: Final = frozenset({("system", "runtime"), ("variables", "process"), ("variables", "paths")})

_COUNTED: Final[Mapping[tuple[str | None, str | None], tuple[str, str]]] = {
    ("conda", "archives"): ("where conda's {} came from", "where {} conda packages came from"),
    ("conda", "distributions"): ("whether {} is conda's", "whether {} Python packages are conda's"),
}
"""Collections of which it is enough to name a few entries, and to count many: a mirror is another for each package."""

_OF_A_DIGEST: Final = ("_digest", "_digests")
"""How an entry ends that is a digest."""


def in_words(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return differences of context, one phrase each, many packages of a system or of conda in one."""
    phrases: list[str] = []
    for place, group in groupby(changes, key=lambda change: (change.layer, change.collection)):
        if forms := _COUNTED.get(place):
            phrases += _few(*forms, [change.entry or "(empty)" for change in group])
        else:
            phrases += [phrase for change in group for phrase in _phrases(change)]
    return tuple(dict.fromkeys(phrases))


def _few(named: str, counted: str, entries: list[str]) -> list[str]:
    return [counted.format(len(entries))] if len(entries) > _NAMED else [named.format(entry) for entry in entries]


def _phrases(change: Change) -> Iterator[str]:
    place = (change.layer, change.collection)
    if place == ("system", "packages"):
        yield from _packages(change)
    elif label := _LABELS.get((*place, change.entry)):
        yield f"{label} {sides(change)}"
    elif place == ("python", "installers") or place in _SAID_BY_ITS_KEY:
        yield f"{change.entry} {sides(change)}"
    elif place == ("container", "image") and str(change.entry).endswith(_OF_A_DIGEST):
        # An image has one by which it is called, one of its configuration, one of its manifest.
        yield "digests of the image"
    elif place == ("nix", None) and change.entry == "roots":
        yield "what the interpreter runs from"
    elif place == ("python", "sources"):
        yield f"where {change.entry} came from"
    else:
        yield sentence(change)


def _packages(change: Change) -> Iterator[str]:
    """Yield a package manager's packages: a few by name, many by their number."""
    members = member_changes(change)
    if not members:
        yield f"OS packages of {change.entry} {sides(change)}"
    elif len(members) > _NAMED:
        yield f"{len(members)} OS packages"
    else:
        yield from (f"OS package {name} {before} → {after}" for name, before, after in members)
