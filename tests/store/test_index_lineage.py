"""What the index knows of lineage: parents as manifests name them, and the children that follow."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from capsulestore.model.canonical import dumps
from capsulestore.model.digest import Digest
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store

ELSEWHERE = Digest("e" * 64)

Derive = Callable[..., Digest]


@pytest.fixture
def derive() -> Derive:
    """Record a capsule that derives from others: `derive(store, title, *parents)`."""

    def derive(store: Store, title: str, *parents: Digest) -> Digest:
        surroundings = Surroundings(environment={"python": {"rules": 1}})
        return record(store, surroundings, Description(title=title, parents=parents)).capsule

    return derive


@pytest.fixture
def with_manifest(commit, git) -> Callable[[Store, bytes], Digest]:
    """Register, with git, a capsule that has these bytes for its manifest."""

    def with_manifest(store: Store, manifest: bytes) -> Digest:
        blob = git(store.path, "hash-object", "-w", "--stdin", text=manifest.decode())
        empty = git(store.path, "hash-object", "-t", "tree", "-w", "--stdin", text="")
        listed = f"100644 blob {blob}\tcapsule.json\n040000 tree {empty}\tenvironment\n"
        tree = git(store.path, "mktree", text=listed)
        on = git(store.path, "for-each-ref", "--format=%(objectname)", "refs/heads/main").split()
        git(store.path, "update-ref", "refs/heads/main", commit(store, tree, *on))
        return Digest(tree)

    return with_manifest


def manifest_of(store: Store, capsule: Digest, git) -> Path:
    """Return where the manifest's object lies."""
    name = git(store.path, "rev-parse", f"{capsule}:capsule.json")
    return Path(store.path, "objects", name[:2], name[2:])


def listed(store: Store) -> list[Digest]:
    return [capsule.digest for capsule in store.index.capsules()]


def test_parents_stand_as_the_manifest_names_them_and_children_by_when_they_came(store, derive):
    first, second = derive(store, "first"), derive(store, "second")
    fit = derive(store, "fit", second, first)
    plot = derive(store, "plot", first)
    table = derive(store, "table", first, fit)
    with Store(store.path) as another:
        for index in (store.index, another.index):
            assert [index.parents(capsule) for capsule in (first, second, fit, plot, table)] == [
                [],
                [],
                [second, first],
                [first],
                [first, fit],
            ]
            assert [index.children(capsule) for capsule in (first, second, fit, plot, table)] == [
                [fit, plot, table],
                [fit],
                [table],
                [],
                [],
            ]


def test_a_capsule_tells_its_parents_wherever_the_index_tells_of_it(store, derive):
    first = derive(store, "first")
    fit = derive(store, "fit", first)
    registered = store.index.registered(fit)
    assert registered.parents == (first,)
    assert registered.as_dict()["parents"] == [str(first)]
    assert store.index.capsules()[0] == store.index.capsules_beginning_with(str(fit))[0] == registered


def test_a_parent_that_was_named_twice_is_one(store, derive):
    first = derive(store, "first")
    fit = derive(store, "fit", first, ELSEWHERE, first)
    assert store.index.parents(fit) == [first, ELSEWHERE]
    assert store.index.children(first) == [fit]


def test_a_parent_that_is_not_in_this_store_is_kept_and_found_when_it_comes(store, derive, project, tmp_path, git):
    with Store.init(str(tmp_path)) as other:
        first = derive(other, "first")
        fit = derive(store, "fit", first)
        assert store.index.parents(fit) == [first]
        assert store.index.registered(first) is None
        assert store.index.children(first) == [fit]
        assert derive(store, "first") == first
    assert store.index.children(first) == [fit]
    assert [found.digest for found in store.index.related(fit, "parents")] == [first]


def test_what_is_not_registered_has_no_parents_here(store, derive, git):
    first = derive(store, "first")
    fit = derive(store, "fit", first)
    assert store.index.children(first) == [fit]
    git(store.path, "update-ref", "refs/heads/main", "main~1")
    assert store.index.parents(fit) == []
    assert store.index.children(first) == []
    assert store.index.parents(ELSEWHERE) == store.index.children(ELSEWHERE) == []


def test_children_stand_by_their_earliest_registration(store, derive, commit, git):
    first = derive(store, "first")
    late, early = derive(store, "late", first), derive(store, "early", first)
    assert store.index.children(first) == [late, early]
    dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "@1000000000 +0000")
    git(store.path, "update-ref", "refs/heads/main", commit(store, str(early), "main", message="again", **dates))
    assert store.index.children(first) == [early, late]


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_manifest_that_cannot_be_read_hides_no_capsule_and_is_read_once_it_is_back(store, derive, git, how):
    first = derive(store, "first")
    fit = derive(store, "fit", first)
    path = manifest_of(store, fit, git)
    data = path.read_bytes()
    path.unlink()
    if how == "damaged":
        path.write_bytes(data[:-8] + bytes(8))
    for _ in range(2):
        with Store(store.path) as found:
            assert listed(found) == [fit, first]
            assert list(found.index.unreadable()) == []
            assert found.index.beginning_with(str(fit)[:8], "capsule") == [fit]
            assert (found.index.parents(fit), found.index.children(first)) == ([], [])
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    with Store(store.path) as found:
        assert (found.index.parents(fit), found.index.children(first)) == ([first], [fit])
        assert listed(found) == [fit, first]


def test_a_manifest_whose_bytes_are_those_of_another_is_not_believed(store, derive, git):
    first, second = derive(store, "first"), derive(store, "second")
    fit = derive(store, "fit", first)
    path = manifest_of(store, fit, git)
    lie = zlib.decompress(path.read_bytes()).replace(str(first).encode(), str(second).encode())
    path.unlink()
    path.write_bytes(zlib.compress(lie))
    with Store(store.path) as found:
        assert (found.index.parents(fit), found.index.children(second)) == ([], [])


def test_a_newer_schema_is_listed_and_derives_from_what_it_names(store, derive, with_manifest):
    first = derive(store, "first")
    newer = with_manifest(store, dumps({"schema": 99, "title": ["new"], "parents": [str(first)]}))
    assert listed(store) == [newer, first]
    assert (store.index.parents(newer), store.index.children(first)) == ([first], [newer])


MANIFESTS = {
    "a letter": b"dear sir",
    "no mapping": b'["parents"]',
    "parents of another shape": b'{"parents":[1,2]}',
    "one parent and no list": b'{"parents":"%s"}' % str(ELSEWHERE).encode(),
    "nested too deep": b'{"parents":[' * 500 + b"]}" * 500,
    "a comma too many": b'{"parents":["%s",]}' % str(ELSEWHERE).encode(),
}


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_manifest_that_nobody_can_read_has_no_parents_and_hides_no_capsule(store, derive, with_manifest, manifest):
    first = derive(store, "first")
    strange = with_manifest(store, MANIFESTS[manifest])
    after = derive(store, "after", strange)
    assert listed(store) == [after, strange, first]
    assert store.index.parents(strange) == []
    assert store.index.children(strange) == [after]


def test_relatives_are_told_each_once_however_many_ways_lead_to_them(store, derive):
    first = derive(store, "first")
    left, right = derive(store, "left", first), derive(store, "right", first, ELSEWHERE)
    both = derive(store, "both", left, right, first)
    assert {relation: [found.title for found in store.index.related(right, relation)] for relation in RELATIONS} == {
        "parents": ["first"],
        "children": ["both"],
        "ancestors": ["first"],
        "descendants": ["both"],
    }
    assert [found.digest for found in store.index.related(both, "ancestors")] == [first, left, right]
    assert [found.digest for found in store.index.related(first, "descendants")] == [left, right, both]
    assert [found.digest for found in store.index.related(ELSEWHERE, "descendants")] == [right, both]


RELATIONS = ("parents", "children", "ancestors", "descendants")
