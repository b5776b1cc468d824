"""`capsule status`: is the environment here still that of the capsule added last?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from .command import Command, settings_options, target_options
from .output import print_json, print_line, safe, style, table
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.compare.difference import Change
    from capsulestore.verification.capsule import Verification

_NAMED = 3


@click.command(
    cls=Command,
    examples=(
        ("capsule status", "the environment here against the capsule added last"),
        ("capsule status --json", "as `capsule verify --json` has it"),
    ),
)
@target_options
@settings_options
def command(python: str | None, layers: tuple[str, ...]) -> int:
    """Tell in short whether the environment here is still that of the capsule added last, and its code and files too.

    Exit status 0 when all is the same, else 1. `capsule verify` says it at length.
    """
    from capsulestore.capture.cache import users_cache
    from capsulestore.verification.capsule import verify

    from .here import target, tell_target

    with settings().open_store() as store:
        answer = verify(store, "@", target(python), layers=layers or None, cache=users_cache())
        if settings().json:
            print_json(answer.as_dict())
        else:
            title = store.capsule(answer.capsule).manifest.title if answer.capsule else ""
            for line in table(_rows(answer, title, layers)):
                print_line(line)
            tell_target(answer.here.target)
    return 0 if answer.same else 1


def _rows(answer: Verification, title: str, layers: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    from capsulestore.compare.words import sides

    from .text import verdict_color

    yield "capsule", f"{str(answer.capsule)[:12]}  {safe(title)}"
    changes = [change for change in answer.match.changes if change.entry != "rules" or change.change == "changed"]
    told = [f"{change.entry} {sides(change)}" for change in _telling_first(changes)]
    verdict = style(answer.verdict, verdict_color(answer.verdict))
    yield (
        safe(", ".join(sorted(set(layers))) or "environment"),
        f"{verdict}{_few(told)}",
    )
    for reason in answer.match.outcome.reasons:
        yield "", safe(reason)
    if answer.match.context_in_words:
        yield "context", f"differs{_few(answer.match.context_in_words)}"
    code = [(f"{part.role} {part.name}", part.state) for part in answer.code]
    files = [(file.path, file.state) for file in answer.files]
    for kind, recorded in (("code", code), ("files", files)):
        if recorded:
            others = [f"{name} {state}" for name, state in recorded if state != "same"]
            yield kind, f"{len(recorded) - len(others)} of {len(recorded)} as recorded{_few(others)}"


def _telling_first(changes: Iterable[Change]) -> list[Change]:
    """Return changes with those first that say most: what became another, then what is gone, then what came."""
    return sorted(changes, key=lambda change: ("changed", "removed", "added").index(change.change))


def _few(phrases: list[str] | tuple[str, ...]) -> str:
    """Return the first few of some phrases and how many more there are, to be put after a word."""
    more = len(phrases) - _NAMED
    told = ", ".join(map(safe, phrases[:_NAMED]))
    return f": {told}{f' and {more} more' if more > 0 else ''}" if told else ""
