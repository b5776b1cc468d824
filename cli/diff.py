"""`capsule diff`: what differs between two environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from capsulestore.errors import UsageError

from .candidates import complete_name
from .command import Command, settings_options, target_options
from .output import note, print_findings, print_json, print_lines
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.inspection.comparison import Compared


@click.command(
    cls=Command,
    examples=(
        ("capsule diff @", "the capsule added last against the environment here"),
        ("capsule diff 3f2a 9c41", "one capsule against another"),
        ("capsule diff 3f2a 9c41 --layer system", "a layer of their context"),
    ),
)
@click.argument("a", shell_complete=complete_name)
@click.argument("b", required=False, shell_complete=complete_name)
@target_options
@settings_options
def command(a: str, b: str | None, python: str | None, layers: tuple[str, ...]) -> int:
    """Print what differs from environment A to B, by default the environment here.

    A and B are capsules or environments: a digest, four or more of its digits, a tag, or @. Exit status 0 when they
    are equal, else 1.
    """
    from capsulestore.capture.environment import check_layers
    from capsulestore.inspection.comparison import compare, stored

    from .text import change_lines

    if b is not None and python:
        raise UsageError("`--python` looks at the environment here, and B is another")
    check_layers(layers)
    with settings().open_store() as store:
        of_a = stored(store, a)
        of_b = _here(python, layers) if b is None else stored(store, b)
        answer = compare(of_a, of_b, layers=layers or None)
    if settings().json:
        print_json(answer.as_dict())
    else:
        print_lines(change_lines(answer.changes))
        if answer.identical:
            note("no difference")
        for layer, reason in answer.unseen.items():
            note(f"the layer `{layer}` is not compared: it {reason}")
    return 0 if answer.identical else 1


def _here(python: str | None, layers: tuple[str, ...]) -> Compared:
    from capsulestore.inspection import comparison

    from .here import captured, tell_target

    found = captured(python, layers)
    tell_target(found.target)
    print_findings(found.findings)
    return comparison.captured(found)
