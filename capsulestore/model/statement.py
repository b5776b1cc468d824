"""A statement about a capsule (in-toto Statement v1) as a git tree, and back.

    statement.json            the statement: canonical JSON
    subject/                  the tree of the capsule it speaks of, so that it is complete wherever the statement is
    signatures/*.dsse.json    where signed: envelopes over the exact bytes

Its subject is the capsule's digest, as a `gitTree` (in-toto's DigestSet).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast

from capsulestore.errors import InvalidValue, MalformedName
from capsulestore.model import canonical
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.objects import (
    BLOB_MODE,
    TREE_MODE,
    Encoded,
    GitObject,
    Read,
    TreeEntry,
    decode_tree,
    encode_tree,
)

__all__ = ["STATEMENT_NAME", "STATEMENT_TYPE", "Statement", "subject_of"]

STATEMENT_NAME = "statement.json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"

_SUBJECT = "subject"
_SIGNATURES = "signatures"


class Statement(NamedTuple):
    """A checked statement. `value` is the whole JSON mapping; do not change it.

    `extra` is what else lies beside it: signatures, and entries that this release does not know, which are kept.
    """

    value: Mapping[str, Json]
    extra: tuple[TreeEntry, ...] = ()

    @classmethod
    def parse(cls, value: Json) -> Statement:
        """Return the statement of a JSON value; raise `InvalidValue` with the path of what no statement of ours has.

        What kind of statement it is, and what that kind says, is not looked at.
        """
        if not isinstance(value, dict):
            raise InvalidValue("a statement is a mapping", (STATEMENT_NAME,))
        if value.get("_type") != STATEMENT_TYPE:
            raise InvalidValue(f"expected `{STATEMENT_TYPE}`", (STATEMENT_NAME, "_type"))
        _digest_of_subject(value.get("subject"))
        if not isinstance(value.get("predicateType"), str):
            raise InvalidValue("expected a text", (STATEMENT_NAME, "predicateType"))
        if not isinstance(value.get("predicate", {}), dict):
            raise InvalidValue("expected a mapping", (STATEMENT_NAME, "predicate"))
        return cls(value)

    @classmethod
    def decode(cls, data: bytes, read: Read) -> Statement:
        """Return the statement of a tree's bytes; of what it speaks of nothing is read.

        Raise `InvalidValue` for a tree that is no statement's, or whose `subject/` is another capsule.
        """
        entries = {entry.name: entry for entry in decode_tree(data)}
        subject = subject_of(entries.values())
        if subject is None:
            raise InvalidValue(f"not a statement: no `{STATEMENT_NAME}` with a `{_SUBJECT}/` beside it")
        statement = cls.parse(canonical.loads(read(entries[STATEMENT_NAME].id).data))
        if statement.subject != subject:
            raise InvalidValue(f"is not the id of `{_SUBJECT}/`", (STATEMENT_NAME, "subject"))
        if _SIGNATURES in entries and not entries[_SIGNATURES].is_tree:
            raise InvalidValue(f"`{_SIGNATURES}` is no directory")
        return cls(
            statement.value,
            tuple(entry for name, entry in entries.items() if name not in {STATEMENT_NAME, _SUBJECT}),
        )

    def encode(self) -> Encoded:
        """Return the statement as objects; those of its subject and of what else lies beside it are not among them."""
        blob = GitObject("blob", canonical.dumps(self.value))
        subject = TreeEntry(TREE_MODE, _SUBJECT, self.subject)
        tree = encode_tree([TreeEntry(BLOB_MODE, STATEMENT_NAME, blob.id), subject, *self.extra])
        return Encoded(tree.id, {blob.id: blob, tree.id: tree})

    @property
    def subject(self) -> Digest:
        """The capsule that it speaks of."""
        return _digest_of_subject(self.value["subject"])

    @property
    def predicate_type(self) -> str:
        """The URI of what kind of statement it is."""
        return cast("str", self.value["predicateType"])

    @property
    def predicate(self) -> Mapping[str, Json]:
        """What it says; empty where the kind says it all."""
        return cast("Mapping[str, Json]", self.value.get("predicate", {}))


def subject_of(entries: Iterable[TreeEntry]) -> Digest | None:
    """Return the capsule that a statement with these entries speaks of, None where they are no statement's."""
    found = {entry.name: entry for entry in entries}
    statement, subject = found.get(STATEMENT_NAME), found.get(_SUBJECT)
    if statement is None or subject is None or statement.mode != BLOB_MODE or not subject.is_tree:
        return None
    return subject.id


def _digest_of_subject(value: Json) -> Digest:
    path = (STATEMENT_NAME, "subject")
    if not isinstance(value, list) or len(value) != 1:
        raise InvalidValue("expected a list of one subject", path)
    digests = value[0].get("digest") if isinstance(value[0], dict) else None
    digest = digests.get("gitTree") if isinstance(digests, dict) else None
    try:
        if isinstance(digest, str) and str(Digest.parse(digest)) == digest:
            return Digest(digest)
    except MalformedName:
        pass
    raise InvalidValue("expected 64 lower-case hex digits", (*path, 0, "digest", "gitTree"))
