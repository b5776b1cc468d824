"""`capsule clone`: make a store of another's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import click

from capsulestore.errors import UsageError

from .candidates import complete_file
from .command import Command, settings_options
from .exchange import ORIGIN, Other, reached
from .moved import Moved, tell_refused_tags
from .output import note, print_json, print_line, safe
from .progress import watched
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.store import Store
    from capsulestore.sync.address import Address
    from capsulestore.sync.pull import Received

_LAST_PARTS: Final = (".capsules", ".git", ".bundle")
"""What says of a path that a store is there, and is no part of a name: a directory's name, or the end of one."""


@click.command(
    cls=Command,
    examples=(
        ("capsule clone ada@lab:thesis/.capsules", "make `thesis/.capsules`"),
        ("capsule clone https://forge.example.org/team/fits.git .", "make `.capsules` here"),
        ("capsule clone thesis.bundle", "from a file that `capsule bundle` wrote"),
    ),
)
@click.argument("url", shell_complete=complete_file)
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(file_okay=False, readable=False))
@settings_options
def command(url: str, directory: str | None) -> None:
    """Make a store, `DIR/.capsules`, of all that another one has, and print its path.

    URL is an address or a bundle, and becomes the remote origin. DIR is by default called as the last part of URL. What
    comes is checked first; where anything fails, nothing is made.
    """
    from capsulestore.sync.address import Address
    from capsulestore.sync.clone import clone

    if settings().store:
        raise UsageError("`clone` takes no `--store`", hint="name the directory: `capsule clone URL DIR`")
    address = Address.parse(url)
    path, received = clone(directory or _directory(address), lambda store: _fill(store, url, address))
    moved = Moved(received.capsules, received.tags, received.objects, None, received.tip)
    if settings().json:
        document = {"store": path, "remote": ORIGIN, "url": address.shown, **moved.document("received")}
        print_json({**document, "refused_tags": [*received.refused_tags]})
    else:
        print_line(safe(path))
        note(f"{moved.counts} received" if moved.counts else f"there is nothing yet in {address.shown}")
    tell_refused_tags(received.refused_tags, ORIGIN)


def _fill(store: Store, url: str, address: Address) -> Received:
    from capsulestore.sync.pull import pull
    from capsulestore.sync.remotes.named import add

    add(store, ORIGIN, url)
    other = Other(ORIGIN, address, named=True)
    with watched() as progress:
        return pull(store, reached(other, store, progress), named=other.remembered, progress=progress)


def _directory(address: Address) -> str:
    """Return the last part of an address, as git does: without what says that a store is there."""
    path = os.path.realpath(address.path) if address.kind == "path" else address.path.rstrip("/")
    name = os.path.basename(path)
    if name in _LAST_PARTS:
        name = os.path.basename(os.path.dirname(path))
    for end in _LAST_PARTS:
        name = name.removesuffix(end)
    name = name or address.host or ""
    if name in {"", ".", ".."}:
        raise UsageError(
            f"the address says no name for a directory: {address.shown}", hint="name one: `capsule clone URL DIR`"
        )
    return name
