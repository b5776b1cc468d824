"""Is the environment here, and are code and files, what a capsule recorded?"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from capsulestore.capture.cache import Cache
from capsulestore.capture.environment import CONTEXT_LAYERS, LAYERS, Capture, capture
from capsulestore.capture.target import Target
from capsulestore.compare.context import in_words
from capsulestore.compare.difference import Change, Side, changes
from capsulestore.compare.looked import Looked
from capsulestore.compare.verdict import LayerMatch, Outcome, Verdict, judge
from capsulestore.compare.words import sentence
from capsulestore.errors import InvalidValue, StoreUnreadable, UnknownName, UsageError
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.layers import LayerState
from capsulestore.model.mapping import decode_entry, encode_mapping, layer_digests, tree_keys
from capsulestore.model.objects import Encoded
from capsulestore.recorded_files import FileCheck, check_files, said_of
from capsulestore.store import Store

if TYPE_CHECKING:
    from capsulestore.model.capsule import Capsule
    from capsulestore.recorded_code import CodeCheck

__all__ = ["STRICT", "Verification", "verify"]

STRICT: Final = frozenset({"system", "variables"})
"""The layers of the context that a strict verdict counts."""

_KNOWN: Final = frozenset(layer.name for layer in LAYERS)
_NOTHING_KEPT: Final = Cache(None)
_MOST_NAMED: Final = 3
_NO_OTHER: Final = frozenset({"same", "missing"})
_STRANGE: Final = LayerState("unknown", "this release does not know the layer")


class Verification(NamedTuple):
    """The answer: a verdict on the environment, what differs, and beside it the context, the code and the files.

    `capsule` is None where an environment was verified by its own digest. Context that the verdict counts is among
    `layers` and `changes`; other context that was compared is named by `compared_context`, and its changes are
    `context_changes`; `unseen` says of other layers of it why they could not be compared. `uncounted` are changes of
    what the analysis did not import, where only that is judged. `recorded_target` is the interpreter that was captured,
    as a path here, and what it was chosen by.
    """

    capsule: Digest | None
    captured: Digest
    current: Digest
    outcome: Outcome
    changes: tuple[Change, ...]
    compared_context: frozenset[str]
    context_changes: tuple[Change, ...]
    unseen: Mapping[str, str]
    code: tuple[CodeCheck, ...]
    files: tuple[FileCheck, ...]
    here: Capture
    uncounted: tuple[Change, ...] = ()
    recorded_target: tuple[str, str] | None = None

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
        """Why the verdict is as it is: a sentence for each change, those of `remarks`, and what the context says."""
        context = (f"context: {', '.join(self.context_in_words)}",) if self.context_in_words else ()
        return (*map(sentence, self.changes), *self.remarks, *context)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What cannot be compared, what the verdict leaves out, which code and files are not as they were: in words."""
        return (
            *self.outcome.reasons,
            *_not_seen(self),
            *_not_counted(self),
            *self._said_of_code(),
            *said_of(self.files),
        )

    @property
    def context_in_words(self) -> tuple[str, ...]:
        """What differs in the context beside the verdict, one phrase each."""
        unseen = (f"{layer} {reason}" for layer, reason in self.unseen.items())
        return (*in_words(self.context_changes), *unseen)

    @property
    def same(self) -> bool:
        """Whether all is as recorded: an identical environment, and no code or file that is another or unreadable."""
        code = all(tree.state in _NO_OTHER for tree in self.code)
        files = all(file.state in _NO_OTHER for file in self.files)
        return self.verdict == "identical" and code and files

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
            "code": [code.as_dict() for code in self.code],
            "files": [file.as_dict() for file in self.files],
            "reasons": list(self.reasons),
            "target": self.here.target.as_dict(),
        }

    def _said_of_code(self) -> Iterator[str]:
        if self.code:
            from capsulestore.recorded_code import said_of_code  # noqa: PLC0415

            yield from said_of_code(self.code)


def verify(  # noqa: PLR0913  (each says another thing of what is asked)
    store: Store,
    name: str,
    target: Target,
    *,
    layers: Collection[str] | None = None,
    strict: bool = False,
    loaded: bool = False,
    environ: Mapping[str, str] | None = None,
    cache: Cache = _NOTHING_KEPT,
) -> Verification:
    """Compare what a capsule (or an environment, by its digest) recorded with what the target has now.

    The layers looked at are those that were looked at then, or those of them in `layers`, each by the rules it was
    captured by. Layers of the context count where `layers` names them, and with `strict` those of `STRICT`; with
    `loaded`, of the distributions only those count that the analysis imported. Only what differs is read from the
    store. Raise what `Store.resolve` and `capture` raise, `UsageError` where it was not recorded what was imported, and
    `StoreUnreadable` for an environment that this release cannot read.
    """
    named = store.resolve(name)
    if named.kind not in {"capsule", "environment"}:
        raise UnknownName(f"`{name}` is neither a capsule nor an environment")
    capsule = store.capsule(named.digest) if named.kind == "capsule" else None
    imported = _imported(capsule, name) if loaded else None
    environment, context = (capsule.environment, capsule.context) if capsule else (named.digest, None)
    counted = CONTEXT_LAYERS & (frozenset(layers or ()) | (STRICT if strict else frozenset()))
    try:
        then = Looked(
            environment=layer_digests(environment, store.read),
            context=layer_digests(context, store.read) if context else {},
            states=capsule.manifest.layers if capsule else None,
        )
        here = capture(
            target,
            layers=(then.names & _KNOWN if layers is None else frozenset(layers)) | counted,
            rules=dict(_rules(store, {**then.context, **then.environment})),
            environ=environ,
            cache=cache,
        )
        current, current_context = here.encoded(), encode_mapping(here.context)
        now = Looked(
            environment=_layers(current),
            context=_layers(current_context),
            states={**here.layers, **dict.fromkeys(then.names - _KNOWN, _STRANGE)},
        )
        sides = (then.seen(counted, CONTEXT_LAYERS - counted), now.seen(counted, CONTEXT_LAYERS - counted))
        outcome = judge(*sides, only=layers, also=counted)
        different = {match.layer for match in outcome.layers if match.match is False}
        of_environment = [change for change in _differences(store, environment, current) if change.layer in different]
        uncounted: list[Change] = []
        if imported is not None:
            from capsulestore.compare.loaded import only_loaded  # noqa: PLC0415

            of_environment, uncounted = map(list, only_loaded(of_environment, imported))
            outcome = judge(*sides, only=layers, also=counted, alike=different - {one.layer for one in of_environment})
        of_context = list(_differences(store, context, current_context)) if context else []
        unseen = dict(_unseen(then, now, counted, layers))
        beside = frozenset(then.context.keys() & now.context.keys()) - counted - unseen.keys()
        return Verification(
            capsule=named.capsule,
            captured=environment,
            current=current.id,
            outcome=outcome,
            changes=(*of_environment, *(change for change in of_context if change.layer in counted & different)),
            compared_context=beside,
            context_changes=tuple(change for change in of_context if change.layer in beside),
            unseen=unseen,
            code=tuple(_code(capsule, here, store.root)) if capsule else (),
            files=tuple(check_files(capsule.manifest, store.root)) if capsule else (),
            here=here,
            uncounted=tuple(uncounted),
            recorded_target=_recorded_target(capsule, store.root) if capsule else None,
        )
    except InvalidValue as error:
        raise StoreUnreadable(f"{environment} is no environment that this release can read: {error}") from error


def _imported(capsule: Capsule | None, name: str) -> Collection[str]:
    """Return what the capsule says was imported."""
    imported = capsule.manifest.loaded if capsule else None
    if imported is None:
        raise UsageError(
            f"`{name}` does not say what was imported", hint="`capsule run --trace-imports` records it with a run"
        )
    return imported


def _code(capsule: Capsule, here: Capture, root: str) -> Iterator[CodeCheck]:
    # Which sources are live is known with the layer alone.
    if capsule.manifest.value.get("code") and "python" in here.layers:
        from capsulestore.recorded_code import check_code  # noqa: PLC0415

        yield from check_code(capsule.manifest, here.live, directory=os.getcwd(), root=root)


def _recorded_target(capsule: Capsule, root: str) -> tuple[str, str] | None:
    target = capsule.manifest.value.get("target")
    if not isinstance(target, dict):
        return None
    python, chosen_by = target.get("python"), target.get("chosen_by")
    if not isinstance(python, str) or not isinstance(chosen_by, str) or "\0" in python:
        return None
    return os.path.join(root, python), chosen_by


def _unseen(
    then: Looked, now: Looked, counted: Collection[str], layers: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    """Yield the recorded layers of the context that should be compared and cannot be, with the reason."""
    for layer in sorted(then.context):
        if layer in counted or (layers is not None and layer not in layers):
            continue
        if then.state(layer).state == "unknown":
            yield layer, f"was not seen whole when it was captured ({then.state(layer).reason})"
        elif now.state(layer).state == "unknown":
            yield layer, f"cannot be seen now ({now.state(layer).reason})"


def _differences(store: Store, recorded: Digest, current: Encoded) -> Iterator[Change]:
    return changes(Side(store.read, recorded), Side(current.objects.__getitem__, current.id))


def _layers(encoded: Encoded) -> dict[str, Digest]:
    return layer_digests(encoded.id, encoded.objects.__getitem__)


def _rules(store: Store, layers: Mapping[str, Digest]) -> Iterator[tuple[str, int]]:
    """Yield each recorded layer's `rules`, which say how to look at it again: 0, which no layer knows, for none."""
    for name, digest in layers.items():
        entry = tree_keys(store.read(digest).data).get("rules")
        rules = decode_entry(store.read(entry.id).data, 1) if entry is not None and not entry.is_tree else 0
        yield name, rules if type(rules) is int else 0


def _not_counted(answer: Verification) -> Iterator[str]:
    if answer.uncounted:
        names = sorted({change.entry or "" for change in answer.uncounted})
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield f"not imported by the analysis, and so not counted: {', '.join(names[:_MOST_NAMED])}{more}"


def _not_seen(answer: Verification) -> Iterator[str]:
    judged = {match.layer for match in answer.layers}
    for finding in answer.here.findings:
        if finding.incomplete and finding.layer in judged:
            yield f"{finding.layer}: {finding.subject}: {finding.message}; no part of the verdict"
