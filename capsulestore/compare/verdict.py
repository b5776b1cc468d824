"""Is this the environment that was recorded? A verdict from the digests of layers, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.layers import LayerState

__all__ = ["LayerMatch", "Outcome", "Seen", "Verdict", "judge"]

Verdict = Literal["identical", "different", "not comparable"]


class Seen(NamedTuple):
    """What one side knows: the digests of the layers it has, and how looking at each ended.

    `states` is None where that was not recorded: then the layers that are there were captured, and no others known.
    """

    digests: Mapping[str, Digest]
    states: Mapping[str, LayerState] | None = None

    @property
    def names(self) -> frozenset[str]:
        """The layers that this side says anything of."""
        return frozenset(self.digests) | frozenset(self.states or ())

    def state(self, layer: str) -> LayerState:
        """Return how looking at a layer ended; `none` for one that is not spoken of."""
        if self.states is not None and layer in self.states:
            return self.states[layer]
        return LayerState("captured" if layer in self.digests else "none")


class LayerMatch(NamedTuple):
    """One layer on both sides. `match` is None where the two cannot be compared, and `reason` says why."""

    layer: str
    captured: Digest | None
    current: Digest | None
    match: bool | None
    reason: str | None = None

    def as_dict(self) -> dict[str, Json]:
        """Return the layer as `--json` has it."""
        return {
            "layer": self.layer,
            "captured": str(self.captured) if self.captured else None,
            "current": str(self.current) if self.current else None,
            "match": self.match,
        }


class Outcome(NamedTuple):
    """The verdict, the layers it rests on, and in words what could not be compared and what it leaves out."""

    verdict: Verdict
    layers: tuple[LayerMatch, ...]
    reasons: tuple[str, ...]


def judge(  # noqa: PLR0913  (each says another thing of what counts)
    captured: Seen,
    current: Seen,
    *,
    only: Collection[str] | None = None,
    also: Collection[str] = (),
    alike: Collection[str] = (),
    told_otherwise: Mapping[str, str] | None = None,
) -> Outcome:
    """Judge the layers that were looked at when the capsule was captured, or those of them in `only`.

    Those in `also` are judged in any case: where nothing was recorded of one, it cannot be compared. Those in `alike`
    match whatever their digests are: nothing that counts differs. Those in `told_otherwise` cannot be compared, for the
    reason given there.
    `different` where a layer differs; else `not comparable` where one is known on one side only, or there is nothing to
    compare at all, which is said; else `identical`. A layer that neither side knows is left out, and said to be.
    """
    names = captured.names if captured.states is not None else captured.names | frozenset(current.digests)
    matches: list[LayerMatch] = []
    reasons: list[str] = []
    for name in sorted((names if only is None else names & frozenset(only)) | frozenset(also)):
        then, now = captured.state(name), current.state(name)
        if name not in captured.digests and name not in current.digests and then.state in {"captured", now.state}:
            if then.state != "unknown":
                # Captured and yet without a digest, all of it is context. One that is not there then nor now is the
                # same, which is worth a word where somebody asks for it.
                if only is not None and then.state == "none":
                    matches.append(LayerMatch(name, None, None, match=True))
                continue
            reasons.append(f"{name}: known neither then nor now{_because(now)}; left out of the verdict")
            continue
        match = _match(name, captured, current, demanded=name in also, alike=name in alike)
        if told_otherwise and name in told_otherwise and match.match is False:
            match = match._replace(match=None, reason=told_otherwise[name])
        matches.append(match)
    reasons += [f"{match.layer}: {match.reason}" for match in matches if match.reason]
    # Of nothing there is no verdict.
    verdict: Verdict = "identical" if matches else "not comparable"
    if not matches and not reasons:
        reasons.append("there is no layer to compare")
    if any(match.match is False for match in matches):
        verdict = "different"
    elif any(match.match is None for match in matches):
        verdict = "not comparable"
    return Outcome(verdict, tuple(matches), tuple(reasons))


def _match(name: str, captured: Seen, current: Seen, *, demanded: bool, alike: bool) -> LayerMatch:
    then, now = captured.state(name), current.state(name)
    digests = captured.digests.get(name), current.digests.get(name)
    match: bool | None = digests[0] == digests[1] or (alike and None not in digests)
    reason: str | None = None
    if then.state == "unknown":
        match, reason = None, f"not known when it was captured{_because(then)}"
    elif demanded and name not in captured.names:
        match, reason = None, "not looked at when it was captured"
    elif now.state == "unknown":
        match, reason = None, f"cannot be seen now{_because(now)}"
    return LayerMatch(layer=name, captured=digests[0], current=digests[1], match=match, reason=reason)


def _because(state: LayerState) -> str:
    return f" ({state.reason})" if state.reason else ""
