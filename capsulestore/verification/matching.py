"""Is the environment here the one that was recorded?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from capsulestore.capture.cache import Cache
from capsulestore.capture.environment import CONTEXT_LAYERS, LAYERS, Capture, capture, check_layers
from capsulestore.capture.host import NUMERIC_LIBRARIES
from capsulestore.capture.target import Target
from capsulestore.compare.context import in_words
from capsulestore.compare.difference import Change, Side, changes
from capsulestore.compare.looked import Looked
from capsulestore.compare.verdict import LayerMatch, Outcome, Verdict, judge
from capsulestore.compare.words import sentence
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.layers import LayerState
from capsulestore.model.mapping import encode_mapping, layer_digests
from capsulestore.model.objects import Encoded
from capsulestore.verification.recorded import RecordedEnvironment, rules_of

if TYPE_CHECKING:
    from capsulestore.model.document import Document
    from capsulestore.verification.given import GivenEnvironment

__all__ = ["STRICT", "EnvironmentMatch", "RecordedEnvironment", "match_environment", "match_given"]

STRICT: Final = frozenset({"system", "variables"})
"""The layers of the context that a strict verdict counts."""

_KNOWN: Final = frozenset(layer.name for layer in LAYERS)
_MOST_NAMED: Final = 3
_STRANGE: Final = LayerState("unknown", "this release does not know the layer")


class EnvironmentMatch(NamedTuple):
    """The answer: a verdict on the environment, what differs, and beside it the context.

    Context that the verdict counts is among `layers` and `changes`; other context that was compared is named by
    `compared_context`, and its changes are `context_changes`; `unseen` says of other layers of it why they could not be
    compared. `uncounted` are changes of what the analysis did not import, where only that is judged. `here` is what was
    compared: captured here, or given.
    """

    captured: Digest
    current: Digest
    outcome: Outcome
    changes: tuple[Change, ...]
    compared_context: frozenset[str]
    context_changes: tuple[Change, ...]
    unseen: Mapping[str, str]
    here: Capture | GivenEnvironment
    uncounted: tuple[Change, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The word for the environment alone."""
        return self.outcome.verdict

    @property
    def layers(self) -> tuple[LayerMatch, ...]:
        """The layers that the verdict rests on."""
        return self.outcome.layers

    @property
    def remarks(self) -> tuple[str, ...]:
        """What cannot be compared, and what the verdict leaves out, in words."""
        return (*self.outcome.reasons, *self._not_seen(), *self._not_counted())

    @property
    def context_in_words(self) -> tuple[str, ...]:
        """What differs in the context beside the verdict, one phrase each."""
        unseen = (f"{layer} {reason}" for layer, reason in self.unseen.items())
        return (*in_words(self.context_changes), *unseen)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the verdict is as it is: a sentence for each change, those of `remarks`, and what the context says."""
        return (*map(sentence, self.changes), *self.remarks, *self.said_of_context())

    def said_of_context(self) -> tuple[str, ...]:
        """Return what the context says, in a sentence; none where it says nothing."""
        return (f"context: {', '.join(self.context_in_words)}",) if self.context_in_words else ()

    def as_dict(self) -> dict[str, Json]:
        """Return the answer as `verify_environment_match` has it."""
        return {
            "match": self.verdict == "identical",
            "verdict": self.verdict,
            "captured_digest": str(self.captured),
            "current_digest": str(self.current),
            "layers": [layer.as_dict() for layer in self.layers],
            "changes": [change.as_dict() for change in self.changes],
            "context_changes": [change.as_dict() for change in self.context_changes],
            "reasons": list(self.reasons),
            "target": self.here.target.as_dict() if self.here.target else None,
        }

    def _not_counted(self) -> Iterator[str]:
        if self.uncounted:
            names = sorted({change.entry or "" for change in self.uncounted})
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            yield f"not imported by the analysis, and so not counted: {', '.join(names[:_MOST_NAMED])}{more}"

    def _not_seen(self) -> Iterator[str]:
        judged = {match.layer for match in self.layers}
        for finding in self.here.findings:
            if finding.incomplete and finding.layer in judged:
                yield f"{finding.layer}: {finding.subject}: {finding.message}; no part of the verdict"


def match_environment(  # noqa: PLR0913  (each says another thing of what is asked)
    recorded: RecordedEnvironment,
    target: Target,
    *,
    layers: Collection[str] | None = None,
    strict: bool = False,
    environ: Mapping[str, str] | None = None,
    cache: Cache,
) -> EnvironmentMatch:
    """Compare what was recorded of an environment with what the target has now.

    The layers looked at are those that were looked at then, or those of them in `layers`, each by the rules it was
    captured by. Layers of the context count where `layers` names them, and with `strict` those of `STRICT`. Only what
    differs is read. Raise what `capture` and `recorded.read` raise, and `InvalidValue` for an environment that this
    release cannot read.
    """
    asked = _Asked.of(recorded, layers, strict=strict)
    here = capture(
        target,
        layers=(asked.then.names & _KNOWN if layers is None else frozenset(layers)) | asked.counted,
        rules=asked.rules(),
        environ=environ,
        cache=cache,
    )
    return _judged(asked, here, {**here.layers, **dict.fromkeys(asked.then.names - _KNOWN, _STRANGE)})


def match_given(
    recorded: RecordedEnvironment,
    given: Document,
    *,
    layers: Collection[str] | None = None,
    strict: bool = False,
) -> EnvironmentMatch:
    """Compare what was recorded with an environment that was captured elsewhere, as `match_environment` does.

    Of what was captured by other rules than those recorded, and of what is not spoken of, nothing can be said. Raise
    what `recorded.read` raises, `InvalidValue`, and `UsageError` for a layer that there is none of.
    """
    from capsulestore.verification.given import GivenEnvironment  # noqa: PLC0415  (by a server)

    check_layers(layers or ())
    asked = _Asked.of(recorded, layers, strict=strict)
    names = (asked.then.names if layers is None else frozenset(layers)) | asked.counted
    here = GivenEnvironment.of(given, names, asked.rules())
    return _judged(asked, here, here.layers)


class _Asked(NamedTuple):
    """What is to be compared: all that was recorded or some layers of it, and which of the context count."""

    recorded: RecordedEnvironment
    then: Looked
    layers: Collection[str] | None
    counted: frozenset[str]

    @classmethod
    def of(cls, recorded: RecordedEnvironment, layers: Collection[str] | None, *, strict: bool) -> _Asked:
        then = Looked(
            environment=layer_digests(recorded.environment, recorded.read),
            context=layer_digests(recorded.context, recorded.read) if recorded.context else {},
            states=recorded.states,
        )
        return cls(recorded, then, layers, CONTEXT_LAYERS & (frozenset(layers or ()) | (STRICT if strict else set())))

    def rules(self) -> dict[str, int]:
        """Return by which rules to look at each recorded layer again."""
        return dict(rules_of(self.recorded.read, {**self.then.context, **self.then.environment}))


def _judged(asked: _Asked, here: Capture | GivenEnvironment, states: Mapping[str, LayerState]) -> EnvironmentMatch:
    recorded, then, layers, counted = asked
    current, current_context = here.encoded(), encode_mapping(here.context)
    now = Looked(environment=_layers(current), context=_layers(current_context), states=states)
    sides = (then.seen(counted, CONTEXT_LAYERS - counted), now.seen(counted, CONTEXT_LAYERS - counted))
    outcome = judge(*sides, only=layers, also=counted)
    different = {match.layer for match in outcome.layers if match.match is False}
    of_environment = [
        change for change in _differences(recorded, recorded.environment, current) if change.layer in different
    ]
    uncounted: list[Change] = []
    if recorded.loaded is not None:
        from capsulestore.compare.loaded import only_loaded  # noqa: PLC0415

        of_environment, uncounted = map(list, only_loaded(of_environment, recorded.loaded))
    # What is seen from within a process alone is compared with nothing that is seen from outside.
    of_context = [
        change
        for change in _differences(recorded, recorded.context, current_context)
        if (change.layer, change.collection) != NUMERIC_LIBRARIES
    ]
    otherwise = _otherwise(of_environment)
    nothing_counts = different - {change.layer for change in (*of_environment, *of_context)}
    if nothing_counts or otherwise:
        outcome = judge(*sides, only=layers, also=counted, alike=nothing_counts, told_otherwise=otherwise)
    unseen = dict(_unseen(then, now, counted, layers))
    # What one side saw in part would be told as a difference.
    in_part = {
        layer for layer in then.names if (then.state(layer).state == "unknown") != (now.state(layer).state == "unknown")
    }
    beside = frozenset(then.context.keys() & now.context.keys()) - counted - unseen.keys() - in_part
    return EnvironmentMatch(
        captured=recorded.environment,
        current=current.id,
        outcome=outcome,
        changes=(
            *(change for change in of_environment if change.layer not in otherwise),
            *(change for change in of_context if change.layer in counted & different),
        ),
        compared_context=beside,
        context_changes=tuple(change for change in of_context if change.layer in beside),
        unseen=unseen,
        here=here,
        uncounted=tuple(uncounted),
    )


def _otherwise(of_environment: Collection[Change]) -> Mapping[str, str]:
    if not of_environment:
        return {}
    from capsulestore.compare.told_otherwise import told_otherwise  # noqa: PLC0415

    return told_otherwise(of_environment)


def _unseen(
    then: Looked, now: Looked, counted: Collection[str], layers: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    """Yield the recorded layers of the context that should be compared and cannot be, with the reason."""
    # Of a layer that is part of the environment too, the verdict says it.
    for layer in sorted(then.context.keys() & CONTEXT_LAYERS):
        if layer in counted or (layers is not None and layer not in layers):
            continue
        if then.state(layer).state == "unknown":
            yield layer, f"was not seen whole when it was captured ({then.state(layer).reason})"
        elif now.state(layer).state == "unknown":
            yield layer, f"cannot be seen now ({now.state(layer).reason})"


def _differences(recorded: RecordedEnvironment, tree: Digest | None, current: Encoded) -> Iterator[Change]:
    return changes(Side(recorded.read, tree), Side(current.objects.__getitem__, current.id))


def _layers(encoded: Encoded) -> dict[str, Digest]:
    return layer_digests(encoded.id, encoded.objects.__getitem__)
