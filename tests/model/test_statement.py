"""A statement about a capsule as a tree."""

import json
from pathlib import Path

import pytest

from capsulestore.errors import InvalidValue
from capsulestore.model.capsule import is_capsule
from capsulestore.model.objects import decode_tree
from capsulestore.model.statement import Statement

DIGESTS = json.loads((Path(__file__).parents[1] / "vectors" / "digests.json").read_text("utf-8"))
(STATED,) = [vector for vector in DIGESTS if "statement" in vector]


def test_a_statement_has_the_tree_of_its_vector(capsule_of):
    assert str(Statement.parse(STATED["statement"]).encode().id) == STATED["statement_tree"]


def test_the_subject_of_the_vector_is_its_capsule(capsule_of):
    assert STATED["statement"]["subject"][0]["digest"] == {"gitTree": str(capsule_of(STATED).id)}


def test_a_statement_refers_to_its_subject_and_does_not_bring_it(capsule_of):
    subject = capsule_of(STATED).id
    encoded = Statement.parse(STATED["statement"]).encode()
    entries = {entry.name: entry for entry in decode_tree(encoded.objects[encoded.id].data)}
    assert entries["subject"].id == subject
    assert entries["subject"].is_tree
    assert json.loads(encoded.objects[entries["statement.json"].id].data) == STATED["statement"]
    assert subject not in encoded.objects
    assert len(encoded.objects) == 2


def test_a_statement_is_no_capsule(capsule_of):
    encoded = Statement.parse(STATED["statement"]).encode()
    assert not is_capsule(decode_tree(encoded.objects[encoded.id].data))


def test_what_json_cannot_hold_is_refused_with_its_path():
    with pytest.raises(InvalidValue) as caught:
        Statement.parse(STATED["statement"] | {"predicate": {"duration": float("inf")}}).encode()
    assert caught.value.path == ("predicate", "duration")
