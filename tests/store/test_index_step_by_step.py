"""An index brought up to date step by step answers as one that is made anew, and as the commits of main say."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.model.capsule import Capsule
from capsulestore.model.commit import Commit, Person
from capsulestore.model.digest import Digest
from capsulestore.model.manifest import Manifest
from capsulestore.model.mapping import encode_mapping
from capsulestore.model.objects import EMPTY_TREE, Encoded, GitObject, TreeEntry, encode_tree
from capsulestore.model.statement import STATEMENT_TYPE, Statement
from capsulestore.store import Store
from capsulestore.store.database import ObjectDatabase
from capsulestore.store.history import History
from capsulestore.store.index import Index
from capsulestore.store.refs import MAIN, Refs

NOW = 1_700_000_000
ELSEWHERE = Digest("e" * 64)


def capsule(title: str, *parents: Digest) -> Encoded:
    environment = encode_mapping({"python": {"rules": 1}})
    manifest = {"schema": 1, "title": title, "environment_digest": str(environment.id)}
    if parents:
        manifest |= {"parents": [str(parent) for parent in parents]}
    manifest = Manifest.parse(manifest)
    return Capsule(manifest=manifest, environment=environment.id).encode(environment)


def statement(about: Digest) -> Encoded:
    subject = [{"name": "a capsule", "digest": {"gitTree": str(about)}}]
    kind = "https://example.org/kind"
    return Statement.parse({"_type": STATEMENT_TYPE, "subject": subject, "predicateType": kind}).encode()


def letter() -> Encoded:
    blob = GitObject("blob", b"dear sir")
    tree = encode_tree([TreeEntry("100644", "letter.txt", blob.id)])
    return Encoded(tree.id, {blob.id: blob, tree.id: tree})


A = capsule("a")
B = capsule("b", ELSEWHERE, A.id)
C = capsule("c", B.id, A.id)
CAPSULES = [A, B, C]
PARENTS = {A.id: [], B.id: [ELSEWHERE, A.id], C.id: [B.id, A.id]}
STATEMENTS = [statement(CAPSULES[0].id), statement(CAPSULES[1].id)]
EMPTY = Encoded(EMPTY_TREE.id, {EMPTY_TREE.id: EMPTY_TREE})
TREES = [*CAPSULES, *STATEMENTS, letter(), EMPTY]

STEPS = st.one_of(
    # A commit of a tree, on up to two of the commits before it, at a time; main moves there.
    st.tuples(
        st.integers(0, len(TREES) - 1),
        st.lists(st.integers(0, 30), max_size=2, unique=True),
        st.integers(NOW - 2, NOW + 2),
    ),
    # On top of main, as most are.
    st.tuples(st.integers(0, len(TREES) - 1), st.none(), st.integers(NOW - 2, NOW + 2)),
    # Main moves to one of the commits there are, or is deleted.
    st.integers(0, 30),
    st.none(),
)


@dataclass
class Shelf:
    """A store, whose commits are known here too: what the index should say is worked out of these alone."""

    store: Store
    path: str
    commits: dict[Digest, Commit] = field(default_factory=dict)
    main: Digest | None = None

    def take(self, step: object) -> None:
        """Do one of `STEPS`; a number stands for one of the commits that there are."""
        names = list(self.commits)
        if step is None:
            self.main = None
        elif isinstance(step, int):
            self.main = names[step % len(names)] if names else None
        else:
            tree, parents, time = step
            on = [self.main] if parents is None else [names[number % len(names)] for number in parents if names]
            self._commit(TREES[tree].id, tuple(dict.fromkeys(name for name in on if name)), time)
        if self.main is None:
            Refs(self.path).delete(MAIN)
        else:
            Refs(self.path).put(MAIN, self.main)

    def _commit(self, tree: Digest, parents: tuple[Digest, ...], time: int) -> None:
        title = f"commit {len(self.commits)}"
        commit = Commit(tree=tree, parents=parents, author=Person("Ada"), time=time, message=title)
        ObjectDatabase(self.path).write(commit.encode())
        self.main = commit.encode().id
        self.commits[self.main] = commit

    def expected(self) -> dict[str, object]:
        """Return what an index should answer, each tree with its registrations from the earliest."""
        reached: dict[Digest, Commit] = {}
        waiting = [self.main] if self.main else []
        while waiting:
            name = waiting.pop()
            reached[name] = self.commits[name]
            waiting += reached[name].parents

        def place(name: Digest) -> tuple[int, int, Digest]:
            return reached[name].time, generation(name), name

        def generation(name: Digest) -> int:
            return 1 + max(map(generation, self.commits[name].parents), default=0)

        by_tree = {tree.id: sorted((n for n in reached if reached[n].tree == tree.id), key=place) for tree in TREES}
        first = {tree: names[0] for tree, names in by_tree.items() if names and tree != EMPTY_TREE.id}
        listed = sorted((tree.id for tree in CAPSULES if tree.id in first), key=lambda tree: place(first[tree]))
        return {
            "capsules": [(tree, first[tree]) for tree in reversed(listed)],
            "registrations": by_tree,
            "registered": {tree.id: first.get(tree.id) for tree in TREES},
            "statements": [[tree.id] if tree.id in first else [] for tree in STATEMENTS],
            "beginning": sorted(listed),
            "parents": {tree: PARENTS[tree] if tree in first else [] for tree in PARENTS},
            "children": {
                parent: [tree for tree in listed if parent in PARENTS[tree]] for parent in (*PARENTS, ELSEWHERE)
            },
        }


def answers(index: Index) -> dict[str, object]:
    registered = {tree.id: index.registered(tree.id) for tree in TREES}
    return {
        "capsules": [(found.digest, found.commit) for found in index.capsules()],
        "registrations": {tree.id: [found.id for found in index.registrations(tree.id)] for tree in TREES},
        "registered": {tree: found.commit if found else None for tree, found in registered.items()},
        "statements": [[found.digest for found in index.statements(about.id)] for about in CAPSULES[:2]],
        "beginning": index.beginning_with("", "capsule"),
        "parents": {tree: index.parents(tree) for tree in PARENTS},
        "children": {parent: index.children(parent) for parent in (*PARENTS, ELSEWHERE)},
    }


@contextmanager
def shelf() -> Iterator[Shelf]:
    with tempfile.TemporaryDirectory() as directory, Store.init(directory) as store:
        database = ObjectDatabase(store.path)
        for tree in TREES:
            with database.written(tree):
                pass
        yield Shelf(store, store.path)


@pytest.fixture
def made_anew(tmp_path) -> Callable[[Shelf], Index]:
    """Make an index of a shelf in another place, where none is."""

    def made_anew(of: Shelf) -> Index:
        database = ObjectDatabase(of.path)
        return Index(tempfile.mkdtemp(dir=tmp_path), History(database, Refs(of.path)), database.read)

    return made_anew


@pytest.mark.parametrize("examples", [6, pytest.param(50, marks=pytest.mark.slow)], ids=["a few", "many"])
def test_step_by_step_or_anew_the_answers_are_those_of_the_commits(examples, made_anew):
    @settings(max_examples=examples)
    @given(st.lists(st.tuples(STEPS, st.booleans()), min_size=1, max_size=12))
    def holds(steps):
        with shelf() as found:
            for step, asked in steps:
                found.take(step)
                # Not after every step: then the next brings several at once.
                if asked:
                    assert answers(found.store.index) == found.expected()
            expected = found.expected()
            assert answers(found.store.index) == expected
            anew = made_anew(found)
            assert answers(anew) == expected
            assert os.path.exists(os.path.join(found.path, "capsulestore", "index.sqlite"))
            anew.close()

    holds()
