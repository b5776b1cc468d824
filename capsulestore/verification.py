"""Is the environment here, and are the files, what a capsule recorded?"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from capsulestore.capture.environment import LAYERS, Capture, capture
from capsulestore.capture.files import file_sha256
from capsulestore.capture.target import Target
from capsulestore.compare.difference import Change, Side, changes
from capsulestore.compare.verdict import LayerMatch, Outcome, Seen, Verdict, judge
from capsulestore.compare.words import sentence
from capsulestore.errors import InvalidValue, StoreUnreadable, UnknownName
from capsulestore.model.canonical import Json
from capsulestore.model.capsule import Capsule
from capsulestore.model.digest import Digest
from capsulestore.model.layers import LayerState
from capsulestore.model.mapping import decode_entry, encode_mapping, layer_digests, tree_keys
from capsulestore.model.objects import Encoded
from capsulestore.store import Store

__all__ = ["FileCheck", "Verification", "verify"]


@dataclass(frozen=True, slots=True)
class FileCheck:
    """A recorded input or output, and what it is here; `unreadable`: it is here, and cannot be compared."""

    path: str
    state: Literal["same", "changed", "missing", "unreadable"]

    def as_dict(self) -> dict[str, Json]:
        """Return the file as `--json` has it."""
        return {"path": self.path, "state": self.state}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The answer: a verdict on the environment, what differs, and beside it the recorded files.

    `capsule` is None where an environment was verified by its own digest.
    """

    capsule: Digest | None
    captured: Digest
    current: Digest
    outcome: Outcome
    changes: tuple[Change, ...]
    context_changes: tuple[Change, ...]
    files: tuple[FileCheck, ...]
    here: Capture

    @property
    def verdict(self) -> Verdict:
        """The word for the environment alone."""
        return self.outcome.verdict

    @property
    def layers(self) -> tuple[LayerMatch, ...]:
        """The layers that the verdict rests on."""
        return self.outcome.layers

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the verdict is as it is: a sentence for each change, and those of `remarks`."""
        return (*map(sentence, self.changes), *self.remarks)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What cannot be compared, what the verdict leaves out, and which files are not as they were: in words."""
        return (*self.outcome.reasons, *_not_seen(self.here), *_said_of_files(self.files))

    @property
    def same(self) -> bool:
        """Whether all is as it was recorded: an identical environment, and no file that is another or unreadable."""
        return self.verdict == "identical" and all(file.state in {"same", "missing"} for file in self.files)

    def as_dict(self) -> dict[str, Json]:
        """Return the answer as `capsule verify --json` has it."""
        return {
            "capsule_id": str(self.capsule) if self.capsule else None,
            "match": self.verdict == "identical",
            "verdict": self.verdict,
            "captured_digest": str(self.captured),
            "current_digest": str(self.current),
            "layers": [layer.as_dict() for layer in self.layers],
            "changes": [change.as_dict() for change in self.changes],
            "context_changes": [change.as_dict() for change in self.context_changes],
            "code": [],
            "files": [file.as_dict() for file in self.files],
            "reasons": list(self.reasons),
        }


def verify(
    store: Store,
    name: str,
    target: Target,
    *,
    layers: Collection[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Verification:
    """Compare what a capsule (or an environment, by its digest) recorded with what the target has now.

    The layers looked at are those that were looked at then, or those of them in `layers`, each by the rules it was
    captured by. Only what differs is read from the store. Raise what `Store.resolve` and `capture` raise, and
    `StoreUnreadable` for an environment that this release cannot read.
    """
    named = store.resolve(name)
    if named.kind not in {"capsule", "environment"}:
        raise UnknownName(f"`{name}` is neither a capsule nor an environment")
    capsule = store.capsule(named.digest) if named.kind == "capsule" else None
    environment = capsule.environment if capsule else named.digest
    try:
        recorded = layer_digests(environment, store.read)
        then = Seen(recorded, capsule.manifest.layers if capsule else None)
        here = _capture_again(then, dict(_rules(store, recorded)), target, layers, environ)
        current = here.encoded()
        outcome = judge(then, _seen(current, here, then), only=layers)
        different = {match.layer for match in outcome.layers if match.match is False}
        between = changes(Side(store.read, environment), Side(current.objects.__getitem__, current.id))
        return Verification(
            capsule=named.capsule,
            captured=environment,
            current=current.id,
            outcome=outcome,
            changes=tuple(change for change in between if change.layer in different),
            context_changes=tuple(_context_changes(store, capsule, here)) if capsule and layers is None else (),
            files=tuple(_files(capsule, store.root)) if capsule else (),
            here=here,
        )
    except InvalidValue as error:
        raise StoreUnreadable(f"{environment} is no environment that this release can read: {error}") from error


def _capture_again(
    then: Seen,
    rules: Mapping[str, int],
    target: Target,
    layers: Collection[str] | None,
    environ: Mapping[str, str] | None,
) -> Capture:
    wanted = then.names & {layer.name for layer in LAYERS} if layers is None else frozenset(layers)
    return capture(target, layers=wanted, rules=rules, environ=environ)


def _seen(current: Encoded, here: Capture, then: Seen) -> Seen:
    """Return what is known here; of a layer that only a later release knows, that it cannot be seen."""
    strange = then.names - {layer.name for layer in LAYERS}
    unknown = {name: LayerState("unknown", "this release does not know the layer") for name in strange}
    return Seen(layer_digests(current.id, current.objects.__getitem__), unknown | dict(here.layers))


def _rules(store: Store, layers: Mapping[str, Digest]) -> Iterator[tuple[str, int]]:
    """Yield each recorded layer's `rules`, which say how to look at it again: 0, which no layer knows, for none."""
    for name, digest in layers.items():
        entry = tree_keys(store.read(digest).data).get("rules")
        rules = decode_entry(store.read(entry.id).data, 1) if entry is not None and not entry.is_tree else 0
        yield name, rules if type(rules) is int else 0


def _context_changes(store: Store, capsule: Capsule, here: Capture) -> Iterator[Change]:
    """Yield what differs between the context that was recorded, where one was, and that of here."""
    if capsule.context:
        context = encode_mapping(here.context)
        yield from changes(Side(store.read, capsule.context), Side(context.objects.__getitem__, context.id))


def _files(capsule: Capsule, root: str) -> Iterator[FileCheck]:
    for key in ("inputs", "outputs"):
        for file in capsule.manifest.files(key):
            path = str(file["path"])
            try:
                same = file_sha256(os.path.join(root, path)).hex() == file["sha256"]
                yield FileCheck(path, "same" if same else "changed")
            except (FileNotFoundError, NotADirectoryError):
                yield FileCheck(path, "missing")
            except OSError as error:
                yield FileCheck(path, "changed" if error.errno in _NO_FILE_ANY_MORE else "unreadable")


_NO_FILE_ANY_MORE = frozenset({errno.EISDIR, errno.EINVAL})
_SAID = {
    "changed": "is not what was recorded",
    "missing": "is not here",
    "unreadable": "cannot be read, and so not compared",
}


def _said_of_files(files: Collection[FileCheck]) -> Iterator[str]:
    for file in files:
        if file.state in _SAID:
            yield f"{file.path}: {_SAID[file.state]}"


def _not_seen(here: Capture) -> Iterator[str]:
    for finding in here.findings:
        if finding.incomplete:
            yield f"{finding.layer}: {finding.subject}: {finding.message}; no part of the verdict"
