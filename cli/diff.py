"""`capsule diff`: what differs between two environments."""

from __future__ import annotations

import click

from capsulestore.compare.difference import Side, changes
from capsulestore.errors import InvalidValue, StoreUnreadable, UnknownName
from capsulestore.model.mapping import encode_mapping
from capsulestore.store import Store

from .command import Command, settings, settings_options, target_options
from .here import captured
from .output import note, print_findings, print_json, print_line
from .text import change_lines


@click.command(
    cls=Command,
    examples=(
        ("capsule diff @", "the capsule added last against the environment here"),
        ("capsule diff 3f2a 9c41", "one capsule against another"),
    ),
)
@click.argument("a")
@click.argument("b", required=False)
@target_options
@settings_options
def command(a: str, b: str | None, python: str | None, layers: tuple[str, ...]) -> int:
    """Print what differs from environment A to B, by default the environment here.

    A and B are capsules or environments: a digest, four or more of its digits, a tag, or @. Exit status 0 when they
    are equal, else 1.
    """
    with settings().open_store() as store:
        of_a = _stored(store, a)
        of_b = _stored(store, b) if b is not None else _here(python, layers)
        try:
            found = [change for change in changes(of_a, of_b) if not layers or change.layer in layers]
        except InvalidValue as error:
            raise StoreUnreadable(f"no environment that this release can read: {error}") from error
    identical = not found if layers else of_a.digest == of_b.digest
    if settings().json:
        print_json(
            {
                "a": str(of_a.digest),
                "b": str(of_b.digest),
                "identical": identical,
                "changes": [change.as_dict() for change in found],
            }
        )
    else:
        for line in change_lines(found):
            print_line(line)
        if identical:
            note("no difference")
    return 0 if identical else 1


def _stored(store: Store, name: str) -> Side:
    named = store.resolve(name)
    if named.kind == "capsule":
        return Side(store.read, store.capsule(named.digest).environment)
    if named.kind != "environment":
        raise UnknownName(f"`{name}` is neither a capsule nor an environment")
    return Side(store.read, named.digest)


def _here(python: str | None, layers: tuple[str, ...]) -> Side:
    found = captured(python, layers)
    print_findings(found.findings)
    encoded = encode_mapping(found.environment)
    return Side(encoded.objects.__getitem__, encoded.id)
