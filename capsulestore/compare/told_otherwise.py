"""Which layers two sides know in ways that say nothing of each other, as an image by its layers and by its manifest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from capsulestore.compare.difference import Change

__all__ = ["told_otherwise"]

_IMAGE: Final = ("container", "image")
_KNOWN_BY: Final = {"manifest": "the digest of its manifest", "rootfs": "its layers"}
"""The entries of an image. One has its layers where an engine answered, else the digest that somebody gave."""


def told_otherwise(changes: Iterable[Change]) -> dict[str, str]:
    """Return the layers, each with the reason, that cannot be compared: no entry that tells the same is on both sides.

    `changes` are those of an environment. An image has many digests, and from one none of the others follows.
    """
    of_image = [change for change in changes if (change.layer, change.collection) == _IMAGE]
    then = {str(change.entry) for change in of_image if change.change == "removed"}
    now = {str(change.entry) for change in of_image if change.change == "added"}
    if len(of_image) != len(then | now) or not then or not now or not then | now <= _KNOWN_BY.keys():
        return {}
    return {
        "container": f"the image was known by {_words(then)} when it was captured, and is known by {_words(now)} now"
    }


def _words(entries: set[str]) -> str:
    return " and ".join(_KNOWN_BY[entry] for entry in sorted(entries))
