"""A statement about a capsule (in-toto Statement v1) as a git tree.

statement.json            the statement: canonical JSON
subject/                  the tree of the capsule it speaks of
signatures/*.dsse.json    where signed: envelopes over the exact bytes
"""

from __future__ import annotations

from collections.abc import Mapping

from capsulestore.model import canonical
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.objects import BLOB_MODE, TREE_MODE, Encoded, GitObject, TreeEntry, encode_tree

__all__ = ["STATEMENT_NAME", "encode_statement"]

STATEMENT_NAME = "statement.json"


def encode_statement(statement: Mapping[str, Json], subject: Digest) -> Encoded:
    """Return an unsigned statement about the capsule `subject`, whose own objects are not among those returned."""
    blob = GitObject("blob", canonical.dumps(statement))
    tree = encode_tree([TreeEntry(BLOB_MODE, STATEMENT_NAME, blob.id), TreeEntry(TREE_MODE, "subject", subject)])
    return Encoded(tree.id, {blob.id: blob, tree.id: tree})
