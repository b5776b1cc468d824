"""What `git fsck --strict` finds wrong with a commit, a tag, or a name in a tree, is refused when it comes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable

import pytest
from pack_making import pack, whole

from capsulestore.errors import InvalidValue
from capsulestore.model.commit import Commit
from capsulestore.model.objects import EMPTY_TREE, GitObject, TreeEntry, encode_tree
from capsulestore.sync.checks.commits import LATEST, decode_tag, links_of
from capsulestore.sync.checks.tree_names import is_dangerous

TREE = b"tree %s\n" % str(EMPTY_TREE.id).encode()
PERSON = b"A <a@example.org> 1700000000 +0000"
AUTHOR = b"author %s\n" % PERSON
COMMITTER = b"committer %s\n" % PERSON
SOUND_COMMITS = {
    "as git writes it": TREE + AUTHOR + COMMITTER + b"\nmessage\n",
    "of two parents": TREE + b"parent %s\n" % (b"1" * 64) + b"parent %s\n" % (b"2" * 64) + AUTHOR + COMMITTER + b"\n",
    "without a message": TREE + AUTHOR + COMMITTER + b"\n",
    "with a signature and an encoding": TREE
    + AUTHOR
    + COMMITTER
    + b"encoding latin1\ngpgsig a\n b\n \n c\n\nmessage\n",
    "by somebody without an address": TREE + b"author A <> 0 -0730\n" + COMMITTER + b"\n\xff\n",
    "by nobody": TREE + b"author  <> 1 +0000\n" + COMMITTER + b"\n",
}
WRONG_COMMITS = {
    "nothing": b"",
    "no tree": AUTHOR + COMMITTER + b"\n",
    "a short tree": TREE[:40] + b"\n" + AUTHOR + COMMITTER + b"\n",
    "a short parent": TREE + b"parent 00\n" + AUTHOR + COMMITTER + b"\n",
    "no author": TREE + COMMITTER + b"\n",
    "two authors": TREE + AUTHOR + AUTHOR + COMMITTER + b"\n",
    "no committer": TREE + AUTHOR + b"\n",
    "no address": TREE + b"author A 1 +0000\n" + COMMITTER + b"\n",
    "no end of the address": TREE + b"author A <a 1 +0000\n" + COMMITTER + b"\n",
    "two addresses": TREE + b"author A <a> <b> 1 +0000\n" + COMMITTER + b"\n",
    "no space before the address": TREE + b"author A<a> 1 +0000\n" + COMMITTER + b"\n",
    "no space before the date": TREE + b"author A <a>1 +0000\n" + COMMITTER + b"\n",
    "no date": TREE + b"author A <a> +0000\n" + COMMITTER + b"\n",
    "a date with a zero before it": TREE + b"author A <a> 01 +0000\n" + COMMITTER + b"\n",
    "a date before 1970": TREE + b"author A <a> -1 +0000\n" + COMMITTER + b"\n",
    "a date that no number holds": TREE + b"author A <a> 99999999999999999999 +0000\n" + COMMITTER + b"\n",
    "no time zone": TREE + b"author A <a> 1\n" + COMMITTER + b"\n",
    "a time zone in words": TREE + b"author A <a> 1 UTC\n" + COMMITTER + b"\n",
    "no end": TREE + AUTHOR + COMMITTER[:-1],
    "a nul in the message": TREE + AUTHOR + COMMITTER + b"\nm\0\n",
    "a nul in the author": TREE + b"author A\0 <a> 1 +0000\n" + COMMITTER + b"\n",
}


@pytest.fixture
def complained_of(store):
    """The ids of those objects of which git's fsck finds something wrong."""

    def complained_of(*objects: GitObject) -> set[str]:
        subprocess.run(["git", "-C", store.path, "unpack-objects", "-q"], input=pack(*map(whole, objects)), check=True)
        done = subprocess.run(
            ["git", "-C", store.path, "fsck", "--strict", "--no-dangling"], capture_output=True, text=True, check=False
        )
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("error")]
        return {str(value.id) for value in objects if any(str(value.id) in line for line in said)}

    return complained_of


def refused(decode, objects: Iterable[GitObject]) -> set[str]:
    found = set()
    for value in objects:
        try:
            decode(value.data)
        except InvalidValue:
            found.add(str(value.id))
    return found


def test_commits_that_git_complains_of_are_refused_and_no_others(complained_of):
    sound = {name: GitObject("commit", data) for name, data in SOUND_COMMITS.items()}
    wrong = {name: GitObject("commit", data) for name, data in WRONG_COMMITS.items()}
    objects = [*sound.values(), *wrong.values()]
    assert complained_of(EMPTY_TREE, *objects) == {str(value.id) for value in wrong.values()}
    assert refused(links_of, objects) == {str(value.id) for value in wrong.values()}


@pytest.mark.parametrize("data", SOUND_COMMITS.values(), ids=SOUND_COMMITS)
def test_a_sound_commit_is_read_as_it_is_elsewhere(data):
    commit = Commit.decode(data)
    assert links_of(data) == (commit.tree, commit.parents)


@pytest.mark.parametrize("header", [b"parent " + b"0" * 64, b"tree " + b"0" * 64, b"author " + PERSON])
def test_no_header_stands_where_git_passes_over_it_and_others_do_not(header):
    with pytest.raises(InvalidValue):
        links_of(TREE + AUTHOR + COMMITTER + b"gpgsig a\n" + header + b"\n\nmessage\n")


def test_a_commit_of_a_year_that_would_spoil_all_dates_to_come_is_refused():
    for time, is_sound in ((LATEST, True), (LATEST + 1, False)):
        for line in (b"author", b"committer"):
            late = (TREE + AUTHOR + COMMITTER + b"\n").replace(line + b" " + PERSON, line + b" A <> %d +0000" % time)
            assert (refused(links_of, [GitObject("commit", late)]) == set()) is is_sound


TAG = b"object %s\ntype tree\ntag v1\ntagger %s\n\nv1\n" % (str(EMPTY_TREE.id).encode(), PERSON)
WRONG_TAGS = {
    "nothing": b"",
    "no object": TAG[72:],
    "no kind": TAG.replace(b"type tree\n", b""),
    "an unknown kind": TAG.replace(b"type tree", b"type bush"),
    "no name": TAG.replace(b"tag v1\n", b""),
    "no date": TAG.replace(b" 1700000000 +0000", b""),
}


def test_tags_that_git_complains_of_are_refused_and_no_others(complained_of):
    sound = [GitObject("tag", data) for data in (TAG, TAG.replace(b"tagger %s\n" % PERSON, b""))]
    wrong = [GitObject("tag", data) for data in WRONG_TAGS.values()]
    assert complained_of(EMPTY_TREE, *sound, *wrong) == {str(value.id) for value in wrong}
    assert refused(decode_tag, [*sound, *wrong]) == {str(value.id) for value in wrong}


DANGEROUS = [
    *(".", "..", ".git", ".GIT", ".Git", "git~1", "GIT~1", ".git ", ".git.", ".git. .", ".git::$INDEX", "a\\.git"),
    *(".g\u200cit", "\ufeff.git", ".gitmodules", ".gitModules ", "gitmod~1", ".gitattributes"),
]
HARMLESS = [
    "git",
    ".gitignore",
    "...",
    ".github",
    "a.git",
    "capsule.json",
    "%2Egit",
    "é",
    "a b",
    "~",
    "gi",
    ".a",
    "x\\y",
]


def test_names_that_git_complains_of_are_refused(complained_of):
    """The last few it looks into, which is more than is done here."""
    link = GitObject("blob", b"elsewhere")
    trees = {name: encode_tree([TreeEntry("120000", name, link.id)]) for name in [*DANGEROUS, *HARMLESS]}
    found = complained_of(link, *trees.values())
    by_git = {name for name, tree in trees.items() if str(tree.id) in found}
    assert by_git <= {name for name in trees if is_dangerous(name)} == set(DANGEROUS)
    assert {".", "..", ".git", ".GIT", "git~1", ".git ", "a\\.git", ".g\u200cit", ".gitmodules"} <= by_git
