"""`capsule push`: send what another store lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .candidates import complete_name, complete_remote_or_file
from .command import Command, settings_options
from .exchange import other_store, reached
from .moved import Moved, tell_kept_tags
from .output import print_json, print_line, safe
from .progress import watched
from .settings import settings

if TYPE_CHECKING:
    from .exchange import Other


@click.command(
    cls=Command,
    examples=(
        ("capsule push", "send all that the remote `origin` lacks"),
        ("capsule push --dry-run", "say what that would be"),
        ("capsule push backup", "to the remote `backup`"),
        ("capsule push /media/disk/thesis", "to a store without a name here"),
        ("capsule push origin paper 3f2a", "these capsules and their tags only"),
    ),
)
@click.argument("remote", required=False, shell_complete=complete_remote_or_file)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_name)
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be sent; change nothing.")
@settings_options
def command(remote: str | None, names: tuple[str, ...], dry_run: bool) -> None:
    """Send capsules to another store: all that it lacks, with their environments, statements and tags.

    REMOTE is one that `capsule remote` lists, by default origin, or an address. With a NAME (a digest, four or more of
    its digits, a tag, or @ for the capsule added last) only those capsules and their tags are sent. Nothing that is
    there is lost or overwritten: what is sent is joined with it, and a tag that means something else there stays.
    """
    from capsulestore.sync.push import push

    with settings().open_store() as store:
        other = other_store(store, remote, "push")
        chosen = [store.resolve_capsule(name) for name in names] or None
        with watched() as progress:
            sent = push(
                store,
                reached(other, store, progress),
                chosen,
                named=other.remembered,
                dry_run=dry_run,
                progress=progress,
            )
    # What would be made for the occasion is made anew when it is sent.
    tip = None if dry_run and sent.objects else sent.tip
    moved = Moved(sent.capsules, sent.tags, sent.objects, sent.bytes, tip)
    if settings().json:
        print_json({"remote": other.name, **moved.document("sent"), "kept_tags": [*sent.kept_tags], "dry_run": dry_run})
    else:
        _print(moved, other, dry_run=dry_run)
    tell_kept_tags(sent.kept_tags, other.name, "there")


def _print(moved: Moved, other: Other, *, dry_run: bool) -> None:
    if not moved.counts:
        print_line("everything is there already" if moved.tip else "there is nothing to send")
    elif dry_run:
        print_line(f"{moved.counts} would be sent to {safe(other.name)}")
    else:
        print_line(f"{moved.counts} sent to {safe(other.name)}; its tip is {moved.tip_shown}")
    for line in moved.tag_lines():
        print_line(line)
