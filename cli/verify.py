"""`capsule verify`: is the environment here, and are the files, what a capsule recorded?"""

from __future__ import annotations

import click

from capsulestore.compare.words import sentence
from capsulestore.verification import Verification
from capsulestore.verification import verify as verify_capsule

from .command import Command, settings, settings_options, target_options
from .here import target, tell_target
from .output import note, print_findings, print_json, print_line, safe, style
from .text import change_lines

_CONTEXT_CHANGES_TOLD = 3
_COLORS = {"identical": "green", "different": "red", "not comparable": "yellow"}


@click.command(
    cls=Command,
    examples=(
        ("capsule verify", "against the capsule added last"),
        ("capsule verify 3f2a", "against another"),
        ("capsule verify --python .venv/bin/python", "with another interpreter"),
    ),
)
@click.argument("name", default="@")
@target_options
@settings_options
def command(name: str, python: str | None, layers: tuple[str, ...]) -> int:
    """Tell whether the environment here is the one that a capsule recorded.

    NAME is a digest, four or more of its digits, a tag, or @ for the capsule added last. Recorded inputs and outputs
    are looked at too. Exit status 0 when all is the same, else 1.
    """
    with settings().open_store() as store:
        answer = verify_capsule(store, name, target(python), layers=layers or None)
    if settings().json:
        print_json(answer.as_dict())
    else:
        _print(answer)
    return 0 if answer.same else 1


def _print(answer: Verification) -> None:
    print_line(f"{style(answer.verdict, _COLORS[answer.verdict])} {_explained(answer)}")
    for line in change_lines(answer.changes):
        print_line(f"  {line}")
    for remark in answer.remarks:
        print_line(f"  {safe(remark)}")
    tell_target(answer.here.target)
    if answer.context_changes:
        told = [sentence(change) for change in answer.context_changes[:_CONTEXT_CHANGES_TOLD]]
        more = len(answer.context_changes) - len(told)
        note(f"context, no part of the verdict: {'; '.join(told)}{f' and {more} more' if more else ''}")
    # Where all is as it was, so is what capture noticed, which was told when the capsule was added.
    if answer.verdict != "identical":
        print_findings(answer.here.findings)


def _explained(answer: Verification) -> str:
    if answer.verdict == "different":
        return f"from {answer.captured.hex[:12]}; here it is {answer.current.hex[:12]}"
    return f"{'to' if answer.verdict == 'identical' else 'with'} {answer.captured}"
