"""`capsule bundle`: a store, or chosen capsules, as one file."""

from __future__ import annotations

import os

import click

from capsulestore.errors import UsageError

from .candidates import complete_name
from .command import FILE, Command, settings_options
from .exchange import stands_for
from .moved import Moved
from .output import print_json, print_line, safe
from .progress import watched
from .settings import settings


@click.command(
    cls=Command,
    examples=(
        ("capsule bundle thesis.bundle", "all capsules and tags"),
        ("capsule bundle paper.bundle paper", "one, and what it needs"),
        ("capsule bundle last.bundle @", "the capsule added last"),
    ),
)
@click.argument("file", type=FILE)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_name)
@settings_options
def command(file: str, names: tuple[str, ...]) -> None:
    """Write capsules to FILE, for a machine without network or to go with a paper; what FILE was is replaced.

    All capsules and tags, or those that a NAME stands for: a digest, four or more of its digits, a tag, or @ for the
    capsule added last. `capsule pull FILE` and `capsule clone FILE` read it, and so do `git bundle verify FILE`
    and `git clone FILE`.
    """
    from capsulestore.sync.bundle import write_bundle

    with settings().open_store() as store:
        if not names and not os.path.lexists(file) and stands_for(store, file):
            raise UsageError(
                f"`{file}` is a capsule, and the file comes first", hint=f"write `capsule bundle FILE {file}`"
            )
        chosen = [store.resolve_capsule(name) for name in names] or None
        with watched() as progress:
            written = write_bundle(store, file, chosen, progress=progress)
    moved = Moved(written.capsules, written.tags, written.objects, written.bytes, written.tip)
    if settings().json:
        print_json({"bundle": os.path.abspath(file), **moved.document("written")})
        return
    print_line(f"{moved.counts} written to {safe(file)}; its tip is {moved.tip_shown}")
    for line in moved.tag_lines():
        print_line(line)
