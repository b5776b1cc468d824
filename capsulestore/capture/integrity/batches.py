"""Shares what is to be looked at among processes: in parts of some weight, the heaviest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from capsulestore.capture.integrity.directories import files_in, weight_of
from capsulestore.capture.integrity.processes import Known
from capsulestore.capture.integrity.worker import NOT_KNOWN

__all__ = ["Batch", "batches"]

_WEIGHT: Final = 6 * 2**20
"""Some milliseconds: asking for a batch takes a tenth of one."""
_FILE_WEIGHT: Final = 2**14
"""Opening a file takes as long as hashing so many bytes."""
_KNOWN_FILE_WEIGHT: Final = 2**11
"""And so a stat."""


class Batch(NamedTuple):
    """The positions of some tasks, and what they weigh together."""

    positions: list[int]
    weight: int


def batches(tasks: Sequence[Known]) -> list[Batch]:
    """Return all tasks in batches. What is heavy comes first: nobody is to wait for one of those at the end."""
    weights = [_weight(*task) for task in tasks]
    heavy = sorted((at for at, weight in enumerate(weights) if weight >= _WEIGHT), key=lambda at: -weights[at])
    found = [Batch([at], weights[at]) for at in heavy]
    positions: list[int] = []
    total = 0
    for at, weight in enumerate(weights):
        if weight < _WEIGHT:
            positions.append(at)
            total += weight
        if total >= _WEIGHT:
            found.append(Batch(positions, total))
            positions, total = [], 0
    return [*found, Batch(positions, total)] if positions else found


def _weight(task: bytes, stamp: bytes) -> int:
    # A directory takes as long as a file.
    looks = files_in(task) + 1
    return _FILE_WEIGHT * looks + weight_of(task) if stamp == NOT_KNOWN else _KNOWN_FILE_WEIGHT * looks
