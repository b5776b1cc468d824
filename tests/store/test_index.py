"""The index answers of the very tip of main, however main came to be there; git is the judge."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE
from capsulestore.store import Store

NOW = 1_700_000_000


@dataclass(frozen=True)
class ByGit:
    """A commit of main as git reads it; `place` orders commits: by time, then by generation, then by id."""

    tree: str
    author: str
    title: str
    place: tuple[int, int, str]


@pytest.fixture
def by_git(git):
    """Read the commits that main reaches with git."""

    def by_git(store) -> list[ByGit]:
        if not git(store.path, "for-each-ref", "refs/heads/main"):
            return []
        shape = "--format=%H%x00%T%x00%P%x00%ct%x00%an <%ae>%x00%s"
        lines = git(store.path, "log", "--topo-order", "--reverse", shape, "main").splitlines()
        assert len(lines) == int(git(store.path, "rev-list", "--count", "main"))
        found: dict[str, ByGit] = {}
        for line in lines:
            name, tree, parents, time, author, title = line.split("\0")
            generation = 1 + max((found[parent].place[1] for parent in parents.split()), default=0)
            found[name] = ByGit(tree, author, title, (int(time), generation, name))
        return list(found.values())

    return by_git


@pytest.fixture
def assert_right(by_git, git):
    """Assert that the index answers as git does, in this handle and in a new one; return the titles as listed."""

    def capsules_among(store, commits: list[ByGit]) -> dict[str, str]:
        """Return each capsule on main with its environment."""
        trees = {commit.tree for commit in commits}
        entries = {tree: git(store.path, "ls-tree", tree).replace("\t", " ").split() for tree in trees}
        return {
            tree: words[words.index("environment") - 1] for tree, words in entries.items() if "capsule.json" in words
        }

    def assert_right(store) -> list[str]:
        commits = sorted(by_git(store), key=lambda commit: commit.place)
        first = {commit.tree: commit for commit in reversed(commits)}
        environments = capsules_among(store, commits)
        expected = [
            commit for commit in reversed(commits) if commit.tree in environments and commit is first[commit.tree]
        ]
        with Store(store.path) as another:
            for index in (store.index, another.index):
                listed = index.capsules()
                assert [(str(capsule.digest), str(capsule.commit)) for capsule in listed] == [
                    (commit.tree, commit.place[2]) for commit in expected
                ]
                assert [(capsule.author, capsule.title, capsule.time) for capsule in listed] == [
                    (commit.author, commit.title, commit.place[0]) for commit in expected
                ]
                assert [str(capsule.environment) for capsule in listed] == [
                    environments[commit.tree] for commit in expected
                ]
                assert index.beginning_with("", "capsule") == sorted(map(Digest, environments))
                assert index.beginning_with("", "environment") == sorted({*map(Digest, environments.values())})
                for tree in first:
                    found = index.registrations(Digest(tree))
                    assert [str(registration.id) for registration in found] == [
                        commit.place[2] for commit in commits if commit.tree == tree
                    ]
                assert [index.registered(capsule.digest) for capsule in listed] == listed
        return [commit.title for commit in expected]

    return assert_right


@pytest.fixture
def at(commit, git):
    """Commit at a time and move main there: `at(store, seconds, tree, *parents, title=...)`; the parent is main."""

    def at(store, seconds: int, tree, *parents: str, title: str = "by git") -> str:
        parents = parents or tuple(git(store.path, "for-each-ref", "--format=%(objectname)", "refs/heads/main").split())
        dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"@{seconds} +0000")
        name = commit(store, str(tree), *parents, message=title, **dates)
        git(store.path, "update-ref", "refs/heads/main", name)
        return name

    return at


@pytest.fixture
def empty_tree(git):
    return lambda store: git(store.path, "hash-object", "-t", "tree", "-w", "--stdin", text="")


def tip(git, store) -> str:
    return git(store.path, "rev-parse", "main")


def test_an_empty_shelf_has_nothing(store, assert_right):
    assert assert_right(store) == []
    assert store.index.registered(EMPTY_TREE.id) is None
    assert not store.index.holds(EMPTY_TREE.id)


def test_what_is_added_is_listed_newest_first_though_all_within_a_second(store, add, assert_right):
    titles = [f"number {number}" for number in range(5)]
    for count, title in enumerate(titles, start=1):
        add(store, title)
        assert assert_right(store) == titles[:count][::-1]


@pytest.mark.parametrize("order", [1, -1], ids=["one side first", "other side first"])
def test_a_join_brings_what_either_side_has(store, add, assert_right, git, at, empty_tree, order):
    add(store, "base")
    base = tip(git, store)
    add(store, "left")
    left = tip(git, store)
    assert_right(store)
    git(store.path, "update-ref", "refs/heads/main", base)
    add(store, "right")
    assert sorted(assert_right(store)) == ["base", "right"]
    at(store, NOW + 10**8, empty_tree(store), *[left, tip(git, store)][::order])
    assert sorted(assert_right(store)) == ["base", "left", "right"]
    assert not store.index.holds(Digest("0" * 64))
    add(store, "after")
    assert assert_right(store)[0] == "after"


def test_a_join_of_shelves_that_have_nothing_in_common(store, add, assert_right, git, at, empty_tree):
    add(store, "here")
    here = tip(git, store)
    git(store.path, "update-ref", "-d", "refs/heads/main")
    add(store, "elsewhere")
    assert assert_right(store) == ["elsewhere"]
    at(store, NOW, empty_tree(store), here, tip(git, store))
    assert sorted(assert_right(store)) == ["elsewhere", "here"]


def test_a_fast_forward_by_git(store, add, assert_right, git):
    names = []
    for title in ("first", "second", "third"):
        add(store, title)
        names.append(tip(git, store))
    git(store.path, "update-ref", "refs/heads/main", names[0])
    assert assert_right(store) == ["first"]
    git(store.path, "update-ref", "refs/heads/main", names[2], names[0])
    assert assert_right(store) == ["third", "second", "first"]


def test_capsules_vanish_when_git_moves_main_back_and_can_be_added_anew(store, add, assert_right, git):
    first = add(store, "first").capsule
    before = tip(git, store)
    second = add(store, "second").capsule
    assert_right(store)
    git(store.path, "update-ref", "refs/heads/main", before)
    assert assert_right(store) == ["first"]
    assert (store.index.holds(first), store.index.holds(second)) == (True, False)
    assert add(store, "second").new
    assert assert_right(store) == ["second", "first"]


def test_nothing_is_left_when_main_is_deleted(store, add, assert_right, git):
    digest = add(store, "first").capsule
    assert_right(store)
    git(store.path, "update-ref", "-d", "refs/heads/main")
    assert assert_right(store) == []
    assert store.index.registered(digest) is None
    assert add(store, "first").new
    assert assert_right(store) == ["first"]


def test_another_history_takes_the_place_of_the_one_that_was(store, add, assert_right, git, at):
    digest = add(store, "first").capsule
    add(store, "second")
    assert_right(store)
    git(store.path, "update-ref", "-d", "refs/heads/main")
    at(store, NOW, digest, title="told otherwise")
    assert assert_right(store) == ["told otherwise"]


def test_main_in_packed_refs_and_objects_in_packs(store, add, assert_right, git):
    add(store, "first")
    git(store.path, "pack-refs", "--all")
    assert assert_right(store) == ["first"]
    add(store, "second")
    git(store.path, "gc", "-q", "--prune=now")
    assert assert_right(store) == ["second", "first"]


@pytest.mark.parametrize("later", [60, 0, -60], ids=["later", "in the same second", "earlier by its own date"])
def test_a_capsule_registered_twice_is_listed_once_at_its_earliest(store, encoded, assert_right, at, later):
    store.add(encoded("first"), "first")
    when = store.index.registered(encoded("first").id).time
    at(store, when + later, encoded("first").id, title="again")
    store.add(encoded("second"), "second")
    listed = assert_right(store)
    assert listed[0] == "second"
    assert listed[1:] == (["again"] if later < 0 else ["first"])
    assert len(store.index.registrations(encoded("first").id)) == 2


def test_commits_of_the_same_second_stand_by_how_much_came_before_them(store, encoded, assert_right, at, git):
    capsules = [encoded(title) for title in ("a", "b", "c", "d")]
    for capsule in capsules:
        store.add(capsule, "to have its objects")
    git(store.path, "update-ref", "-d", "refs/heads/main")
    for capsule in capsules:
        at(store, NOW, capsule.id, title=f"number {capsules.index(capsule)}")
    assert assert_right(store) == ["number 3", "number 2", "number 1", "number 0"]


def test_commits_whose_times_go_backwards_stand_by_their_times(store, encoded, assert_right, at, git):
    capsules = [encoded(title) for title in ("a", "b", "c")]
    for capsule in capsules:
        store.add(capsule, "to have its objects")
    git(store.path, "update-ref", "-d", "refs/heads/main")
    for number, capsule in enumerate(capsules):
        at(store, NOW - number, capsule.id, title=f"number {number}")
        assert_right(store)
    assert assert_right(store) == ["number 0", "number 1", "number 2"]
