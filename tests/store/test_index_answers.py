"""What the index answers: so many as are asked for, by a prefix, of statements, and of commits that are strange."""

from __future__ import annotations

from pathlib import Path

from capsulestore.model.digest import Digest
from capsulestore.model.statement import STATEMENT_TYPE, Statement
from capsulestore.store import Store


def test_only_so_many_are_listed_as_are_asked_for(store, add):
    digests = [add(store, title).capsule for title in ("first", "second", "third")]
    assert [capsule.digest for capsule in store.index.capsules(2)] == digests[:0:-1]
    assert store.index.capsules(0) == []
    assert len(store.index.capsules(7)) == 3


def test_trees_of_an_unknown_kind_are_kept_and_not_listed(store, add, commit, git):
    add(store, "first")
    blob = git(store.path, "hash-object", "-w", "--stdin", text="{}")
    for name in ("letter.txt", "statement.json", "capsule.json"):
        tree = git(store.path, "mktree", text=f"100644 blob {blob}\t{name}\n")
        git(store.path, "update-ref", "refs/heads/main", commit(store, tree, "main", message=name))
        assert store.index.holds(Digest(tree))
        assert store.index.registered(Digest(tree)).title == name
    add(store, "second")
    assert [capsule.title for capsule in store.index.capsules()] == ["second", "first"]
    assert list(store.index.unreadable()) == []


def test_statements_are_those_about_a_capsule_earliest_first_and_no_capsules(store, encoded, git):
    ours, other = encoded("ours"), encoded("other")
    for capsule in (ours, other):
        store.add(capsule, "a capsule")
    stated = [store.state(statement_about(ours.id, number), f"statement {number}") for number in range(3)]
    about_other = store.state(statement_about(other.id, 0), "of another")
    with Store(store.path) as another:
        for index in (store.index, another.index):
            assert [found.digest for found in index.statements(ours.id)] == stated
            assert [found.digest for found in index.statements(other.id)] == [about_other]
            assert {found.environment for found in index.statements(ours.id)} == {None}
            assert len(index.capsules()) == 2
            assert index.beginning_with("", "statement") == sorted([*stated, about_other])
    assert store.resolve("@").digest == other.id
    git(store.path, "update-ref", "refs/heads/main", "main~1")
    assert store.index.statements(other.id) == []


def test_a_statement_registers_nothing_of_what_it_speaks_of(store, add, git):
    digest = add(store, "ours").capsule
    git(store.path, "update-ref", "-d", "refs/heads/main")
    store.state(statement_about(digest, 0), "of one that is not on the shelf")
    assert not store.index.holds(digest)
    assert store.index.capsules() == []
    assert len(store.index.statements(digest)) == 1


def test_a_prefix_leads_to_those_that_it_begins_and_no_others(store, add):
    digests = sorted(add(store, f"number {number}").capsule for number in range(20))
    for digest in digests:
        for length in (1, 2, 3, 4, 63, 64):
            prefix = digest.hex[:length]
            expected = [other for other in digests if other.hex.startswith(prefix)]
            assert store.index.beginning_with(prefix, "capsule") == expected
            assert [found.digest for found in store.index.capsules_beginning_with(prefix)] == expected


def test_a_time_beyond_any_calendar_and_one_before_1970_are_listed(store, add, git):
    for title, when in (("late", "9999999999999"), ("early", "-1")):
        tree = add(store, title).capsule
        git(store.path, "update-ref", "-d", "refs/heads/main")
        stamp = f"A <a@example.org> {when} +0000"
        path = Path(store.root, "commit")
        path.write_text(f"tree {tree}\nauthor {stamp}\ncommitter {stamp}\n\n{title}\n")
        name = git(store.path, "hash-object", "-t", "commit", "-w", "--literally", str(path))
        git(store.path, "update-ref", "refs/heads/main", name)
        (found,) = store.index.capsules()
        assert (found.digest, found.time, found.title) == (tree, int(when), title)


def statement_about(capsule: Digest, number: int) -> Statement:
    return Statement.parse(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": "ours", "digest": {"gitTree": str(capsule)}}],
            "predicateType": "https://example.org/numbered",
            "predicate": {"number": number},
        }
    )
