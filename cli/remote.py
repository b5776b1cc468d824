"""`capsule remote`: names for other stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from capsulestore.errors import UsageError

from .candidates import complete_remote
from .command import Command, settings_options
from .output import note, print_json, print_lines, safe, style, table
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.sync.remotes.named import ConfiguredRemote

_ARGUMENTS: Final = {"add": ("NAME", "URL"), "remove": ("NAME",), "list": ()}


@click.command(
    cls=Command,
    examples=(
        ("capsule remote", "list them"),
        ("capsule remote add origin ada@lab:thesis/.capsules", "another store, over ssh"),
        ("capsule remote add team https://forge.example.org/team/fits.git", "over HTTP"),
        ("capsule remote add backup /media/disk/thesis", "on this machine"),
        ("capsule remote remove backup", "forget the name; the store stays"),
    ),
)
@click.argument("action", metavar="[add|remove|list]", type=click.Choice(list(_ARGUMENTS)), default="list")
@click.argument("name", required=False, shell_complete=complete_remote)
@click.argument("url", required=False)
@settings_options
def command(action: str, name: str | None, url: str | None) -> None:
    """List the remotes, give another store a name, or forget one.

    URL is a path, file:///PATH, ssh://HOST/PATH, USER@HOST:PATH or https://HOST/PATH: of a store, or of an empty git
    repository in the SHA-256 format, which becomes one. Nothing is asked of it yet. `push` and `pull` mean the remote
    `origin` where they are told of none. A password does not belong into URL: git's credential helpers, ~/.netrc and
    the variable CAPSULE_TOKEN are asked.
    """
    from capsulestore.sync.remotes.named import add, find, listed, remove

    given = [word for word in (name, url) if word is not None]
    if len(given) != len(_ARGUMENTS[action]):
        raise UsageError(
            f"`capsule remote {action}` takes {' and '.join(_ARGUMENTS[action]) or 'nothing else'}",
            hint=f"write `capsule remote {' '.join([action, *_ARGUMENTS[action]])}`",
        )
    with settings().open_store() as store:
        if name is None:
            _list(listed(store.path))
        elif url is not None:
            remote = add(store, name, url)
            _tell(remote, f"the remote `{name}` is {remote.shown}")
        else:
            remote = find(store.path, name)
            remove(store, name)
            _tell(remote, f"removed the remote `{name}`, which was {remote.shown}")


def _list(remotes: tuple[ConfiguredRemote, ...]) -> None:
    if settings().json:
        print_json([_document(remote) for remote in remotes])
    else:
        print_lines(table([(style(remote.name, "green"), safe(_shown(remote))) for remote in remotes]))


def _shown(remote: ConfiguredRemote) -> str:
    return remote.shown if remote.url == remote.push_url else f"{remote.shown}, to push {_push_url(remote)}"


def _push_url(remote: ConfiguredRemote) -> str:
    return remote._replace(url=remote.push_url).shown


def _tell(remote: ConfiguredRemote, words: str) -> None:
    if settings().json:
        print_json(_document(remote))
    else:
        note(words)


def _document(remote: ConfiguredRemote) -> dict[str, str]:
    return {"remote": remote.name, "url": remote.shown, "push_url": _push_url(remote)}
