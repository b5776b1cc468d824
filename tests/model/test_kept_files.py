"""Files that a capsule keeps whole, as the tree `files/` and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.errors import InvalidValue
from capsulestore.model.capsule import decode_files, encode_files
from capsulestore.model.objects import BLOB_MODE, EMPTY_TREE, TREE_MODE, GitObject, TreeEntry, decode_tree, encode_tree

FILES = {
    "changes.patch": b"--- a\n+++ b\n",
    "out/.hidden file": b"x",
    "out/deep/a.json": b"{}",
    "out/deep.json/b": b"a directory that ends in .json",
    "a.json": b"",
    ".git/config": b"not git's",
    "Grüße/日本.txt": b"\xff\0",
    "100%/~ a:b": b"1",
}


def test_files_read_back_as_they_were():
    encoded = encode_files(FILES)
    assert decode_files(encoded.id, encoded.objects.__getitem__) == FILES


def test_the_order_of_files_does_not_matter():
    assert encode_files(dict(reversed(FILES.items()))) == encode_files(FILES)


def test_no_files_are_the_empty_tree():
    assert encode_files({}).id == EMPTY_TREE.id


def test_each_part_of_a_path_is_escaped_and_a_file_gets_no_ending():
    encoded = encode_files({"out.json/.hidden file": b"", "out": b""})
    top = decode_tree(encoded.objects[encoded.id].data)
    assert [(entry.mode, entry.name) for entry in top] == [(BLOB_MODE, "out"), (TREE_MODE, "out%2Ejson")]
    inner = decode_tree(encoded.objects[top[1].id].data)
    assert [entry.name for entry in inner] == ["%2Ehidden%20file"]


PARTS = st.text(st.sampled_from("ab.% é~") | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
PATHS = st.lists(
    PARTS.map(lambda part: part.translate({0: "0", ord("/"): "-"})).filter(lambda part: part not in {".", ".."}),
    min_size=1,
    max_size=3,
).map("/".join)


@settings(max_examples=50)
@given(st.dictionaries(PATHS, st.binary(max_size=3), max_size=6))
def test_whatever_files_can_be_kept_read_back_as_they_were(files):
    try:
        encoded = encode_files(files)
    except InvalidValue:
        # Only where a file's path is a directory of another's.
        assert any(path.startswith(f"{other}/") for path in files for other in files)
        return
    assert decode_files(encoded.id, encoded.objects.__getitem__) == files


@pytest.mark.parametrize("path", ["", "/etc/passwd", "a//b", "a/"])
def test_a_path_with_an_empty_part_is_refused(path):
    with pytest.raises(InvalidValue, match="an empty key"):
        encode_files({path: b""})


@pytest.mark.parametrize("path", ["a", "x/a"])
def test_a_file_that_is_a_directory_too_is_refused(path):
    with pytest.raises(InvalidValue, match="a file and a directory at once"):
        encode_files({path: b"", f"{path}/b": b""})


def test_a_part_that_is_too_long_is_refused():
    with pytest.raises(InvalidValue, match="251 bytes"):
        encode_files({f"a/{'b' * 251}/c": b""})


@pytest.mark.parametrize("path", ["../up", "a/../../up", "a/./b", "..", "a\0/b"])
def test_a_path_that_leads_out_of_the_directory_is_refused_when_it_is_written(path):
    with pytest.raises(InvalidValue):
        encode_files({path: b""})


def tree_of(memory, *entries):
    return memory.keep(encode_tree(TreeEntry(mode, name, digest) for mode, name, digest in entries))


@pytest.mark.parametrize("mode", ["100755", "120000", "160000"])
def test_a_link_an_executable_or_a_submodule_is_refused(mode, memory):
    blob = memory.keep(GitObject("blob", b"/etc/passwd"))
    with pytest.raises(InvalidValue, match=f"has the mode {mode}"):
        decode_files(tree_of(memory, (mode, "a", blob)), memory.read)


@pytest.mark.parametrize("name", [".git", "..", "a b", "%2e%2e", "%41"])
def test_a_name_that_would_not_be_written_so_is_refused(name, memory):
    blob = memory.keep(GitObject("blob", b""))
    with pytest.raises(InvalidValue):
        decode_files(tree_of(memory, (BLOB_MODE, name, blob)), memory.read)


@pytest.mark.parametrize("name", ["a%2Fb", "%2Fetc", "%2E.%2Fup", "a%00"])
@pytest.mark.parametrize("mode", [BLOB_MODE, TREE_MODE])
def test_a_name_that_unescapes_to_a_path_is_refused(name, mode, memory):
    blob = memory.keep(GitObject("blob", b""))
    inner = blob if mode == BLOB_MODE else tree_of(memory, (BLOB_MODE, "a", blob))
    with pytest.raises(InvalidValue):
        decode_files(tree_of(memory, (mode, name, inner)), memory.read)


@pytest.mark.parametrize("name", ["%2E.", "%2E"])
def test_a_tree_that_leads_out_of_the_directory_is_refused_when_it_is_read(name, memory):
    inner = tree_of(memory, (BLOB_MODE, "passwd", memory.keep(GitObject("blob", b""))))
    with pytest.raises(InvalidValue):
        decode_files(tree_of(memory, (TREE_MODE, name, inner)), memory.read)


def test_a_file_and_a_directory_of_one_name_are_refused_when_they_are_read(memory):
    blob = memory.keep(GitObject("blob", b""))
    inner = tree_of(memory, (BLOB_MODE, "b", blob))
    with pytest.raises(InvalidValue):
        decode_files(tree_of(memory, (BLOB_MODE, "a.json", blob), (TREE_MODE, "a%2Ejson", inner)), memory.read)
