"""Commits and tags from outside: exactly as git's fsck wants them, and with a time that a calendar has."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, cast

from capsulestore.errors import InvalidValue
from capsulestore.model.digest import Digest
from capsulestore.model.objects import Kind

__all__ = ["LATEST", "Links", "TagTarget", "decode_tag", "links_of"]

LATEST: Final = 253_402_300_799
"""The last second of the year 9999. No registration is earlier than the one before, so a date can spoil all to come."""

_PERSON: Final = rb"[^<>\n]* <[^<>\n]*> (?P<%s>0|[1-9][0-9]{0,17}) [+-][0-9]{4}\n"
_COMMIT: Final = re.compile(
    rb"tree (?P<tree>[0-9a-f]{64})\n(?P<parents>(?:parent [0-9a-f]{64}\n)*)author "
    + _PERSON % b"authored"
    + rb"committer "
    + _PERSON % b"committed"
    # Not among the headers that may follow, where git would pass over them and others would not.
    + rb"(?:(?!tree |parent |author |committer )[^\n]+\n)*\n"
)
_TAG: Final = re.compile(
    rb"object (?P<target>[0-9a-f]{64})\ntype (?P<kind>blob|tree|commit|tag)\ntag [^\n]+\n(?:tagger "
    + _PERSON % b"tagged"
    + rb")?(?:(?!tagger )[^\n]+\n)*(?:\n|\Z)"
)


class Links(NamedTuple):
    """What a commit leads to."""

    tree: Digest
    parents: tuple[Digest, ...]


class TagTarget(NamedTuple):
    """What an annotated tag is on."""

    id: Digest
    kind: Kind


def links_of(data: bytes) -> Links:
    """Return what a commit leads to; raise `InvalidValue` for one that git's fsck would complain of (`--strict`).

    What is refused could have been written nowhere else: git's own receivers refuse it too, set up as a store is.
    """
    found = _COMMIT.match(data)
    if found is None or b"\0" in data:
        raise InvalidValue("a commit that git would have written otherwise")
    if int(found["authored"]) > LATEST or int(found["committed"]) > LATEST:
        raise InvalidValue("a commit of after the year 9999")
    parents = found["parents"].decode().split()[1::2]
    return Links(Digest(found["tree"].decode()), tuple(map(Digest, parents)))


def decode_tag(data: bytes) -> TagTarget:
    """Return what an annotated tag is on; raise `InvalidValue` as `links_of` does."""
    found = _TAG.match(data)
    if found is None or b"\0" in data:
        raise InvalidValue("an annotated tag that git would have written otherwise")
    return TagTarget(Digest(found["target"].decode()), cast("Kind", found["kind"].decode()))
