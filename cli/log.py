"""`capsule log`: the capsules, newest first."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import click

from capsulestore.model.commit import iso_time
from capsulestore.store import Store
from capsulestore.store.index import Registered

from .command import Command, settings_options
from .output import print_error, print_json, print_lines, safe, style, table
from .settings import settings
from .text import local_time


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
        ("capsule log --json", "with whole digests"),
    ),
)
@click.option("-n", "number", metavar="N", type=click.IntRange(min=0), help="At most N capsules.")
@settings_options
def command(number: int | None) -> int:
    """List the capsules, newest first, a line each: digest, time, author, title and tags.

    Each capsule is listed once, as it was registered first.
    """
    with settings().open_store() as store:
        capsules = store.index.capsules(number if number is None else min(number, sys.maxsize))
        problems = list(store.index.unreadable())
        if settings().json:
            print_json([capsule.as_dict() for capsule in capsules])
        else:
            print_lines(table(_rows(capsules, _names(store))))
    for problem in problems:
        print_error(problem, settings())
    return problems[0].exit_code if problems else 0


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
