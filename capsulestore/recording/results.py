"""The results of an analysis that has ended: what lies there, what is said of it, and a capsule of both."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from capsulestore.capture.artifacts import Artifact, digest_artifacts, files_at
from capsulestore.capture.cache import users_cache
from capsulestore.capture.environment import capture
from capsulestore.capture.files import path_text
from capsulestore.capture.finding import Finding
from capsulestore.capture.target import Target
from capsulestore.errors import FileProblem, UsageError
from capsulestore.model.canonical import Json
from capsulestore.recording.capsule import Description, Recorded, Surroundings, record
from capsulestore.recording.metadata import Metadata, find_metadata, read_metadata
from capsulestore.store import Store

__all__ = ["MAX_FILES", "Registered", "Summary", "description_of", "register", "summarise"]

MAX_FILES: Final = 200_000
"""The most files that are summarised: a capsule's manifest, 30 MB of JSON then, lists each of them."""

_GIVEN_TOO: Final = frozenset({"title", "parameters", "labels", "parents"})


class Summary(NamedTuple):
    """The files below some paths, sorted by their recorded paths, and the metadata file that speaks for them."""

    results: tuple[str, ...]
    files: tuple[Artifact, ...]
    metadata: Metadata | None

    @property
    def bytes(self) -> int:
        """How large the files are together."""
        return sum(file.size for file in self.files)

    def as_dict(self) -> dict[str, Json]:
        """Return the summary as `--json` has it."""
        return {
            "files": [file.as_dict() for file in self.files],
            "bytes": self.bytes,
            "metadata": dict(self.metadata.value) if self.metadata else None,
        }


class Registered(NamedTuple):
    """A capsule of results: what lies there, what is in the store now, and what capture noticed."""

    summary: Summary
    recorded: Recorded
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Json]:
        """Return the answer as `--json` has it."""
        return self.summary.as_dict() | self.recorded.as_dict()


def register(
    store: Store, results: Sequence[str], given: Description, *, metadata: str | None, target: Target
) -> Registered:
    """Register a capsule of the environment that a target has now, with the files at some paths as its outputs.

    What it says is what `description_of` returns. Raise what that, `summarise`, `capture` and `record` raise, and
    `StoreUnwritable` before anything is read: nothing is registered then.
    """
    store.check_writable()
    summary = summarise(results, root=store.root, metadata=metadata)
    description = description_of(store, summary, given)
    found = capture(target, cache=users_cache())
    return Registered(summary, record(store, Surroundings.of(found), description), found.findings)


def summarise(results: Sequence[str], *, root: str, metadata: str | None = None) -> Summary:
    """Return what lies at some paths, a directory standing for the files below it, by their digests.

    Paths are recorded from `root`. `metadata` is the path of the metadata file; without it, it is `metadata.json` at
    the top of the one directory that has it. Only reads. A file that is being written has the digest of a state that
    it had. Raise `FileProblem` for what is not there, cannot be read, is no regular file or does not keep still, for a
    directory without files, for more than `MAX_FILES`, and for a malformed metadata file; `UsageError` for several
    metadata files, and for no results at all.
    """
    if not results:
        raise UsageError("no results to summarise", hint="name files, or directories of such")
    chosen = metadata if metadata is not None else find_metadata(results)
    said = read_metadata(chosen) if chosen is not None else None
    paths = list(islice(chain.from_iterable(map(files_at, results)), MAX_FILES + 1))
    if len(paths) > MAX_FILES:
        raise FileProblem(
            f"more than {MAX_FILES:,} files are too many for one capsule",
            hint="name what matters of them, or put them into an archive",
        )
    return Summary(tuple(results), tuple(digest_artifacts(paths, root=root)), said)


def description_of(store: Store, summary: Summary, given: Description) -> Description:
    """Return what a capsule of results says: the files as its outputs, what is given, and what the metadata file says.

    What is given wins: a title and parents as a whole, parameters and labels one by one. Raise `NameProblem` for a
    parent that is not in the store.
    """
    said: dict[str, Any] = summary.metadata.recorded if summary.metadata else {}
    parents = given.parents or [store.resolve_capsule(name) for name in said.get("parents", [])]
    return given._replace(
        title=path_text(given.title or said.get("title") or _title(summary.results)),
        outputs=summary.files,
        parameters={**said.get("parameters", {}), **given.parameters},
        labels={**said.get("labels", {}), **given.labels},
        parents=parents,
        observed={key: value for key, value in said.items() if key not in _GIVEN_TOO} | dict(given.observed),
    )


def _title(results: Sequence[str]) -> str:
    first = os.path.basename(os.path.abspath(results[0])) or "/"
    more = len(results) - 1
    return f"results in {first}{f' and {more} more' if more else ''}"
