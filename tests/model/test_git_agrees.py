"""Real git makes the same objects from the same facts: every id of the vectors, and of values nobody chose."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.model.digest import Digest
from capsulestore.model.mapping import encode_mapping
from capsulestore.model.objects import BLOB_MODE, TREE_MODE, TreeEntry, encode_tree

DIGESTS = json.loads((Path(__file__).parents[1] / "vectors" / "digests.json").read_text("utf-8"))


def having(key):
    vectors = [vector for vector in DIGESTS if key in vector]
    return pytest.mark.parametrize("vector", vectors, ids=[vector["name"] for vector in vectors])


# The formats again, from the design alone: names by the library's percent-encoding, values by the package rfc8785.


def escaped(key):
    name = quote(key, safe="+@").replace("~", "%7E")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def tree_name(key):
    name = escaped(key)
    return f"{name[:-5]}%2Ejson" if name.endswith(".json") else name


def mapping_in(git, mapping, level=0):
    return git.tree(
        ("tree", tree_name(key), mapping_in(git, value, level + 1))
        if isinstance(value, dict) and level < 2
        else ("blob", f"{escaped(key)}.json", git.blob(rfc8785.dumps(value)))
        for key, value in mapping.items()
    )


def files_in(git, files):
    here = {path: text for path, text in files.items() if "/" not in path}
    folders = {path.partition("/")[0] for path in files} - here.keys()
    return git.tree(
        [("blob", escaped(name), git.blob(text.encode())) for name, text in here.items()]
        + [("tree", tree_name(folder), files_in(git, below(folder, files))) for folder in folders]
    )


def below(folder, files):
    return {path.removeprefix(f"{folder}/"): text for path, text in files.items() if path.startswith(f"{folder}/")}


def capsule_in(git, vector):
    entries = [
        ("blob", "capsule.json", git.blob(rfc8785.dumps(vector["manifest"]))),
        ("tree", "environment", mapping_in(git, vector["environment"])),
    ]
    if "context" in vector:
        entries.append(("tree", "context", mapping_in(git, vector["context"])))
    if "files" in vector:
        entries.append(("tree", "files", files_in(git, vector["files"])))
    return git.tree(entries)


def registration_in(git, vector):
    parents = [registration_in(git, DIGESTS[place]) for place in vector["registered"]["parents"]]
    registered = vector["registered"]
    return git.commit(
        capsule_in(git, vector),
        *parents,
        author=registered["author"],
        time=registered["time"],
        message=f"{vector['manifest']['title']}\n",
    )


@having("environment")
def test_git_gives_an_environment_the_same_digest(vector, git):
    assert mapping_in(git, vector["environment"]) == vector["environment_digest"]


@having("environment")
def test_git_gives_each_layer_the_same_digest(vector, git):
    for layer, digest in vector["layers"].items():
        assert mapping_in(git, vector["environment"][layer], level=1) == digest


@having("capsule_digest")
def test_git_gives_a_capsule_the_same_digest(vector, git, capsule_of):
    assert capsule_in(git, vector) == vector["capsule_digest"] == str(capsule_of(vector).id)


@having("registration")
def test_git_makes_the_same_registration(vector, git, registration_of):
    assert registration_in(git, vector) == vector["registration"] == str(registration_of(vector).encode().id)


@having("statement")
def test_git_gives_a_statement_the_same_tree(vector, git):
    statement = ("blob", "statement.json", git.blob(rfc8785.dumps(vector["statement"])))
    assert git.tree([statement, ("tree", "subject", capsule_in(git, vector))]) == vector["statement_tree"]


@having("join")
def test_git_makes_the_same_join(vector, git):
    joined = [DIGESTS[place] for place in vector["join"]]
    commit = git.commit(
        git.tree(()),
        *sorted(registration_in(git, one) for one in joined),
        author="capsulestore <>",
        time=max(one["registered"]["time"] for one in joined),
        message="join\n",
    )
    assert commit == vector["join_commit"]


@having("registration")
def test_git_takes_our_objects_and_finds_nothing_to_say_of_them(vector, git, capsule_of, registration_of):
    encoded = capsule_of(vector)
    for value in encoded.objects.values():
        assert git.put(value) == str(value.id)
    commit = registration_of(vector).encode()
    assert git.put(commit) == str(commit.id)
    # A parent is another vector's; git finds it where that one was put in.
    for place in vector["registered"]["parents"]:
        registration_in(git, DIGESTS[place])
    assert git.run("fsck", "--strict", "--no-dangling", str(commit.id)) == ""


NAMES = st.text(
    st.sampled_from("ab0.-_/ é\udcff") | st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    min_size=1,
    max_size=4,
).filter(lambda name: "/" not in name)


@given(st.dictionaries(NAMES, st.sampled_from(["tree", "blob"]), max_size=8))
def test_git_sorts_the_entries_of_any_tree_as_we_do(git, kinds):
    # Not in the repository: of an object that is there, git would hold the kind against ours.
    anything = Digest.parse("1" * 64)
    entries = [TreeEntry(TREE_MODE if kind == "tree" else BLOB_MODE, name, anything) for name, kind in kinds.items()]
    assert git.tree((kind, name, str(anything)) for name, kind in kinds.items()) == str(encode_tree(entries).id)


KEYS = st.text(st.sampled_from("ab.-/~% é😀") | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
VALUES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=4) | st.just(0.5)
ENTRIES = VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(KEYS, VALUES, max_size=3)
LAYERS = st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, ENTRIES, max_size=3), max_size=3)


@settings(max_examples=50)
@given(st.dictionaries(KEYS, VALUES | LAYERS, max_size=3))
def test_git_gives_any_environment_the_same_digest(git, mapping):
    assert mapping_in(git, mapping) == str(encode_mapping(mapping).id)
