"""`capsule capture`: look at the environment here, and store nothing."""

from __future__ import annotations

from typing import Any

import click

from capsulestore.capture.environment import Capture
from capsulestore.model.layers import LayerState

from .command import Command, settings_options, target_options
from .context_text import context_summary
from .deep import deep_check, installed_lines
from .here import captured
from .output import print_findings, print_json, print_line, safe, table
from .settings import settings
from .text import layer_summary


@click.command(
    cls=Command,
    examples=(
        ("capsule capture", "the environment here, by layer"),
        ("capsule capture --python /usr/bin/python3", "that of another interpreter"),
        ("capsule capture --deep", "and is every installed file as it was installed?"),
        ("capsule capture --json > environment.json", "all of it, for `capsule add --environment`"),
    ),
)
@click.option("--deep", is_flag=True, help="Compare every installed file with the hash that its installer recorded.")
@target_options
@settings_options
def command(deep: bool, python: str | None, layers: tuple[str, ...]) -> int:
    """Print the digest of the environment here, and what is in it.

    Nothing is stored, and no store is needed. With --deep the exit status is 1 where an installed file is changed or
    missing; one that belongs to nobody is told.
    """
    found = captured(python, layers)
    installed = deep_check(layers)(found.interpreter) if deep else None
    if settings().json:
        print_json(found.as_dict() | ({"deep": installed.as_dict()} if installed else {}))
    else:
        _print(found)
        for line in installed_lines(installed) if installed else ():
            print_line(line)
        print_findings(found.findings)
    return 0 if installed is None or installed.same else 1


def _print(found: Capture) -> None:
    document: dict[str, Any] = found.as_dict()
    digests = document["layers"]
    if found.environment:
        print_line(f"environment {document['environment_digest']}")
    rows = [("interpreter", "", safe(f"{found.target.python} ({found.target.chosen_by})"))]
    for name, state in found.layers.items():
        part = digests[name][:12] if name in digests else "context" if name in found.context else ""
        rows.append((safe(name), part, _summary(found, name, state)))
    for line in table(rows):
        print_line(line)


def _summary(found: Capture, name: str, state: LayerState) -> str:
    layer, context = found.environment.get(name), found.context.get(name)
    if isinstance(layer, dict):
        return layer_summary(layer)
    told = [context_summary(name, context)] if isinstance(context, dict) else []
    if state.state != "captured":
        told.append(safe(f"{state.state}: {state.reason}" if state.reason else state.state))
    return ", ".join(filter(None, told))
