"""Git objects as values: ids, and the bytes of trees."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.errors import InvalidValue
from capsulestore.model.digest import Digest
from capsulestore.model.objects import (
    BLOB_MODE,
    EMPTY_TREE,
    TREE_MODE,
    GitObject,
    TreeEntry,
    decode_tree,
    encode_tree,
)

ID = bytes(range(32))
DIGEST = Digest(ID.hex())
NAMES = st.lists(st.sampled_from([b"a", b"0", b".", b"-", b"\xff", "é".encode()]) | st.binary(min_size=1, max_size=1))
ENTRIES = st.builds(
    TreeEntry,
    st.sampled_from([BLOB_MODE, TREE_MODE, "100755", "120000", "160000"]),
    NAMES.map(lambda parts: b"".join(parts).translate(None, b"/\0").decode("utf-8", "surrogateescape")).filter(bool),
    st.binary(min_size=32, max_size=32).map(lambda raw: Digest(raw.hex())),
)
TREES = st.lists(ENTRIES, max_size=8, unique_by=lambda entry: entry.name)


def test_an_id_is_the_hash_of_kind_length_and_bytes():
    assert str(GitObject("blob", b"abc").id) == sha256(b"blob 3\0abc").hexdigest()


def test_the_kind_is_part_of_the_id():
    assert GitObject("blob", b"").id != GitObject("tree", b"").id


def test_the_empty_tree_has_git_s_id_for_it():
    assert str(EMPTY_TREE.id) == "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"


def test_an_entry_is_mode_name_and_raw_id():
    assert encode_tree([TreeEntry(BLOB_MODE, "a", DIGEST)]).data == b"100644 a\0" + ID


def test_a_tree_sorts_as_if_its_name_ended_in_a_slash():
    names = [(TREE_MODE, "foo"), (BLOB_MODE, "foo-bar"), (BLOB_MODE, "foo.bar"), (BLOB_MODE, "foo0")]
    written = decode_tree(encode_tree(TreeEntry(mode, name, DIGEST) for mode, name in names).data)
    assert [entry.name for entry in written] == ["foo-bar", "foo.bar", "foo", "foo0"]


@settings(max_examples=50)
@given(TREES, st.randoms())
def test_the_order_in_which_entries_are_given_does_not_matter(entries, random):
    shuffled = random.sample(entries, len(entries))
    assert encode_tree(shuffled) == encode_tree(entries)


@settings(max_examples=50)
@given(TREES)
def test_the_entries_of_a_tree_read_back(entries):
    assert set(decode_tree(encode_tree(entries).data)) == set(entries)


@given(st.binary(max_size=50) | st.binary(max_size=8).map(lambda name: b"100644 " + name + b"\0" + ID))
def test_whatever_bytes_are_read_are_a_tree_as_it_would_be_written_or_are_refused(data):
    try:
        entries = decode_tree(data)
    except InvalidValue:
        return
    assert encode_tree(entries).data == data


NOT_A_TREE = {
    "an id that is too short": b"100644 a\0" + ID[:-1],
    "no name": b"100644 \0" + ID,
    "no mode": b" a\0" + ID,
    "no space": b"100644a\0" + ID,
    "no nul": b"100644 a" + ID[1:],
    "a name with a slash": b"100644 a/b\0" + ID,
    "a name twice": b"100644 a\0" + ID + b"100644 a\0" + ID,
    "a name as a value and as a tree": b"100644 a\0" + ID + b"40000 a\0" + ID,
    "names out of order": b"100644 b\0" + ID + b"100644 a\0" + ID,
    "a tree sorted without its slash": b"40000 foo\0" + ID + b"100644 foo-bar\0" + ID,
    "bytes after the last entry": b"100644 a\0" + ID + b"1",
    "a mode that is no text": b"\xff a\0" + ID,
    "a mode with a leading zero": b"040000 a\0" + ID,
    "a mode that holds a nul": b"100644\0 a\0" + ID,
    "a mode that is no number": b"tree a\0" + ID,
}


@pytest.mark.parametrize("data", NOT_A_TREE.values(), ids=NOT_A_TREE)
def test_what_git_would_not_have_written_is_refused(data):
    with pytest.raises(InvalidValue):
        decode_tree(data)
