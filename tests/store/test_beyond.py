"""Which commits of the shelf others do not reach: what git's rev-list says, for histories of any shape."""

from __future__ import annotations

import random
import subprocess

import pytest

from capsulestore.model.digest import Digest
from capsulestore.store import Store

SHAPES = {"a line": 1, "a few branches": 3, "many branches": 12}


def grow(store: Store, width: int, seed: int, count: int = 60) -> list[str]:
    """Make commits that follow on one or two of the last `width`, some within one second; main holds them all."""
    chance = random.Random(seed)
    stream, time, marks, heads = [], 1_700_000_000, [], set()
    for mark in range(1, count + 1):
        parents = chance.sample(marks[-width:], k=min(len(marks[-width:]), chance.choice((1, 1, 2)))) if marks else []
        if mark == count:
            parents = sorted({*heads})
        heads -= set(parents)
        heads.add(mark)
        time += chance.choice((0, 0, 1))
        lines = [
            f"commit refs/heads/side-{mark}",
            f"mark :{mark}",
            f"committer A <a@example.org> {time} +0000",
            "data 1",
            "x",
        ]
        lines += [f"{'merge' if place else 'from'} :{parent}" for place, parent in enumerate(parents)]
        stream.append("\n".join([*lines, "deleteall", ""]))
        marks.append(mark)
    stream.append(f"reset refs/heads/main\nfrom :{count}\n")
    command = ["git", "-C", store.path, "fast-import", "--quiet", "--done"]
    subprocess.run(command, input="\n".join([*stream, "done\n"]), text=True, check=True)
    return subprocess.run(
        ["git", "-C", store.path, "rev-list", "main"], capture_output=True, text=True, check=True
    ).stdout.split()


@pytest.mark.parametrize("width", SHAPES.values(), ids=SHAPES)
def test_commits_beyond_others_are_those_that_git_lists(width, store, git):
    chance = random.Random(width)
    commits = grow(store, width, seed=width)
    for _ in range(25):
        known = chance.sample(commits, k=chance.choice((0, 1, 1, 2, 3)))
        listed = git(store.path, "rev-list", "main", *(f"^{name}" for name in known)).split()
        beyond = store.index.beyond(map(Digest.parse, known))
        assert sorted(str(registration.id) for registration in beyond) == sorted(listed)
        trees = store.index.trees_beyond([*map(Digest.parse, known)])
        assert list(trees.items()) == [(registration.id, registration.commit.tree) for registration in beyond]


def test_what_is_no_commit_of_the_shelf_is_passed_over(store, add):
    recorded = add(store)
    (registration,) = store.commits()
    assert store.index.beyond([recorded.capsule, Digest.parse("0" * 64)]) == [registration]
    assert store.index.beyond([registration.id]) == []


def test_an_empty_shelf_has_no_commits(store):
    assert store.index.beyond([]) == []
    assert not store.index.has_commit(Digest.parse("0" * 64))


def test_the_commits_of_an_environment_are_those_of_all_its_capsules(store, add, encoded):
    first = add(store, "one")
    commits = {registration.id for registration in store.commits()}
    assert set(store.index.commits_of_environment(first.environment)) == commits
    assert all(map(store.index.has_commit, commits))
    assert store.index.commits_of_environment(first.capsule) == []


def test_of_more_trees_than_one_query_takes_those_are_told_that_are_capsules(store, add):
    recorded = add(store)
    (registration,) = store.commits()
    others = [Digest(f"{number:064x}") for number in range(2_000)]
    asked = [*others, registration.id, recorded.capsule, recorded.environment]
    assert store.index.capsules_among(asked) == {recorded.capsule}
    assert store.index.capsules_among([]) == set()
