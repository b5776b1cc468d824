"""I10: stores add, tag, push and pull in any order; nothing is ever lost, and after a last round all are equal."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from exchanges import add, pull_from, push_to, refs, registered, remote_at, sound, state
from git_peers import Way, commit, make_bare, run_git
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from capsulestore.errors import TagExists
from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE
from capsulestore.store import Store
from capsulestore.sync.pull import pull
from capsulestore.sync.push import push

pytest_plugins = ["remote_fixtures"]

MAIN = "refs/heads/main"
STORES = st.integers(0, 2)
TIDYING = [
    ("gc", "-q", "--prune=now"),
    ("repack", "-adq"),
    ("pack-refs", "--all"),
    ("repack", "-dq"),
]


class Exchanging(RuleBasedStateMachine):
    """Three stores and a hub, which is reached by `way`."""

    way: Way

    @initialize()
    def begin(self) -> None:
        self.opened = ExitStack()
        directory = Path(self.opened.enter_context(tempfile.TemporaryDirectory()))
        hub = self.opened.enter_context(tempfile.TemporaryDirectory(dir=self.way.directory, suffix=".git"))
        self.hub = make_bare(Path(hub), receive__fsckObjects="true")
        peer = self.way.peer(self.hub.name)
        self.remote = remote_at(peer.url, environ=peer.environ)
        self.stores = [self.opened.enter_context(Store.init(str(directory / name))) for name in "abc"]
        self.seen: dict[str, set[str]] = {path: set() for path in (str(self.hub), *(s.path for s in self.stores))}
        self.added = 0

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            with self.opened:
                self.last_round()

    @rule(number=STORES, environment=st.integers(0, 2))
    def adds(self, number: int, environment: int) -> None:
        self.added += 1
        add(self.stores[number], f"{self.added}", environment=f"{environment}", packages=3)
        self.look_at(number)

    @precondition(lambda self: self.added)
    @rule(number=STORES, name=st.sampled_from(["paper", "runs/1", "runs/2"]), data=st.data())
    def tags(self, number: int, name: str, data: st.DataObject) -> None:
        if capsules := self.stores[number].index.capsules():
            capsule = capsules[data.draw(st.integers(0, len(capsules) - 1))].digest
            try:
                self.stores[number].tags.set(name, capsule)
            except TagExists:
                assert name in self.stores[number].tags.all()

    @precondition(lambda self: self.added)
    @rule(number=STORES)
    def states(self, number: int) -> None:
        self.added += 1
        if capsules := self.stores[number].index.capsules(1):
            state(self.stores[number], capsules[0].digest, f"https://example.org/{self.added}")
            self.look_at(number)

    @rule(number=STORES)
    def pushes(self, number: int) -> None:
        push(self.stores[number], self.remote)
        assert self.registered(self.hub) >= self.registered(self.stores[number].path)

    @rule(number=STORES, data=st.data())
    def pushes_by_name(self, number: int, data: st.DataObject) -> None:
        capsules = [found.digest for found in self.stores[number].index.capsules()]
        chosen = data.draw(st.lists(st.sampled_from(capsules), max_size=2)) if capsules else []
        if chosen:
            push(self.stores[number], self.remote, chosen)
            assert self.registered(self.hub) >= {str(capsule) for capsule in chosen}

    @rule(number=STORES)
    def pulls(self, number: int) -> None:
        pull(self.stores[number], self.remote)
        assert self.look_at(number) >= self.registered(self.hub)

    @rule(number=STORES, other=STORES)
    def pushes_to_another(self, number: int, other: int) -> None:
        if number != other:
            push_to(self.stores[other].path, self.stores[number], named=False)
            assert self.look_at(other) >= self.registered(self.stores[number].path)

    @rule(number=STORES, other=STORES)
    def pulls_from_another(self, number: int, other: int) -> None:
        if number != other:
            pull_from(self.stores[other].path, self.stores[number], named=False)
            assert self.look_at(number) >= self.registered(self.stores[other].path)

    @rule(number=st.integers(0, 3), command=st.sampled_from(TIDYING))
    def git_tidies(self, number: int, command: tuple[str, ...]) -> None:
        path = Path([self.hub, *(store.path for store in self.stores)][number])
        run_git(path, *command)
        self.registered(path)

    @precondition(lambda self: self.added and self.seen[str(self.hub)])
    @rule()
    def git_commits_to_the_hub(self) -> None:
        """What no store knows, and then a capsule with a note in it; what ends otherwise counts as no store."""
        self.added += 1
        unknown = commit(self.hub, f"{self.added} by git", refs(self.hub)[MAIN])
        listings = (run_git(self.hub, "ls-tree", tree) for tree in sorted(self.seen[str(self.hub)]))
        capsule = next(listed for listed in listings if "\tcapsule.json" in listed)
        note = f"100644 blob {run_git(self.hub, 'rev-parse', f'{unknown}:file')}\tnote {self.added}"
        tree = run_git(self.hub, "mktree", given=f"{capsule}\n{note}\n".encode())
        run_git(self.hub, "update-ref", MAIN, run_git(self.hub, "commit-tree", tree, "-p", unknown, "-m", "by git"))
        self.registered(self.hub)

    def last_round(self) -> None:
        for store in self.stores:
            push(store, self.remote)
        for store in self.stores:
            pull(store, self.remote)
        everything = self.registered(self.hub)
        for number, store in enumerate(self.stores):
            assert str(store.tip) == refs(self.hub).get(MAIN, "None")
            assert self.look_at(number) == everything
            assert (push(store, self.remote).objects, pull(store, self.remote).new) == (0, False)
        sound(self.hub, *(store.path for store in self.stores))

    def registered(self, repository: str | Path) -> set[str]:
        """What a repository registers by now, which is all that it ever did."""
        found = registered(repository)
        assert found >= self.seen[str(repository)]
        self.seen[str(repository)] = found
        return found

    def look_at(self, number: int) -> set[str]:
        """What a store registers by now; its index says the same."""
        store = self.stores[number]
        found = self.registered(store.path)
        assert {str(tree) for tree in map(Digest, found) if store.index.holds(tree)} == found
        assert {str(capsule.digest) for capsule in store.index.capsules()} <= found
        assert {registration.commit.tree for registration in store.index.beyond([])} - {EMPTY_TREE.id} == {
            *map(Digest, found)
        }
        return found


def run(way: Way, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        type("Exchanging", (Exchanging,), {"way": way}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


def test_i10_whatever_is_exchanged_in_whatever_order_nothing_is_lost_and_all_become_equal(paths):
    run(paths, examples=3, steps=12)


@pytest.mark.slow
@pytest.mark.parametrize(("way", "examples"), [("paths", 12), ("http", 2), ("ssh", 1)])
def test_i10_many_times_over_each_transport(request, way, examples):
    run(request.getfixturevalue(way), examples, steps=25)
