"""A commit that git itself wrote, as people's own tools may write them to a shelf, is read."""

import pytest

from capsulestore.model.commit import Commit, Person
from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject

AUTHOR = "Zoë Author <zoe@example.org>"


@pytest.fixture
def tips(git):
    tree = git.tree(())
    return [git.commit(tree, author=AUTHOR, time=time, message=f"tip {time}") for time in (1, 2, 3)]


def test_tree_parents_author_time_and_message_are_read(git, tips):
    tree = git.tree([("blob", "a", git.blob(b"1"))])
    name = git.commit(tree, *tips, author=AUTHOR, time=1700000000, message="first line\n\nand more\n")
    assert Commit.decode(git.data("commit", name)) == Commit(
        tree=Digest.parse(tree),
        parents=tuple(map(Digest.parse, tips)),
        author=Person("Zoë Author", "zoe@example.org"),
        time=1700000000,
        message="first line\n\nand more",
    )


def test_a_commit_without_parents_and_message_is_read(git):
    commit = Commit.decode(git.data("commit", git.commit(git.tree(()), author="A <>", time=5, message="")))
    assert (commit.parents, commit.author, commit.message) == ((), Person("A"), "")


@pytest.mark.parametrize(("authored", "committed"), [(10, 20), (20, 10)])
def test_the_author_says_who_and_the_later_of_the_two_dates_when(authored, committed, git):
    name = git.run(
        "commit-tree",
        git.tree(()),
        GIT_AUTHOR_NAME="Author",
        GIT_AUTHOR_EMAIL="author@example.org",
        GIT_AUTHOR_DATE=f"@{authored} +0530",
        GIT_COMMITTER_NAME="Committer",
        GIT_COMMITTER_EMAIL="committer@example.org",
        GIT_COMMITTER_DATE=f"@{committed} +0000",
    )
    commit = Commit.decode(git.data("commit", name))
    assert (commit.author, commit.time) == (Person("Author", "author@example.org"), 20)


def test_a_signature_and_other_headers_are_passed_over(git, tips):
    plain = git.data("commit", git.commit(git.tree(()), *tips[:2], author=AUTHOR, time=7, message="signed\n"))
    head, _, message = plain.partition(b"\n\n")
    signature = b"gpgsig-sha256 -----BEGIN PGP SIGNATURE-----\n \n parent 1\n -----END PGP SIGNATURE-----\n"
    signed = GitObject("commit", head + b"\n" + signature + b"\n" + message)
    assert git.put(signed) == str(signed.id)
    assert Commit.decode(git.data("commit", str(signed.id))) == Commit.decode(plain)


def test_a_message_in_another_encoding_is_read_as_far_as_it_can_be(git):
    name = git.run(
        "-c",
        "i18n.commitEncoding=ISO-8859-1",
        "commit-tree",
        git.tree(()),
        stdin="Grüße".encode("latin-1"),
        GIT_AUTHOR_NAME="A",
        GIT_AUTHOR_EMAIL="",
        GIT_COMMITTER_NAME="A",
        GIT_COMMITTER_EMAIL="",
    )
    data = git.data("commit", name)
    assert b"encoding ISO-8859-1" in data
    assert Commit.decode(data).message == "Gr\ufffd\ufffde"


def test_what_we_write_git_reads_as_we_meant_it(git, tips):
    commit = Commit(
        tree=Digest.parse(git.tree(())),
        parents=tuple(map(Digest.parse, tips)),
        author=Person("Zoë", "zoe@example.org"),
        time=1700000000,
        message="a title",
    )
    name = git.put(commit.encode())
    shown = git.run("show", "--no-patch", "--format=%T|%P|%an|%ae|%at|%cn|%ct|%s|%b", name)
    expected = [commit.tree, " ".join(tips), "Zoë", "zoe@example.org", 1700000000, "Zoë", 1700000000, "a title", ""]
    assert shown == "|".join(map(str, expected))
