"""Commits of the shelf: registrations, joins, and what is read of a commit whoever wrote it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsulestore.errors import CapsuleError
from capsulestore.model.commit import Commit, Person, join
from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE

DIGESTS = json.loads((Path(__file__).parents[1] / "vectors" / "digests.json").read_text("utf-8"))
REGISTERED = [vector for vector in DIGESTS if "registration" in vector]
(JOINED,) = [vector for vector in DIGESTS if "join" in vector]

TREE = EMPTY_TREE.id
ONE, TWO = Digest.parse("1" * 64), Digest.parse("2" * 64)
COMMIT = Commit(tree=TREE, parents=(TWO, ONE), author=Person("A U Thor", "a@example.org"), time=5, message="fit")


@pytest.mark.parametrize("vector", REGISTERED, ids=[vector["name"] for vector in REGISTERED])
def test_a_registration_has_the_id_of_its_vector(vector, registration_of):
    assert str(registration_of(vector).encode().id) == vector["registration"]


@pytest.mark.parametrize("vector", REGISTERED, ids=[vector["name"] for vector in REGISTERED])
def test_a_registration_reads_back(vector, registration_of):
    commit = registration_of(vector)
    assert Commit.decode(commit.encode().data) == commit


def test_the_join_of_a_pull_has_the_id_of_its_vector(registration_of):
    commits = [registration_of(DIGESTS[place]) for place in JOINED["join"]]
    joined = join({commit.encode().id: commit.time for commit in commits})
    assert str(joined.encode().id) == JOINED["join_commit"]


def test_a_join_does_not_depend_on_the_order_of_its_parents():
    assert join({ONE: 7, TWO: 5}) == join({TWO: 5, ONE: 7})


def test_a_join_has_sorted_parents_the_later_time_and_the_empty_tree():
    joined = join({TWO: 5, ONE: 7})
    assert joined.parents == (ONE, TWO)
    assert joined.time == 7
    assert joined.tree == EMPTY_TREE.id
    assert (str(joined.author), joined.message) == ("capsulestore <>", "join")


def test_parents_stay_in_the_order_they_are_given():
    assert b"parent " + b"2" * 64 + b"\nparent " + b"1" * 64 in COMMIT.encode().data


def test_the_bytes_are_git_s_own():
    assert (
        COMMIT.encode().data
        == (
            f"tree {TREE}\nparent {TWO}\nparent {ONE}\n"
            "author A U Thor <a@example.org> 5 +0000\n"
            "committer A U Thor <a@example.org> 5 +0000\n"
            "\nfit\n"
        ).encode()
    )


FIELDS = {
    "a plain name": (Person("A U Thor", "a@example.org"), "A U Thor <a@example.org>"),
    "no address": (Person("A U Thor"), "A U Thor <>"),
    "no name": (Person(""), "unknown <>"),
    "a name of spaces": (Person("  "), "unknown <>"),
    "a name with brackets": (Person("A <b> C"), "A b C <>"),
    "a name with a line's end": (Person("A\nparent x"), "Aparent x <>"),
    "an address with brackets and a line's end": (Person("A", "<a@b>\n"), "A <a@b>"),
    "a nul": (Person("A\0B"), "AB <>"),
    "letters beyond ASCII": (Person("Zoë 日本", "ü@example.org"), "Zoë 日本 <ü@example.org>"),
}


@pytest.mark.parametrize(("person", "text"), FIELDS.values(), ids=FIELDS)
def test_what_would_end_the_field_is_left_out_of_a_person(person, text):
    assert str(person) == text


PEOPLE = st.builds(Person, st.text(max_size=8), st.text(max_size=8))


@given(PEOPLE, st.text(max_size=20), st.integers(0, 2**40))
def test_no_name_or_title_can_add_a_line_to_a_commit(author, message, time):
    commit = COMMIT._replace(author=author, message=message, time=time)
    data = commit.encode().data
    assert data.count(b"\n") == 7
    read = Commit.decode(data)
    assert (read.tree, read.parents, read.time) == (TREE, (TWO, ONE), time)
    assert read.encode().data == data


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("two\nlines", "two lines"),
        ("  around  ", "around"),
        ("a\r\n\tb", "a b"),
        ("\n\nparent x", "parent x"),
        ("", ""),
        ("Grüße 😀", "Grüße 😀"),
        ("lone \ud800", "lone ?"),
    ],
)
def test_a_title_becomes_one_line(title, line):
    assert Commit.decode(COMMIT._replace(message=title).encode().data).message == line


FOREIGN = {
    "a signature over several lines": b"gpgsig-sha256 -----BEGIN SIGNATURE-----\n parent 3\n \n tree 4\n -----END\n",
    "an encoding": b"encoding ISO-8859-1\n",
    "a merged tag": b"mergetag object 5\n type commit\n tagger X <x> 1 +0000\n \n message\n",
    "a header of a later git": b"x-later yes\n",
}


@pytest.mark.parametrize("header", FOREIGN.values(), ids=FOREIGN)
def test_headers_that_are_not_ours_are_passed_over(header):
    head, _, message = COMMIT.encode().data.partition(b"\n\n")
    assert Commit.decode(head + b"\n" + header + b"\n" + message) == COMMIT


@pytest.mark.parametrize(
    ("line", "author", "time"),
    [
        ("A <a@b> 5 +0200", Person("A", "a@b"), 5),
        ("A <a@b> 5 -1130", Person("A", "a@b"), 5),
        ("A <> 5 +0000", Person("A"), 5),
        ("<a@b> 5 +0000", Person("", "a@b"), 5),
        (" <a@b> 5 +0000", Person("", "a@b"), 5),
        ("A B <a@b> -5 +0000", Person("A B", "a@b"), -5),
    ],
)
def test_who_and_when_are_read_as_git_writes_them(line, author, time):
    commit = Commit.decode(f"tree {TREE}\nauthor {line}\ncommitter {line}\n\nm\n".encode())
    assert (commit.author, commit.time) == (author, time)


def test_a_message_of_several_paragraphs_is_read_whole():
    data = COMMIT.encode().data.removesuffix(b"fit\n") + b"first\n\nsecond\n\ntree third\n"
    assert Commit.decode(data).message == "first\n\nsecond\n\ntree third"


def test_bytes_that_are_no_utf_8_are_read_nevertheless():
    assert Commit.decode(COMMIT.encode().data.replace(b"fit", b"f\xfft")).message == "f\ufffdt"


DATA = COMMIT.encode().data
NO_COMMITS = {
    "nothing": b"",
    "another object": b'{"a":1}',
    "no tree": DATA.replace(b"tree ", b"root "),
    "no author": DATA.replace(b"author ", b"writer "),
    "no committer": DATA.replace(b"committer ", b"registrar "),
    "an author without a time": DATA.replace(b"> 5 +0000", b">", 1),
    "an author without an address": DATA.replace(b" <a@example.org>", b"", 1),
    "a time that is no number": DATA.replace(b"> 5 ", b"> five ", 1),
    "a time of thousands of digits": DATA.replace(b"> 5 ", b"> %s " % (b"9" * 5000)),
    "a tree of 40 digits": DATA.replace(b"tree %s" % TREE.hex.encode(), b"tree %s" % (b"1" * 40)),
    "a parent that is no digest": DATA.replace(b"1" * 64, b"x"),
}


@pytest.mark.parametrize("data", NO_COMMITS.values(), ids=NO_COMMITS)
def test_bytes_that_are_no_commit_are_an_error_of_ours(data):
    with pytest.raises(CapsuleError):
        Commit.decode(data)
