"""Each edge of a graph can be followed to its end, and no other: what git leaves unclear is drawn otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore_cli.graph import Node, Row, draw

pytestmark = pytest.mark.slow

Graph = Mapping[str, Sequence[str]]
"""The parents of each node; children come before their parents."""

Cases = dict[str, tuple[Graph, str]]

OURS: Cases = {
    "an edge that goes far": (
        {"g": "abc", "f": "a", "e": "bc", "c": "", "b": "", "a": ""},
        r"""
    *-.   g
    |\ \
    | | | * f
    | |_|/
    |/| |
    | | | *   e
    | | | |\
    | | |/ /
    | |/|/
    | | * c
    | * b
    * a
""",
    ),
    "two that share both parents": (
        {"d": "ab", "c": "ab", "b": "", "a": ""},
        r"""
    *   d
    |\
    | | *   c
    | | |\
    | |/ /
    |/|/
    | * b
    * a
""",
    ),
    "nothing": (
        {},
        r"""
""",
    ),
    "several, none of which derives from another": (
        {"d": "", "c": "", "b": "a", "a": ""},
        r"""
    * d

    * c

    * b
    * a
""",
    ),
    "one alone beside a line": (
        {"d": "a", "c": "", "b": "", "a": ""},
        r"""
    * d
    | * c
    |
    | * b
    * a
""",
    ),
    "a parent that does not come": (
        {"d": "cx", "c": "a", "b": "a", "a": ""},
        r"""
    *   d
    |\
    * | c
    | | * b
    | |/
    |/|
    * | a
     /
""",
    ),
    "a parent that is named twice": (
        {"b": "aa", "a": ""},
        r"""
    * b
    * a
""",
    ),
    "three parents, and a line beside": (
        {"f": "ea", "e": "bcd", "d": "a", "c": "a", "b": "a", "a": ""},
        r"""
    *   f
    |\
    |  \
    *-. |   e
    |\ \ \
    | | * | d
    | | |/
    | * | c
    | |/
    * | b
    |/
    * a
""",
    ),
    "a second parent that waits at the left": (
        {"e": "c", "d": "bc", "b": "a", "c": "a", "a": ""},
        r"""
    * e
    | * d
    |/|
    | * b
    * | c
    |/
    * a
""",
    ),
}


def rows_of(graph: Graph) -> list[Row]:
    return list(draw(Node(name, parents) for name, parents in graph.items()))


@pytest.mark.parametrize(("graph", "picture"), OURS.values(), ids=OURS)
def test_a_graph_is_drawn_so(graph, picture):
    drawing = [row.drawing + row.node.name if row.node else row.drawing for row in rows_of(graph)]
    assert drawing == [line.removeprefix("    ") for line in picture.splitlines()[1:]]


def at(rows: list[Row], row: int, place: int) -> str:
    drawing = rows[row].drawing if row < len(rows) else ""
    return drawing[place] if 0 <= place < len(drawing) else " "


def onwards(rows: list[Row], row: int, place: int) -> dict[str, int]:
    """Return where a line that comes to a row at a place may go in it, by how it goes there."""
    found = {}
    if at(rows, row, place) in "|*":
        found["|"] = place
    if at(rows, row, place + 1) == "\\":
        found["\\"] = place + 2
    if at(rows, row, place - 1) == "/":
        found["/"] = place - 2
        while at(rows, row, found["/"] - 1) == "_":
            found["/"] -= 2
    return found


def follow(rows: list[Row], row: int, place: int, how: str) -> str:
    """Return the node that a line leads to, which came so through a row to a place."""
    while not (rows[row].node and at(rows, row, place) == "*"):
        row += 1
        ways = onwards(rows, row, place)
        # Where lines cross, each goes on as it came.
        how = how if how in ways else "|" if "|" in ways else min(ways)
        place = ways[how]
    return rows[row].node.name


def followed(rows: list[Row]) -> set[tuple[str, str]]:
    """Return each node with each that a line leads from it to."""
    found = set()
    for row, (drawing, node) in enumerate(rows):
        if node:
            place = drawing.index("*")
            for how, there in onwards(rows, row + 1, place).items():
                found.add((node.name, follow(rows, row + 1, there, how)))
            for dashed in range(place + 2, drawing.find(".") + 1, 2):
                found.add((node.name, follow(rows, row + 1, onwards(rows, row + 1, dashed)["\\"], "\\")))
    return found


@st.composite
def graphs(draw_from: st.DrawFn, most: int) -> Graph:
    """Return a graph in any order in which children come before parents, near ones or far."""
    count = draw_from(st.integers(0, most))
    near = draw_from(st.sampled_from([1, 4, most]))
    after = [[f"{other}" for other in range(number + 1, min(count, number + 1 + near))] for number in range(count)]
    parents = [draw_from(st.lists(st.sampled_from(names), max_size=5)) if names else [] for names in after]
    return {f"{number}": named for number, named in enumerate(parents)}


@pytest.mark.parametrize(("examples", "most"), [(200, 12), (60, 60)])
def test_each_edge_can_be_followed_and_no_other(examples, most):
    @settings(max_examples=examples)
    @given(graphs(most))
    def holds(graph):
        rows = rows_of(graph)
        drawn = [row.node.name for row in rows if row.node]
        assert drawn == list(graph)
        assert [row.drawing.count("*") for row in rows] == [1 if row.node else 0 for row in rows]
        assert followed(rows) == {(name, parent) for name, parents in graph.items() for parent in parents}

    holds()


@given(graphs(20), st.integers(0, 20))
def test_what_is_drawn_of_the_first_does_not_depend_on_what_comes_after(graph, count):
    first = dict(list(graph.items())[:count])
    rows = rows_of(first)
    assert rows_of(graph)[: len(rows)] == rows


@given(graphs(20))
def test_beside_a_node_nothing_is_in_the_way_of_its_text(graph):
    rows = rows_of(graph)
    for row, below in pairwise([*rows, Row("")]):
        assert row.drawing == row.drawing.rstrip() or row.node
        if row.node:
            assert row.drawing.endswith(" ")
            assert below.node or len(below.drawing) <= len(row.drawing) + 1
