"""A statement about a capsule as a tree."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.errors import InvalidValue
from capsulestore.model.canonical import dumps
from capsulestore.model.capsule import is_capsule
from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE, GitObject, TreeEntry, decode_tree, encode_tree
from capsulestore.model.statement import Statement, subject_of

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


SUBJECT = Digest(STATED["statement"]["subject"][0]["digest"]["gitTree"])
OTHER = Digest("ab" * 32)
BLOB, TREE = "100644", "40000"
SIGNATURES = TreeEntry(TREE, "signatures", EMPTY_TREE.id)


def test_a_statement_that_is_decoded_is_the_one_that_was_encoded():
    for extra in ((), (SIGNATURES,), (TreeEntry(BLOB, "notes.txt", OTHER), SIGNATURES, TreeEntry(TREE, "z", OTHER))):
        statement = Statement(STATED["statement"], extra)
        encoded = statement.encode()
        decoded = Statement.decode(encoded.objects[encoded.id].data, encoded.objects.__getitem__)
        assert decoded == statement
        assert decoded.encode() == encoded
        assert decoded.subject == SUBJECT
        assert decoded.predicate_type == STATED["statement"]["predicateType"]
        assert decoded.predicate == STATED["statement"]["predicate"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    # Floats that are whole are integers when they are read again, and equal.
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=4), st.booleans())
def test_i1_whatever_a_predicate_says_it_survives(predicate, is_signed):
    value = STATED["statement"] | {"predicateType": "https://example.org/any", "predicate": predicate}
    statement = Statement(Statement.parse(value).value, (SIGNATURES,) if is_signed else ())
    encoded = statement.encode()
    decoded = Statement.decode(encoded.objects[encoded.id].data, encoded.objects.__getitem__)
    assert decoded == statement
    assert decoded.encode() == encoded


def test_what_is_unknown_in_a_statement_survives_byte_for_byte():
    value = STATED["statement"] | {"ours": {"later": [1, None]}}
    encoded = Statement.parse(value).encode()
    decoded = Statement.decode(encoded.objects[encoded.id].data, encoded.objects.__getitem__)
    assert decoded.value == value
    assert decoded.encode() == encoded


def test_a_statement_without_a_predicate_says_nothing_more():
    value = {key: member for key, member in STATED["statement"].items() if key != "predicate"}
    assert Statement.parse(value).predicate == {}


def of(subject: object) -> dict:
    return STATED["statement"] | {"subject": subject}


NO_STATEMENTS = {
    "no mapping": ([], "a statement is a mapping"),
    "nothing in it": ({}, "_type"),
    "another type": (STATED["statement"] | {"_type": "https://in-toto.io/Statement/v0.1"}, "_type"),
    "no subject": (of(None), "one subject"),
    "an empty list of subjects": (of([]), "one subject"),
    "several subjects": (of([{"digest": {"gitTree": str(SUBJECT)}}] * 2), "one subject"),
    "a subject that is no mapping": (of([str(SUBJECT)]), "gitTree"),
    "a subject without a digest": (of([{"name": "x"}]), "gitTree"),
    "a digest that is a text": (of([{"digest": str(SUBJECT)}]), "gitTree"),
    "a digest of another kind": (of([{"digest": {"sha256": str(SUBJECT)}}]), "gitTree"),
    "a digest with a digit too few": (of([{"digest": {"gitTree": str(SUBJECT)[1:]}}]), "gitTree"),
    "a digest in capitals": (of([{"digest": {"gitTree": str(SUBJECT).upper()}}]), "gitTree"),
    "a digest that is a number": (of([{"digest": {"gitTree": 1}}]), "gitTree"),
    "no kind": (STATED["statement"] | {"predicateType": None}, "predicateType"),
    "a predicate that is no mapping": (STATED["statement"] | {"predicate": ["x"]}, "predicate"),
}


@pytest.mark.parametrize(("value", "said"), NO_STATEMENTS.values(), ids=NO_STATEMENTS)
def test_what_is_no_statement_of_ours_is_refused(value, said):
    with pytest.raises(InvalidValue, match=said):
        Statement.parse(value)


JSON_OF_IT = dumps(STATED["statement"])
WHOLE = [(BLOB, "statement.json", JSON_OF_IT), (TREE, "subject", SUBJECT)]
REFUSED_TREES = {
    "nothing in it": [],
    "no subject": WHOLE[:1],
    "no statement": WHOLE[1:],
    "another capsule as its subject": [WHOLE[0], (TREE, "subject", OTHER)],
    "a subject that is a file": [WHOLE[0], (BLOB, "subject", b"x")],
    "a statement that is a directory": [(TREE, "statement.json", OTHER), WHOLE[1]],
    "a statement that may be executed": [("100755", "statement.json", JSON_OF_IT), WHOLE[1]],
    "a statement with a line's end": [(BLOB, "statement.json", JSON_OF_IT + b"\n"), WHOLE[1]],
    "a statement with spaces": [(BLOB, "statement.json", json.dumps(STATED["statement"]).encode()), WHOLE[1]],
    "a statement cut short": [(BLOB, "statement.json", JSON_OF_IT[:-1]), WHOLE[1]],
    "a statement of nothing": [(BLOB, "statement.json", b""), WHOLE[1]],
    "signatures that are a file": [*WHOLE, (BLOB, "signatures", b"x")],
}


@pytest.mark.parametrize("entries", REFUSED_TREES.values(), ids=REFUSED_TREES)
def test_a_tree_that_is_no_statements_is_refused(memory, entries):
    tree = encode_tree(
        [
            TreeEntry(mode, name, what if isinstance(what, Digest) else memory.keep(GitObject("blob", what)))
            for mode, name, what in entries
        ]
    )
    with pytest.raises(InvalidValue):
        Statement.decode(tree.data, memory.read)


def test_a_tree_tells_its_subject_only_where_it_is_a_statements():
    def subject(*entries: tuple[str, str]) -> Digest | None:
        return subject_of(TreeEntry(mode, name, OTHER) for mode, name in entries)

    assert subject((BLOB, "statement.json"), (TREE, "subject")) == OTHER
    assert subject((BLOB, "statement.json")) is None
    assert subject((TREE, "subject")) is None
    assert subject((BLOB, "statement.json"), (BLOB, "subject")) is None
    assert subject((TREE, "statement.json"), (TREE, "subject")) is None
