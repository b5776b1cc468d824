"""Identical, different or not comparable: each rule of the verdict is a sentence."""

from dataclasses import dataclass

import pytest

from capsulestore.compare.verdict import LayerMatch, Seen, judge
from capsulestore.model.digest import Digest
from capsulestore.model.layers import LayerState

NONE = LayerState("none")
NO_SOCKET = LayerState("unknown", "no engine socket")
DENIED = LayerState("unknown", "permission denied")
TOO_NEW = LayerState("unknown", "this release does not know the layer")


def digest(letter):
    return Digest.parse(letter * 64)


def seen(recorded=True, **layers):
    """Return what a side knows: a letter is a captured layer's digest, anything else how looking at it ended."""
    digests = {name: digest(what) for name, what in layers.items() if isinstance(what, str)}
    captured = LayerState("captured")
    states = {name: captured if isinstance(what, str) else what for name, what in layers.items()}
    return Seen(digests, states if recorded else None)


def unrecorded(**layers):
    return seen(False, **layers)


@dataclass(frozen=True, kw_only=True)
class Case:
    then: Seen
    now: Seen
    verdict: str
    matches: dict
    reasons: tuple = ()
    only: tuple | None = None
    also: tuple = ()


CASES = {
    "layers with equal digests are identical": Case(
        then=seen(python="a", conda="b"),
        now=seen(python="a", conda="b"),
        verdict="identical",
        matches={"conda": True, "python": True},
    ),
    "one layer that differs makes the environment different": Case(
        then=seen(python="a", conda="b"),
        now=seen(python="a", conda="c"),
        verdict="different",
        matches={"conda": False, "python": True},
    ),
    "a layer that was there and does not apply now differs": Case(
        then=seen(python="a", conda="b"),
        now=seen(python="a", conda=NONE),
        verdict="different",
        matches={"conda": False, "python": True},
    ),
    "a layer that did not apply and is there now differs": Case(
        then=seen(python="a", conda=NONE),
        now=seen(python="a", conda="b"),
        verdict="different",
        matches={"conda": False, "python": True},
    ),
    "a layer that applied neither then nor now is not spoken of": Case(
        then=seen(python="a", conda=NONE),
        now=seen(python="a", conda=NONE),
        verdict="identical",
        matches={"python": True},
    ),
    "a layer that was looked at then and is not spoken of now is absent now": Case(
        then=seen(python="a", conda="b"),
        now=seen(python="a"),
        verdict="different",
        matches={"conda": False, "python": True},
    ),
    "a layer known then and unknown now is not comparable": Case(
        then=seen(python="a", container="b"),
        now=seen(python="a", container=NO_SOCKET),
        verdict="not comparable",
        matches={"container": None, "python": True},
        reasons=("container: cannot be seen now (no engine socket)",),
    ),
    "a layer unknown then and known now is not comparable": Case(
        then=seen(python="a", container=NO_SOCKET),
        now=seen(python="a", container="b"),
        verdict="not comparable",
        matches={"container": None, "python": True},
        reasons=("container: not known when it was captured (no engine socket)",),
    ),
    "that a layer did not apply is known, so one that is unknown now is not comparable": Case(
        then=seen(python="a", container=NONE),
        now=seen(python="a", container=DENIED),
        verdict="not comparable",
        matches={"container": None, "python": True},
        reasons=("container: cannot be seen now (permission denied)",),
    ),
    "that a layer does not apply is known, so one that was unknown then is not comparable": Case(
        then=seen(python="a", container=DENIED),
        now=seen(python="a", container=NONE),
        verdict="not comparable",
        matches={"container": None, "python": True},
        reasons=("container: not known when it was captured (permission denied)",),
    ),
    "a layer unknown on both sides is left out of the verdict, which says so": Case(
        then=seen(python="a", container=DENIED),
        now=seen(python="a", container=NO_SOCKET),
        verdict="identical",
        matches={"python": True},
        reasons=("container: known neither then nor now (no engine socket); left out of the verdict",),
    ),
    "a layer unknown on both sides does not hide that another differs": Case(
        then=seen(python="a", container=NO_SOCKET),
        now=seen(python="b", container=NO_SOCKET),
        verdict="different",
        matches={"python": False},
        reasons=("container: known neither then nor now (no engine socket); left out of the verdict",),
    ),
    "a layer that differs outweighs one that cannot be compared": Case(
        then=seen(python="a", container="b"),
        now=seen(python="c", container=NO_SOCKET),
        verdict="different",
        matches={"container": None, "python": False},
        reasons=("container: cannot be seen now (no engine socket)",),
    ),
    "a layer that was not looked at then is left out, though it is here now": Case(
        then=seen(python="a"),
        now=seen(python="a", conda="b"),
        verdict="identical",
        matches={"python": True},
    ),
    "a layer that was not looked at then is left out, though it is unknown now": Case(
        then=seen(python="a"),
        now=seen(python="a", container=NO_SOCKET),
        verdict="identical",
        matches={"python": True},
    ),
    "a layer that only a newer release knows is not comparable": Case(
        then=seen(python="a", julia="b"),
        now=seen(python="a", julia=TOO_NEW),
        verdict="not comparable",
        matches={"julia": None, "python": True},
        reasons=("julia: cannot be seen now (this release does not know the layer)",),
    ),
    "where it was not recorded what was looked at, the layers that are there are compared": Case(
        then=unrecorded(python="a", conda="b"),
        now=seen(python="a", conda="b"),
        verdict="identical",
        matches={"conda": True, "python": True},
    ),
    "where that was not recorded, a layer that is here now was absent then": Case(
        then=unrecorded(python="a"),
        now=seen(python="a", conda="b"),
        verdict="different",
        matches={"conda": False, "python": True},
    ),
    "where that was not recorded, a layer that is not here now differs": Case(
        then=unrecorded(python="a", conda="b"),
        now=seen(python="a", conda=NONE),
        verdict="different",
        matches={"conda": False, "python": True},
    ),
    "where that was not recorded, a layer that is unknown now cannot be compared where it was there": Case(
        then=unrecorded(python="a", container="b"),
        now=seen(python="a", container=NO_SOCKET),
        verdict="not comparable",
        matches={"container": None, "python": True},
        reasons=("container: cannot be seen now (no engine socket)",),
    ),
    "where that was not recorded, a layer that nobody has seen is not spoken of": Case(
        then=unrecorded(python="a"),
        now=seen(python="a", container=NO_SOCKET, conda=NONE),
        verdict="identical",
        matches={"python": True},
    ),
    "where neither side recorded it, digests alone decide": Case(
        then=unrecorded(python="a", conda="b"),
        now=unrecorded(python="a"),
        verdict="different",
        matches={"conda": False, "python": True},
    ),
    "two empty environments cannot be compared: of nothing there is no verdict": Case(
        then=unrecorded(),
        now=unrecorded(),
        verdict="not comparable",
        matches={},
        reasons=("there is no layer to compare",),
    ),
    "only some layers: one that neither side speaks of cannot be compared": Case(
        then=seen(python="a"),
        now=seen(python="a"),
        only=("conda",),
        verdict="not comparable",
        matches={},
        reasons=("there is no layer to compare",),
    ),
    "only some layers: one that differs and was not asked for does not count": Case(
        then=seen(python="a", conda="b"),
        now=seen(python="a", conda="c"),
        only=("python",),
        verdict="identical",
        matches={"python": True},
    ),
    "only some layers: one that was asked for and differs counts": Case(
        then=seen(python="a", conda="b"),
        now=seen(python="a", conda="c"),
        only=("conda",),
        verdict="different",
        matches={"conda": False},
    ),
    "only some layers: one that is unknown and was not asked for is not spoken of": Case(
        then=seen(python="a", container=NO_SOCKET),
        now=seen(python="a", container=NO_SOCKET),
        only=("python",),
        verdict="identical",
        matches={"python": True},
    ),
    "only some layers: one that is unknown now and was asked for is not comparable": Case(
        then=seen(python="a", container="b"),
        now=seen(python="c", container=DENIED),
        only=("container",),
        verdict="not comparable",
        matches={"container": None},
        reasons=("container: cannot be seen now (permission denied)",),
    ),
    "layers asked for beside: one with equal digests counts and changes nothing": Case(
        then=seen(python="a", system="b"),
        now=seen(python="a", system="b"),
        also=("system",),
        verdict="identical",
        matches={"python": True, "system": True},
    ),
    "layers asked for beside: one that differs makes it different": Case(
        then=seen(python="a", system="b"),
        now=seen(python="a", system="c"),
        also=("system",),
        verdict="different",
        matches={"python": True, "system": False},
    ),
    "layers asked for beside: one that was not looked at then cannot be compared": Case(
        then=seen(python="a"),
        now=seen(python="a", system="b"),
        also=("system",),
        verdict="not comparable",
        matches={"python": True, "system": None},
        reasons=("system: not looked at when it was captured",),
    ),
    "layers asked for beside: where nothing was recorded of what was looked at, one cannot be compared either": Case(
        then=unrecorded(python="a"),
        now=seen(python="a", system="b", variables="c"),
        also=("system", "variables"),
        verdict="not comparable",
        matches={"python": True, "system": None, "variables": None},
        reasons=("system: not looked at when it was captured", "variables: not looked at when it was captured"),
    ),
    "layers asked for beside: one that cannot be compared does not hide that another differs": Case(
        then=seen(python="a"),
        now=seen(python="b", system="c"),
        also=("system",),
        verdict="different",
        matches={"python": False, "system": None},
        reasons=("system: not looked at when it was captured",),
    ),
    "layers asked for beside: one that is unknown now cannot be compared": Case(
        then=seen(python="a", system="b"),
        now=seen(python="a", system=DENIED),
        also=("system",),
        verdict="not comparable",
        matches={"python": True, "system": None},
        reasons=("system: cannot be seen now (permission denied)",),
    ),
    "layers asked for beside: one that was unknown then cannot be compared": Case(
        then=seen(python="a", system=DENIED),
        now=seen(python="a", system="b"),
        also=("system",),
        verdict="not comparable",
        matches={"python": True, "system": None},
        reasons=("system: not known when it was captured (permission denied)",),
    ),
    "layers asked for beside are judged though only others are asked for": Case(
        then=seen(python="a", variables="b"),
        now=seen(python="c", variables="b"),
        only=("variables",),
        also=("variables",),
        verdict="identical",
        matches={"variables": True},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_this_is_the_verdict(case):
    outcome = judge(case.then, case.now, only=case.only, also=case.also)
    assert outcome.verdict == case.verdict
    assert {layer.layer: layer.match for layer in outcome.layers} == case.matches
    assert outcome.reasons == case.reasons


def test_layers_are_sorted_and_carry_both_digests():
    outcome = judge(seen(python="a", conda="b"), seen(python="c", conda=NONE))
    assert outcome.layers == (
        LayerMatch(layer="conda", captured=digest("b"), current=None, match=False),
        LayerMatch(layer="python", captured=digest("a"), current=digest("c"), match=False),
    )


def test_every_layer_that_cannot_be_compared_or_is_left_out_has_its_reason():
    outcome = judge(
        seen(conda="a", container=NO_SOCKET, nix=DENIED, python="b"),
        seen(conda=DENIED, container=NO_SOCKET, nix="c", python="b"),
    )
    assert sorted(reason.partition(":")[0] for reason in outcome.reasons) == ["conda", "container", "nix"]


def test_a_reason_that_nobody_gave_is_not_told_as_none():
    unknown = LayerState("unknown")
    outcomes = [
        judge(seen(python=unknown), seen(python="a")),
        judge(seen(python="a"), seen(python=unknown)),
        judge(seen(python=unknown), seen(python=unknown)),
    ]
    for outcome in outcomes:
        (reason,) = outcome.reasons
        assert "None" not in reason


def test_a_layer_as_json_has_both_digests_and_null_where_there_is_none():
    layer = LayerMatch(layer="conda", captured=digest("b"), current=None, match=None, reason="x")
    assert layer.as_dict() == {"layer": "conda", "captured": "b" * 64, "current": None, "match": None}
    layer = LayerMatch(layer="conda", captured=None, current=digest("b"), match=False)
    assert layer.as_dict() == {"layer": "conda", "captured": None, "current": "b" * 64, "match": False}


def test_a_side_that_recorded_nothing_captured_what_it_has():
    side = unrecorded(python="a")
    assert side.names == {"python"}
    assert side.state("python") == LayerState("captured")
    assert side.state("conda") == LayerState("none")


def test_a_side_that_recorded_states_speaks_of_all_of_them():
    side = seen(python="a", conda=NONE, container=NO_SOCKET)
    assert side.names == {"python", "conda", "container"}
    assert side.state("container") == NO_SOCKET
    assert side.state("nix") == LayerState("none")
