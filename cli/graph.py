r"""What derives from what, drawn in text as `git log --graph` draws commits: children above their parents.

Each node has a row, in which it is a mark; what is waited for further down has a lane, a column on every second place.

    *   a merge of two            *-.   a merge of three        * |   its parents are there already
    |\                            |\ \                          |\|
    | * one of its parents        | | * ...                     | * ...

An edge goes straight (`|`), a lane to the right (`\`) or to the left (`/`), or under several lanes (`_`). Where one
crosses another, each goes on as it came. What has no parents has nothing below it: a row is left free, where need be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

__all__ = ["Node", "Row", "draw"]


class Node(NamedTuple):
    """Something to be drawn: its name, those of its parents, and the character that it is drawn as."""

    name: str
    parents: Sequence[str] = ()
    mark: str = "*"


class Row(NamedTuple):
    """A row of the drawing, and the node that it shows; that of a node ends where what is said of it may begin."""

    drawing: str
    node: Node | None = None


class _Outgoing(NamedTuple):
    """How edges leave the node in a lane.

    Those of `opened` have lanes from the node's own on, to the right. `left` is the lane of one that goes the other way
    at once, `joins_right` says that one goes to the lane beside.
    """

    opened: list[str]
    left: int | None = None
    joins_right: bool = False


def draw(nodes: Iterable[Node]) -> Iterator[Row]:
    """Yield the rows of a drawing of nodes that come children before their parents, each once.

    Edges to what does not come run to the end. The rows of a node do not depend on what comes after it.
    """
    lanes: list[str] = []
    ended: int | None = None
    for node in nodes:
        if node.name not in lanes:
            # Else it would seem to be the parent of what is above it.
            if ended == len(lanes):
                yield Row(("| " * ended).rstrip())
            lanes.append(node.name)
        place = lanes.index(node.name)
        parents = list(dict.fromkeys(node.parents))
        outgoing = _outgoing(lanes, place, parents)
        yield from _opening(node, place, len(lanes) - place - 1, outgoing)
        opened: Sequence[str | None] = outgoing.opened or (None,)
        edges = [*lanes[:place], *opened, *lanes[place + 1 :]]
        lanes = [edge for edge in dict.fromkeys(edges) if edge is not None]
        if len(lanes) < len(edges) or outgoing.left is not None:
            yield from _closing(edges, lanes, place, outgoing.left)
        ended = None if parents else place


def _outgoing(lanes: Sequence[str], place: int, parents: Sequence[str]) -> _Outgoing:
    left_of_it = set(parents).intersection(lanes[:place])
    others = [parent for parent in parents if parent not in left_of_it]
    left = None
    if len(left_of_it) == 1 and others:
        # Of several one would cross the lane that another joins, and nobody could tell which is which.
        left = lanes.index(min(left_of_it))
    else:
        others += [parent for parent in parents if parent in left_of_it]
    beside = lanes[place + 1] if place + 1 < len(lanes) else None
    if len(others) == 2 and beside in others:
        return _Outgoing([other for other in others if other != beside], left, joins_right=True)
    return _Outgoing(others, left)


def _opening(node: Node, place: int, right: int, outgoing: _Outgoing) -> Iterator[Row]:
    """Yield the node's row, before it those that make room, and after it the one in which its edges part.

    There are so many lanes to the `right` of it.
    """
    opened = len(outgoing.opened)
    room = max(opened - 2, 0)
    for shift in range(room if right else 0):
        yield Row("| " * place + "| " + "  " * shift + " \\" * right)
    mark = f"{node.mark}{'-' * (2 * room - 1)}. " if room else f"{node.mark} "
    width = 2 * (place + max(opened, 1) + right)
    yield Row(("| " * place + mark + "| " * right).ljust(width), node)
    if opened > 1 or outgoing.left is not None or outgoing.joins_right:
        before = "| " * place if outgoing.left is None else "| " * (place - 1) + "|/"
        if opened > 1:
            yield Row(f"{before}|\\" + " \\" * (opened - 2 + right))
        else:
            beside = "\\" if outgoing.joins_right else " "
            yield Row((f"{before}|{beside}" + "| " * right).rstrip())


def _closing(edges: Sequence[str | None], lanes: Sequence[str], place: int, left: int | None) -> Iterator[Row]:
    """Yield the rows in which edges go left until each is in the lane that its end has.

    All go at once, a lane a row, so that no two are ever in one lane but where one crosses another that goes straight.
    The leftmost has only such before it, and goes under them.
    """
    targets = {lane: number for number, lane in enumerate(lanes)}
    # Of each edge that is to move, the lane where it is, and the one where it is to be.
    moving = [] if left is None or left == place - 1 else [(place - 1, left)]
    settled = [" "] * (2 * len(edges))
    for number, edge in enumerate(edges):
        if edge is not None:
            if targets[edge] == number:
                settled[2 * number] = "|"
            else:
                moving.append((number, targets[edge]))
    while moving:
        row = settled.copy()
        moved: list[tuple[int, int]] = []
        for lane, target in moving:
            row[2 * lane - 1] = "/"
            at = lane - 1
            if not moved:
                while at > target + 1:
                    row[2 * at - 1] = "_"
                    at -= 1
            moved.append((at, target))
        yield Row("".join(row).rstrip())
        for at, target in moved:
            if at == target:
                settled[2 * target] = "|"
        moving = [(at, target) for at, target in moved if at > target]
