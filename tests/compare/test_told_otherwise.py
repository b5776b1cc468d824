"""An image that is known in two ways is one that cannot be compared, and no different one."""

import pytest

from capsulestore.compare.told_otherwise import told_otherwise
from capsulestore.compare.verdict import Seen, judge
from capsulestore.model.digest import Digest

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
REASON = "the image was known by the digest of its manifest when it was captured, and is known by its layers now"

CASES = {
    "known by its manifest, and by its layers": ({"manifest": A}, {"rootfs": [B]}, REASON),
    "known by its layers on both sides": ({"rootfs": [A]}, {"rootfs": [B]}, None),
    "known by its manifest on both sides": ({"manifest": A}, {"manifest": B}, None),
    "known by more on one side": ({"manifest": A}, {"manifest": A, "rootfs": [B]}, None),
    "known by what nobody knows of": ({"manifest": A}, {"something": B}, None),
    "an image on one side only": ({}, {"rootfs": [B]}, None),
}


@pytest.mark.parametrize(("then", "now", "reason"), CASES.values(), ids=CASES)
def test_what_cannot_be_compared_has_a_reason(then, now, reason, between):
    then, now = ({"container": {"rules": 1, "image": image}, "python": {"rules": 1}} for image in (then, now))
    assert told_otherwise(between(then, now)).get("container") == reason


def test_other_layers_are_compared_whatever_they_have(between):
    assert told_otherwise(between({"x": {"image": {"manifest": A}}}, {"x": {"image": {"rootfs": [B]}}})) == {}


def test_the_verdict_is_not_comparable_for_that_reason():
    a, b, c = (Digest.parse(letter * 64) for letter in "abc")
    then, now = Seen({"container": a, "python": c}), Seen({"container": b, "python": c})
    outcome = judge(then, now, told_otherwise={"container": REASON})
    assert outcome.verdict == "not comparable"
    assert outcome.reasons == (f"container: {REASON}",)
    assert {match.layer: match.match for match in outcome.layers} == {"container": None, "python": True}


def test_another_layer_that_differs_makes_it_different_all_the_same():
    a, b, c = (Digest.parse(letter * 64) for letter in "abc")
    outcome = judge(
        Seen({"container": a, "python": b}), Seen({"container": b, "python": c}), told_otherwise={"container": REASON}
    )
    assert outcome.verdict == "different"
