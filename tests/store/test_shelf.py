"""The shelf: a commit on main registers a capsule, each capsule once, and git reads it as history."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from capsulestore.errors import CapsuleError, MissingObject
from capsulestore.model.commit import Commit, Person, join
from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE
from capsulestore.store import Store

FAR_FUTURE = 4102444800
"""The first of January 2100."""


@pytest.fixture
def main(git):
    def main(store, value: str) -> None:
        git(store.path, "update-ref", "refs/heads/main", value)

    return main


def test_a_capsule_is_registered_by_a_commit_of_its_tree(store, add, registered):
    digest = add(store).capsule
    assert registered(store) == [str(digest)]


def test_each_registration_follows_the_one_before(store, add, registered, git):
    digests = [str(add(store, title).capsule) for title in ("first", "second", "third")]
    assert registered(store) == digests[::-1]
    assert [len(line.split()) for line in git(store.path, "log", "--format=%P").splitlines()] == [1, 1]


def test_registering_again_adds_nothing(store, add, registered):
    first, again = add(store), add(store)
    assert (first.new, again.new) == (True, False)
    assert len(registered(store)) == 1


def test_registering_again_after_another_adds_nothing(store, add, registered):
    add(store, "first")
    add(store, "second")
    assert not add(store, "first").new
    assert len(registered(store)) == 2


def test_registering_again_in_a_newly_opened_store_adds_nothing(store, add, registered):
    add(store, "first")
    add(store, "second")
    with Store(store.path) as fresh:
        assert not add(fresh, "first").new
    assert len(registered(store)) == 2


def test_registering_again_says_nothing_of_another_title_and_author(store, encoded, git):
    capsule = encoded()
    store.add(capsule, "first title", author=Person("Ada"))
    store.add(capsule, "second title", author=Person("Grace"))
    assert git(store.path, "log", "--format=%an: %s") == "Ada: first title"


def test_the_capsule_asked_for_last_is_named_new_or_not(store, add):
    first, second = add(store, "first").capsule, add(store, "second").capsule
    assert store.resolve("@").digest == second
    add(store, "first")
    assert store.resolve("@").digest == first


def test_a_capsule_whose_objects_are_there_but_that_is_not_registered_is_registered(store, add, registered, git):
    """As after a writer was killed, or a capsule was forgotten."""
    digest = add(store, packages=12).capsule
    git(store.path, "update-ref", "-d", "refs/heads/main")
    assert add(store, packages=12).new
    assert registered(store) == [str(digest)]


@pytest.fixture
def joined(store, add, commit, main, git) -> list[Digest]:
    """Three capsules on a shelf whose tip joins two: on `base` follow `one` on one side and `other` on the other."""
    base = add(store, "base").capsule
    fork = git(store.path, "rev-parse", "main")
    one = add(store, "one").capsule
    left = git(store.path, "rev-parse", "main")
    main(store, fork)
    other = add(store, "other").capsule
    right = git(store.path, "rev-parse", "main")
    main(store, commit(store, empty_tree(store, git), left, right))
    return [base, one, other]


def empty_tree(store, git) -> str:
    return git(store.path, "hash-object", "-t", "tree", "-w", "--stdin", text="")


def test_a_capsule_that_came_by_either_side_of_a_join_is_not_registered_again(store, joined, add, registered):
    before = registered(store)
    for title in ("base", "one", "other"):
        assert not add(store, title).new
    assert registered(store) == before


def test_what_is_new_is_registered_on_top_of_a_join(store, joined, add, registered, sound):
    digest = add(store, "later").capsule
    assert set(registered(store)) == {str(name) for name in [*joined, EMPTY_TREE.id, digest]}
    sound(store)


def test_every_commit_of_a_joined_history_is_there_once_newest_first(store, joined, git):
    commits = list(store.commits())
    assert len(commits) == 4
    assert sorted(str(commit.id) for commit in commits) == sorted(git(store.path, "rev-list", "main").split())
    times = [registration.commit.time for registration in commits]
    assert times == sorted(times, reverse=True)


def test_what_a_join_brought_while_a_writer_waited_is_not_registered_again(
    store, add, writer, digests_of, commit, main, git, registered
):
    add(store, "base")
    base = git(store.path, "rev-parse", "main")
    (digest,) = digests_of(writer(store, 0, 1))
    elsewhere = git(store.path, "rev-parse", "main")
    main(store, base)
    here = commit(store, empty_tree(store, git), base)
    join = commit(store, empty_tree(store, git), here, elsewhere)
    # As git does it: the new value goes into the lock, and the lock into place.
    lock = Path(store.path, "refs/heads/main.lock")
    lock.write_text(f"{join}\n")
    process = writer(store, 0, 1)
    while not Path(store.path, "capsulestore", "refs%2Fheads%2Fmain").exists():
        assert process.poll() is None
    lock.rename(lock.with_suffix(""))
    assert digests_of(process) == [digest]
    assert git(store.path, "rev-parse", "main") == join
    assert registered(store).count(digest) == 1


def test_our_join_is_one_that_git_finds_sound(store, joined, git, main, sound):
    tips = git(store.path, "rev-parse", "main^1", "main^2").split()
    value = join(dict.fromkeys(map(Digest, tips), FAR_FUTURE)).encode()
    git(store.path, "hash-object", "-t", "commit", "-w", "--stdin", text=value.data.decode())
    main(store, str(value.id))
    sound(store)
    assert git(store.path, "log", "-1", "--format=%an <%ae> %ct %s") == f"capsulestore <> {FAR_FUTURE} join"


@pytest.mark.parametrize("ahead", [("GIT_COMMITTER_DATE",), ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")], ids=" ".join)
def test_a_registration_is_never_earlier_than_its_parent(store, add, commit, main, git, ahead):
    tree = str(add(store, "first").capsule)
    main(store, commit(store, tree, **dict.fromkeys(ahead, f"@{FAR_FUTURE} +0000")))
    add(store, "later")
    author, committer = map(int, git(store.path, "log", "-1", "--format=%at %ct").split())
    assert author == committer == FAR_FUTURE


def test_a_registration_after_one_of_the_past_is_of_now(store, add, commit, main, git):
    tree = str(add(store, "first").capsule)
    main(store, commit(store, tree, GIT_AUTHOR_DATE="@1000 +0000", GIT_COMMITTER_DATE="@1000 +0000"))
    before = int(time.time())
    add(store, "later")
    assert before <= int(git(store.path, "log", "-1", "--format=%at")) <= int(time.time())


def test_registrations_of_a_capsule_come_earliest_first(store, add, commit, main):
    digest = add(store, "first").capsule
    tip = str(next(store.commits()).id)
    later = commit(store, str(digest), tip, GIT_COMMITTER_DATE=f"@{FAR_FUTURE} +0000")
    main(store, later)
    assert [str(registration.id) for registration in store.index.registrations(digest)] == [tip, later]


def test_a_commit_whose_tree_is_no_capsule_is_kept(store, add, commit, main, git, registered):
    blob = git(store.path, "hash-object", "-w", "--stdin", text="dear sir")
    tree = git(store.path, "mktree", text=f"100644 blob {blob}\tletter.txt\n")
    main(store, commit(store, tree))
    digest = add(store).capsule
    assert registered(store) == [str(digest), tree]


@pytest.mark.parametrize(
    "header",
    [
        "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n tree 0000\n -----END PGP SIGNATURE-----\n",
        "encoding ISO-8859-1\n",
        "mergetag object 0000\n type commit\n author x\n",
    ],
    ids=["signed", "encoded", "merged tag"],
)
def test_a_commit_with_headers_that_are_not_ours_is_read(store, add, git, main, registered, header):
    first = str(add(store, "first").capsule)
    stamp = "J\xe9 <j@example.org> 1000 +0100"
    data = f"tree {first}\nauthor {stamp}\ncommitter {stamp}\n{header}\nby another\n"
    path = Path(store.root, "commit")
    path.write_bytes(data.encode("latin-1"))
    main(store, git(store.path, "hash-object", "-t", "commit", "-w", "--literally", str(path)))
    assert next(store.commits()).commit.tree == Digest(first)
    assert not add(store, "first").new
    assert add(store, "second").new


def test_a_main_that_names_a_missing_commit_stops_adding_and_stays(store, add):
    main = Path(store.path, "refs/heads/main")
    main.write_text(f"{'0' * 63}1\n")
    with pytest.raises(MissingObject):
        add(store)
    assert main.read_text() == f"{'0' * 63}1\n"


def test_a_main_that_names_no_commit_is_an_error_of_ours(store, add):
    digest = add(store).capsule
    main = Path(store.path, "refs/heads/main")
    main.write_text(f"{digest}\n")
    with pytest.raises(CapsuleError) as caught:
        add(store, "another")
    assert caught.value.exit_code == 4


def test_a_shelf_that_is_empty_has_no_commits(store):
    assert list(store.commits()) == []


def test_a_commit_is_what_its_bytes_say(store, add, git):
    digest = add(store, "a title").capsule
    assert Commit.decode(git(store.path, "cat-file", "commit", "main").encode() + b"\n").tree == digest
