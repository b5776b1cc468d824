"""Paths that two distributions installed with different bytes: the RECORDs cannot both be right."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

from capsulestore.capture.files import file_sha256, path_text
from capsulestore.capture.finding import Finding
from capsulestore.capture.python.distribution import Distribution
from capsulestore.capture.python.installed import INSTALLERS, Installed, Place
from capsulestore.capture.python.keys import entry_key
from capsulestore.capture.python.rows import without_parents
from capsulestore.model.canonical import Json

__all__ = ["find_overlaps"]


def find_overlaps(installed: Installed) -> tuple[dict[str, Json], list[Finding]]:
    """Return an entry by path for each overlap: the distributions, and the SHA-256 of the file that is there now.

    `content` is None where the file cannot be read.
    """
    overlaps: dict[str, Json] = {}
    findings: list[Finding] = []
    for place in installed.places:
        for path, distributions in sorted(_conflicts(place).items()):
            names = sorted({distribution.key for distribution in distributions})
            overlaps[entry_key(path_text(path))] = {
                "content": _digest(place, path, distributions),
                "distributions": names,
            }
            message = f"listed with different hashes by {' and '.join(names)}; hashed as it is now"
            findings.append(Finding("python", "overlap", path_text(path), message))
    return overlaps, findings


def _conflicts(place: Place) -> dict[bytes, list[Distribution]]:
    """Return who lists a path, for each path that is listed with more than one hash."""
    hashes: dict[bytes, set[bytes]] = {}
    lists: dict[bytes, list[Distribution]] = {}
    for distribution, shared in _sharing(place):
        for path, recorded in distribution.rows:
            if path.partition(b"/")[0] in shared:
                hashes.setdefault(path, set()).add(recorded)
                lists.setdefault(path, []).append(distribution)
    return {path: lists[path] for path, found in hashes.items() if len(found) > 1}


def _sharing(place: Place) -> Iterator[tuple[Distribution, set[bytes]]]:
    """Yield each distribution that lists anything under a top-level name that another lists too, and those names.

    Most distributions share none, which saves looking at all of their rows.
    """
    counted = [distribution for distribution in place.distributions if distribution.key not in INSTALLERS]
    tops = [_tops_of_rows(distribution) for distribution in counted]
    count = Counter(top for names in tops for top in names)
    for distribution, names in zip(counted, tops, strict=True):
        shared = {name for name in names if count[name] > 1}
        if shared:
            yield distribution, shared


def _tops_of_rows(distribution: Distribution) -> frozenset[bytes]:
    """Return the first parts of the paths of a distribution's rows, and maybe more."""
    if b".." not in distribution.tops:
        return distribution.tops
    return (distribution.tops - {b".."}) | {path.partition(b"/")[0] for path, _ in distribution.rows}


def _digest(place: Place, path: bytes, distributions: list[Distribution]) -> str | None:
    listed = next(
        owned for owned in sorted(distributions[0].owned, key=len) if owned == path or without_parents(owned) == path
    )
    try:
        return f"sha256:{file_sha256(os.path.join(place.directory.path, os.fsdecode(listed))).hex()}"
    except OSError:
        return None
