"""`capsule pull`: take what another store has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .candidates import complete_remote_or_file
from .command import Command, settings_options
from .exchange import other_store, reached
from .moved import Moved, tell_kept_tags, tell_refused_tags
from .output import print_json, print_line, safe
from .progress import watched
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.sync.pull import Received

    from .exchange import Other


@click.command(
    cls=Command,
    examples=(
        ("capsule pull", "take all that the remote `origin` has"),
        ("capsule pull --dry-run", "say whether there is anything"),
        ("capsule pull backup", "from the remote `backup`"),
        ("capsule pull ada@lab:thesis/.capsules", "from a store without a name here"),
        ("capsule pull thesis.bundle", "from a file that `capsule bundle` wrote"),
    ),
)
@click.argument("remote", metavar="[REMOTE or FILE]", required=False, shell_complete=complete_remote_or_file)
@click.option("-n", "--dry-run", is_flag=True, help="Say whether there is anything to take; change nothing.")
@settings_options
def command(remote: str | None, dry_run: bool) -> None:
    """Take all that another store has: capsules, with their environments, statements and tags.

    REMOTE is one that `capsule remote` lists, by default origin, or an address; FILE is a bundle. What comes is checked
    before anything of it can be seen. Nothing that is here is lost or overwritten: what comes is joined with it, and a
    tag that means something else here stays.
    """
    from capsulestore.sync.pull import pull

    with settings().open_store() as store:
        other = other_store(store, remote, "pull")
        with watched() as progress:
            received = pull(
                store, reached(other, store, progress), named=other.remembered, dry_run=dry_run, progress=progress
            )
    moved = Moved(received.capsules, received.tags, received.objects, None, received.tip)
    if settings().json:
        print_json(
            {
                "remote": other.name,
                "new": received.new,
                **moved.document("received"),
                "kept_tags": [*received.kept_tags],
                "refused_tags": [*received.refused_tags],
                "dry_run": dry_run,
            }
        )
    else:
        _print(moved, received, other, dry_run=dry_run)
    tell_kept_tags(received.kept_tags, other.name, "here")
    tell_refused_tags(received.refused_tags, other.name)


def _print(moved: Moved, received: Received, other: Other, *, dry_run: bool) -> None:
    if dry_run and received.new:
        print_line(f"{safe(other.name)} has something that is not here")
    elif not moved.counts:
        print_line("everything is here already")
    else:
        print_line(f"{moved.counts} received from {safe(other.name)}; the tip here is {moved.tip_shown}")
    for line in moved.tag_lines():
        print_line(line)
