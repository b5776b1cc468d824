"""`capsule log`: the capsules, newest first."""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING

import click

from capsulestore.model.commit import iso_time
from capsulestore.store import Store
from capsulestore.store.index import Registered

from .command import Command, settings_options
from .output import print_error, print_json, print_lines, safe, style, table
from .settings import settings
from .text import local_time

if TYPE_CHECKING:
    from capsulestore.inspection.lineage import Relative


class _Log(Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # As git takes it: `log -3`.
        counted = (word for pair in zip(["", *args], args, strict=False) for word in _with_n(*pair))
        return super().parse_args(ctx, list(counted))


def _with_n(before: str, word: str) -> tuple[str, ...]:
    return ("-n", word[1:]) if re.fullmatch(r"-\d+", word) and before != "-n" else (word,)


@click.command(
    cls=_Log,
    examples=(
        ("capsule log", "all capsules, newest first"),
        ("capsule log -n 5", "the newest five"),
        ("capsule log --graph", "drawn by what derives from what"),
        ("capsule log --json", "with whole digests"),
    ),
)
@click.option("-n", "number", metavar="N", type=click.IntRange(min=0), help="At most N capsules.")
@click.option("--graph", is_flag=True, help="Draw what derives from what, each capsule above its parents.")
@settings_options
def command(number: int | None, graph: bool) -> int:
    """List the capsules, newest first, a line each: digest, time, author, title and tags.

    Each capsule is listed once, as it was registered first. With --graph each stands above its parents, as git draws
    commits; an o is a parent that is not in this store.
    """
    with settings().open_store() as store:
        number = number if number is None else min(number, sys.maxsize)
        relatives = _graph(store, number) if graph else []
        capsules = _here(relatives) if graph else store.index.capsules(number)
        problems = list(store.index.unreadable())
        if settings().json:
            print_json([capsule.as_dict() for capsule in capsules])
        else:
            lines = table(_rows(capsules, _names(store)))
            lost = {str(digest) for digest in store.index.unreadable_beginning_with("")} if problems else ()
            print_lines(_drawing(relatives, lines, lost) if graph else lines)
    for problem in problems:
        print_error(problem, settings())
    return problems[0].exit_code if problems else 0


def _graph(store: Store, number: int | None) -> list[Relative]:
    """Return what a graph shows, down to so many capsules."""
    from capsulestore.inspection.lineage import graph

    found: list[Relative] = []
    left = sys.maxsize if number is None else number
    for relative in graph(store):
        if not left:
            break
        found.append(relative)
        left -= relative.registered is not None
    return found


def _here(relatives: Iterable[Relative]) -> list[Registered]:
    return [relative.registered for relative in relatives if relative.registered]


def _drawing(relatives: Iterable[Relative], lines: Iterable[str], lost: Container[str]) -> Iterator[str]:
    """Yield the graph, with the line of each capsule that is listed beside it."""
    from .graph import Node, draw

    line = iter(lines)
    nodes = (Node(str(one.digest), [*map(str, one.parents)], "*" if one.registered else "o") for one in relatives)
    for drawing, node in draw(nodes):
        if node is None:
            yield drawing
        elif node.mark == "*":
            yield drawing + next(line)
        else:
            why = "cannot be read" if node.name in lost else "not in this store"
            yield f"{drawing}{style(node.name[:12], 'yellow')}  {why}"


def _rows(capsules: list[Registered], names: dict[str, list[str]]) -> Iterator[tuple[str, ...]]:
    for capsule in capsules:
        digest = str(capsule.digest)
        known_as = f" ({style(', '.join(names[digest]), 'green')})" if digest in names else ""
        yield (
            style(digest[:12], "yellow"),
            local_time(iso_time(capsule.time))[:16],
            safe(capsule.author.partition(" <")[0]),
            safe(capsule.title) + known_as,
        )


def _names(store: Store) -> dict[str, list[str]]:
    """Return what else a capsule is called, by its digest: `@` first."""
    names: dict[str, list[str]] = {}
    last = store.last()
    for name, digest in [*([("@", last)] if last else []), *sorted(store.tags.all().items())]:
        names.setdefault(str(digest), []).append(name)
    return names
