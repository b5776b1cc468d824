"""`capsule init`: make a store."""

from __future__ import annotations

import click

from capsulestore.errors import UsageError
from capsulestore.store import Store

from .command import Command, settings_options
from .output import print_json, print_line, safe
from .settings import settings


@click.command(
    cls=Command,
    examples=(("capsule init", "in this directory"), ("capsule init analyses/", "in another")),
)
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(file_okay=False, readable=False))
@settings_options
def command(directory: str) -> None:
    """Make a store, `DIR/.capsules`, and print its path.

    A store that is there already is left as it is.
    """
    if settings().store:
        raise UsageError("`init` takes no `--store`", hint="name the directory: `capsule init DIR`")
    with Store.init(directory) as store:
        if settings().json:
            print_json({"store": store.path})
        else:
            print_line(safe(store.path))
