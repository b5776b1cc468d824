"""What a shell may complete a word to: names of the store's capsules, tags, layers, remotes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from .settings import Settings

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from capsulestore.store import Store

__all__ = [
    "complete_file",
    "complete_layer",
    "complete_name",
    "complete_remote",
    "complete_remote_or_file",
    "complete_tag",
]

_NEWEST: Final = 10
_DIGITS: Final = re.compile(r"[0-9a-fA-F]{1,64}")
_DIGITS_SHOWN: Final = 12
_TITLE_SHOWN: Final = 60
_UNQUOTED: Final = re.compile(r"\w[\w@+=,./-]*")
"""Tags that mean themselves to every shell. No other is offered: bash would run what is in `$(...)`."""


def complete_name(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the tags that begin as typed, `@`, and the capsules; the newest where nothing is typed."""
    with _store(ctx) as store:
        items = list(_tags(store, incomplete))
        if "@".startswith(incomplete) and store.last():
            items.append(_item("@", "the capsule added last"))
        if not incomplete:
            capsules = store.index.capsules(_NEWEST)
        elif _DIGITS.fullmatch(incomplete):
            capsules = store.index.capsules_beginning_with(incomplete.lower())
        else:
            capsules = []
        shown = _DIGITS_SHOWN if len(incomplete) <= _DIGITS_SHOWN else None
        return items + [_item(str(capsule.digest)[:shown], capsule.title) for capsule in capsules]


def complete_tag(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the tags that begin as typed."""
    with _store(ctx) as store:
        return list(_tags(store, incomplete))


def complete_layer(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the layers that begin as typed."""
    from capsulestore.capture.environment import LAYERS

    return [_item(layer.name) for layer in LAYERS if layer.name.startswith(incomplete)]


def complete_file(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Have the shell complete a path, of what may be an address as well."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def complete_remote(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the remotes that begin as typed."""
    from capsulestore.sync.remotes.named import listed

    with _store(ctx) as store:
        remotes = [remote for remote in listed(store.path) if remote.name.startswith(incomplete)]
        return [_item(remote.name, remote.shown) for remote in remotes if _UNQUOTED.fullmatch(remote.name)]


def complete_remote_or_file(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Return the remotes that begin as typed; where there is none, have the shell complete a path."""
    remotes = complete_remote(ctx, parameter, incomplete)
    return remotes or complete_file(ctx, parameter, incomplete)


def _store(ctx: click.Context) -> Store:
    given = ctx.ensure_object(Settings)
    # The shell has not expanded it yet.
    given.store = os.path.expanduser(given.store) if given.store else None
    return given.open_store()


def _tags(store: Store, incomplete: str) -> Iterator[CompletionItem[str]]:
    for name, digest in sorted(store.tags.all().items()):
        if name.startswith(incomplete) and _UNQUOTED.fullmatch(name):
            registered = store.index.registered(digest)
            yield _item(name, registered.title if registered else "")


def _item(name: str, title: str = "") -> CompletionItem[str]:
    from click.shell_completion import CompletionItem

    from .output import safe

    return CompletionItem(name, help=safe(title)[:_TITLE_SHOWN] or None)
