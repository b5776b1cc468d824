"""A graph is drawn as git draws it; git is the judge."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from capsulestore_cli.graph import Node, draw

Graph = dict[str, str]
"""The parents of each node, a letter each; children come before their parents."""

Cases = dict[str, tuple[Graph, str]]

AS_GIT: Cases = {
    "one": (
        {"a": ""},
        r"""
    * a
""",
    ),
    "a line": (
        {"c": "b", "b": "a", "a": ""},
        r"""
    * c
    * b
    * a
""",
    ),
    "a fork": (
        {"c": "a", "b": "a", "a": ""},
        r"""
    * c
    | * b
    |/
    * a
""",
    ),
    "three of one parent": (
        {"d": "a", "c": "a", "b": "a", "a": ""},
        r"""
    * d
    | * c
    |/
    | * b
    |/
    * a
""",
    ),
    "a merge": (
        {"d": "bc", "c": "a", "b": "a", "a": ""},
        r"""
    *   d
    |\
    | * c
    * | b
    |/
    * a
""",
    ),
    "a merge with the parent of its parent": (
        {"c": "ba", "b": "a", "a": ""},
        r"""
    *   c
    |\
    * | b
    |/
    * a
""",
    ),
    "a merge into the line beside": (
        {"d": "bc", "c": "b", "b": "a", "a": ""},
        r"""
    *   d
    |\
    | * c
    |/
    * b
    * a
""",
    ),
    "a merge of two that have no parents": (
        {"c": "ba", "a": "", "b": ""},
        r"""
    *   c
    |\
    | * a
    * b
""",
    ),
    "a merge of a line and of what has none": (
        {"d": "bc", "c": "", "b": "a", "a": ""},
        r"""
    *   d
    |\
    | * c
    * b
    * a
""",
    ),
    "a merge with what waits at the left": (
        {"e": "c", "d": "cb", "b": "a", "c": "a", "a": ""},
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
    "a merge with what waits at the right": (
        {"e": "dc", "d": "bc", "c": "a", "b": "a", "a": ""},
        r"""
    *   e
    |\
    * | d
    |\|
    | * c
    * | b
    |/
    * a
""",
    ),
    "a merge of three": (
        {"d": "abc", "c": "", "b": "", "a": ""},
        r"""
    *-.   d
    |\ \
    | | * c
    | * b
    * a
""",
    ),
    "a merge of four": (
        {"e": "abcd", "d": "", "c": "", "b": "", "a": ""},
        r"""
    *---.   e
    |\ \ \
    | | | * d
    | | * c
    | * b
    * a
""",
    ),
}
"""Of these git's own drawing is the same."""


def drawn(graph: Graph) -> list[str]:
    rows = draw(Node(name, parents) for name, parents in graph.items())
    return [row.drawing + row.node.name if row.node else row.drawing for row in rows]


@pytest.mark.parametrize(("graph", "picture"), AS_GIT.values(), ids=AS_GIT)
def test_a_graph_is_drawn_so(graph, picture):
    assert drawn(graph) == [line.removeprefix("    ") for line in picture.splitlines()[1:]]


@pytest.fixture
def by_git(tmp_path: Path) -> Callable[[Graph], list[str]]:
    """Draw commits with the real git, the first of them the newest."""

    def by_git(graph: Graph) -> list[str]:
        stream: list[str] = []
        marks = {name: number for number, name in enumerate(reversed(graph), start=1)}
        for name, mark in marks.items():
            stream += [f"commit refs/heads/{name}", f"mark :{mark}", f"committer A <> {1_700_000_000 + mark} +0000"]
            stream += ["data 1", name]
            stream += [f"{'merge' if number else 'from'} :{marks[one]}" for number, one in enumerate(graph[name])]
            stream.append("")
        git = ["git", "-C", str(tmp_path)]
        subprocess.run([*git, "init", "--quiet"], check=True)
        subprocess.run([*git, "fast-import", "--quiet"], input="\n".join(stream), text=True, check=True)
        log = [*git, "log", "--all", "--graph", "--format=%s"]
        return subprocess.run(log, capture_output=True, text=True, check=True).stdout.splitlines()

    return by_git


@pytest.mark.parametrize("graph", [graph for graph, _ in AS_GIT.values()], ids=AS_GIT)
def test_git_draws_it_so_too(graph, by_git):
    assert drawn(graph) == [line.rstrip() for line in by_git(graph)]
