"""Compares everything that is installed for an interpreter with what its installers wrote down of it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection
from typing import Final

from capsulestore.capture.cache import NOTHING_KEPT, Cache
from capsulestore.capture.integrity.batches import batches
from capsulestore.capture.integrity.expected import Expected
from capsulestore.capture.integrity.gathering import Gathering
from capsulestore.capture.integrity.index import NOTHING_KNOWN, Index, Kept
from capsulestore.capture.integrity.outcome import Integrity
from capsulestore.capture.integrity.processes import Processes
from capsulestore.capture.integrity.worker import NOT_KNOWN
from capsulestore.capture.interpreter import Interpreter
from capsulestore.errors import UsageError
from capsulestore.model.canonical import Json

__all__ = ["LAYERS", "Progress", "check_installed"]

LAYERS: Final = ("python", "conda")
"""The layers whose installers write down which files they installed."""

Progress = Callable[[int, int], None]
"""Takes how much is done, and of how much in all."""


def check_installed(
    interpreter: Interpreter,
    *,
    layers: Collection[str] | None = None,
    cache: Cache = NOTHING_KEPT,
    index: Index = NOTHING_KNOWN,
    progress: Progress | None = None,
) -> Integrity:
    """Compare every file that is installed for an interpreter with its RECORD or, where conda owns it, conda-meta.

    `layers` restricts to what one of these has installed. Files that are as `index` knows them are not read again.
    Only reads, beside what `cache` and `index` keep. Not seen: bytecode in a `__pycache__`, and what was changed with
    its list. Raise `UsageError` where none of `layers` installs files, `FileProblem` where memory or descriptors ran
    out, and `CapsuleError` where a process that compares ended early.
    """
    counted = LAYERS if layers is None else tuple(layer for layer in LAYERS if layer in layers)
    if not counted:
        raise UsageError(
            f"`{'`, `'.join(sorted(set(layers or ())))}` has no installed files to compare"
            if layers
            else "without a layer there are no installed files to compare",
            hint="name `python` or `conda` among the layers",
        )
    name = f"{os.path.abspath(interpreter.executable)}\0{counted}"
    with Processes() as processes:
        kept = index.read(name)
        expected, as_bytes = _expected(interpreter, counted, cache, kept)
        known = _known(expected, as_bytes, kept)
        tasks = list(zip(expected.tasks, known, strict=True))
        settled = index.settled_before(time.time_ns())
        gathering = Gathering(expected, counted, tasks)
        parts = batches(tasks)
        total, done = sum(part.weight for part in parts), 0
        for number, answer in processes.answers((settled, [tasks[at] for at in part.positions]) for part in parts):
            gathering.add(parts[number].positions, answer)
            done += parts[number].weight
            if progress:
                progress(done, total)
    if gathering.stamps != known or kept is None or kept.expected != as_bytes:
        index.write(name, Kept(as_bytes, gathering.stamps))
    return gathering.outcome()


def _expected(
    interpreter: Interpreter, layers: tuple[str, ...], cache: Cache, kept: Kept | None
) -> tuple[Expected, bytes]:
    """Return what should be installed, and the same as bytes: what is kept, where `cache` knows that it still is so."""
    found: list[tuple[Expected, bytes]] = []

    def compute() -> Json:
        from capsulestore.capture.integrity.installed import read_expected  # noqa: PLC0415

        expected = read_expected(interpreter, layers)
        found.append((expected, expected.as_bytes()))
        return hashlib.sha256(found[0][1]).hexdigest()

    condition = repr(interpreter)
    if not all(map(os.path.isabs, [*interpreter.path, *interpreter.site_directories])):
        # Start-up code may add what is looked for from the working directory.
        condition += os.getcwd()
    name = f"installed files of {', '.join(layers)}, {os.path.abspath(interpreter.executable)}"
    digest = cache.recall(name, compute, condition=condition)
    if not found and kept is not None and hashlib.sha256(kept.expected).hexdigest() == digest:
        return Expected.from_bytes(kept.expected), kept.expected
    if not found:
        compute()
    return found[0]


def _known(expected: Expected, as_bytes: bytes, kept: Kept | None) -> list[bytes]:
    """Return a stamp for each task: the one that is kept of it, whatever else has changed."""
    if kept is None:
        return [NOT_KNOWN] * len(expected.tasks)
    if kept.expected == as_bytes:
        return kept.stamps
    by_task = dict(zip(Expected.from_bytes(kept.expected).tasks, kept.stamps, strict=True))
    return [by_task.get(task, NOT_KNOWN) for task in expected.tasks]
