"""What derives from what: nearest first, each once, however deep, and with parents that are known elsewhere."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.inspection.lineage import Relative, ancestors, children, descendants, graph, parents
from capsulestore.model.canonical import dumps
from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject, TreeEntry, encode_tree
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store

pytestmark = pytest.mark.slow

ELSEWHERE = Digest("e" * 64)
DEEP = 5_000
"""Five times as deep as Python lets functions call each other."""
BEGINNING = "from refs/heads/main^0\n"

Derive = Callable[..., Digest]


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with Store.init(str(tmp_path)) as store:
        yield store


@pytest.fixture
def derive(store) -> Derive:
    """Record a capsule that derives from others: `derive(title, *parents)`."""

    def derive(title: str, *parents: Digest) -> Digest:
        surroundings = Surroundings(environment={"python": {"rules": 1}})
        return record(store, surroundings, Description(title=title, parents=parents)).capsule

    return derive


def titles(relatives: Sequence[Relative]) -> list[str]:
    return [one.registered.title if one.registered else "elsewhere" for one in relatives]


def test_a_capsule_alone_has_no_relatives(store, derive):
    alone = derive("alone")
    for relatives in (parents, children, ancestors, descendants):
        assert relatives(store, alone) == []


def test_parents_are_told_with_what_is_known_of_them(store, derive):
    first = derive("first")
    fit = derive("fit", ELSEWHERE, first)
    assert parents(store, fit) == [Relative(ELSEWHERE, None), Relative(first, store.index.registered(first))]
    assert children(store, first) == children(store, ELSEWHERE) == [Relative(fit, store.index.registered(fit))]
    assert parents(store, ELSEWHERE) == ancestors(store, ELSEWHERE) == []


def test_ancestors_are_told_nearest_first_each_once(store, derive):
    raw = derive("raw")
    clean = derive("clean", raw)
    model = derive("model", ELSEWHERE)
    fit = derive("fit", clean, model)
    plot = derive("plot", fit, raw)
    assert titles(ancestors(store, plot)) == ["fit", "raw", "clean", "model", "elsewhere"]
    assert titles(ancestors(store, fit)) == ["clean", "model", "raw", "elsewhere"]
    assert [one.digest for one in ancestors(store, plot)][-1] == ELSEWHERE


def test_descendants_are_told_nearest_first_each_once_and_the_earliest_before(store, derive):
    raw = derive("raw", ELSEWHERE)
    clean = derive("clean", raw)
    fit = derive("fit", clean)
    derive("plot", fit, raw)
    derive("table", fit)
    derive("unrelated")
    assert titles(descendants(store, raw)) == ["clean", "plot", "fit", "table"]
    assert titles(descendants(store, ELSEWHERE)) == ["raw", "clean", "plot", "fit", "table"]


def test_a_store_that_has_nothing_has_no_graph(store):
    assert list(graph(store)) == []


def test_a_graph_follows_a_line_to_where_another_joins_it_and_begins_with_the_newest(store, derive):
    for sample in ("a", "b"):
        derive(f"alone {sample}")
    raw = {sample: derive(f"raw {sample}") for sample in ("a", "b")}
    fit = {sample: derive(f"fit {sample}", raw[sample]) for sample in ("a", "b")}
    derive("both", fit["a"], fit["b"], ELSEWHERE)
    derive("again", fit["a"])
    found = list(graph(store))
    assert titles(found) == ["again", "both", "elsewhere", "fit b", "raw b", "fit a", "raw a", "alone b", "alone a"]
    assert found[1].parents == (fit["a"], fit["b"], ELSEWHERE)
    assert found[2] == Relative(ELSEWHERE, None)
    assert found[2].parents == ()


@pytest.fixture
def deep(store, derive) -> list[Digest]:
    """Fill the store, by git's fast-import, with capsules each of which derives from the one before."""
    found, stream = [derive("0")], []
    environment = store.capsule(found[0]).environment
    for number in range(1, DEEP):
        named = {"parents": [str(found[-1])], "title": f"{number}", "environment_digest": str(environment)}
        manifest = dumps({"schema": 1, **named})
        entries = [
            TreeEntry("100644", "capsule.json", GitObject("blob", manifest).id),
            TreeEntry("40000", "environment", environment),
        ]
        found.append(encode_tree(entries).id)
        stream.append(
            f"commit refs/heads/main\ncommitter Ada <ada@example.org> {2_000_000_000 + number} +0000\n"
            f"data {len(str(number))}\n{number}\n{'' if stream else BEGINNING}"
            f"M 100644 inline capsule.json\ndata {len(manifest)}\n{manifest.decode()}\n"
        )
    import_ = ["git", "-c", "fastimport.unpackLimit=0", "-C", store.path, "fast-import", "--quiet", "--done"]
    subprocess.run(import_, input="".join([*stream, "done\n"]), text=True, check=True)
    return found


def test_however_deep_the_lineage_is_all_of_it_is_told(store, deep):
    assert [one.digest for one in ancestors(store, deep[-1])] == deep[-2::-1]
    assert [one.digest for one in descendants(store, deep[0])] == deep[1:]
    assert [one.digest for one in graph(store)] == deep[::-1]
    assert titles(ancestors(store, deep[5])) == ["4", "3", "2", "1", "0"]


LINEAGES = st.lists(st.sets(st.integers(0, 6), max_size=3), max_size=7)
"""For each capsule the places of its parents among those before it; a place that is not among them is elsewhere."""


@pytest.mark.parametrize("examples", [5, pytest.param(60, marks=pytest.mark.slow)], ids=["a few", "many"])
def test_the_relatives_are_those_that_parents_lead_to(tmp_path_factory, examples):
    @settings(max_examples=examples)
    @given(LINEAGES)
    def holds(lineage):
        with Store.init(str(tmp_path_factory.mktemp("store"))) as store:
            named: dict[Digest, list[Digest]] = {}
            for number, places in enumerate(lineage):
                known = list(named)
                above = [known[place] if place < number else Digest(f"{place}" * 64) for place in sorted(places)]
                description = Description(title=f"{number}", parents=above)
                named[record(store, Surroundings(environment={"python": {"rules": 1}}), description).capsule] = above
            everything = {*named, *(parent for above in named.values() for parent in above)}
            for capsule in everything:
                steps = distances(capsule, lambda one: named.get(one, []))
                assert_told(ancestors(store, capsule), steps)
                steps = distances(capsule, lambda one: [child for child in named if one in named[child]])
                assert_told(descendants(store, capsule), steps)
            drawn = [one.digest for one in graph(store)]
            assert sorted(drawn) == sorted(everything)
            assert all(drawn.index(child) < drawn.index(parent) for child in named for parent in named[child])

    holds()


def assert_told(found: Sequence[Relative], steps: dict[Digest, int]) -> None:
    assert sorted(one.digest for one in found) == sorted(steps)
    assert [steps[one.digest] for one in found] == sorted(steps.values())


def distances(start: Digest, nearest: Callable[[Digest], list[Digest]]) -> dict[Digest, int]:
    """Return how many steps it is to what is reached."""
    found: dict[Digest, int] = {}
    reached = [start]
    for step in range(1, 10):
        reached = [one for before in reached for one in nearest(before)]
        for one in reached:
            found.setdefault(one, step)
    return found
