"""`capsule tag`: names for capsules."""

from __future__ import annotations

import click

from capsulestore.errors import UsageError
from capsulestore.model.digest import Digest
from capsulestore.store import Store

from .candidates import complete_name, complete_tag
from .command import Command, settings_options
from .output import note, print_json, print_lines, safe, style, table
from .settings import settings


@click.command(
    cls=Command,
    examples=(
        ("capsule tag", "list the tags"),
        ("capsule tag paper", "call the capsule added last `paper`"),
        ("capsule tag paper 3f2a", "or another"),
        ("capsule tag --force paper 9c41", "call another one so"),
        ("capsule tag --delete paper", "forget the name; the capsule stays"),
    ),
)
@click.argument("name", required=False, shell_complete=complete_tag)
@click.argument("capsule", required=False, shell_complete=complete_name)
@click.option("-f", "--force", is_flag=True, help="Move a tag that is there already.")
@click.option("-d", "--delete", is_flag=True, help="Remove the tag NAME.")
@settings_options
def command(name: str | None, capsule: str | None, force: bool, delete: bool) -> None:
    """List the tags, or give a capsule the name NAME.

    CAPSULE is a digest, four or more of its digits, a tag, or by default @, the capsule added last. A tag stays where
    it is unless it is moved by force. What looks like a digest is no tag.
    """
    if delete and (capsule is not None or force or name is None):
        raise UsageError("`--delete` takes one tag and nothing else", hint="write `capsule tag --delete NAME`")
    if force and name is None:
        raise UsageError("`--force` takes a tag", hint="write `capsule tag --force NAME [CAPSULE]`")
    with settings().open_store() as store:
        if name is None:
            _list(store)
        elif delete:
            was = store.tags.remove(name)
            _tell(name, was, f"removed the tag `{name}`, which was {was.hex[:12]}")
        else:
            digest = store.resolve_capsule(capsule or "@")
            store.tags.set(name, digest, force=force)
            _tell(name, digest, f"`{name}` is {digest.hex[:12]}")


def _list(store: Store) -> None:
    tags = sorted(store.tags.all().items())
    if settings().json:
        print_json([_document(name, digest) for name, digest in tags])
        return
    print_lines(table((style(name, "green"), digest.hex[:12], safe(_title(store, digest))) for name, digest in tags))


def _title(store: Store, digest: Digest) -> str:
    registered = store.index.registered(digest)
    return registered.title if registered else ""


def _tell(name: str, digest: Digest, words: str) -> None:
    if settings().json:
        print_json(_document(name, digest))
    else:
        note(words)


def _document(name: str, digest: Digest) -> dict[str, str]:
    return {"tag": name, "capsule_id": str(digest)}
