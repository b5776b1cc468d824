"""`capsule serve`: a store over HTTP, for programs and for other stores."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from capsulestore.errors import StoreUnreadable, UsageError

from .command import FILE, Command, settings_options
from .here import target, tell_target
from .output import note, print_json, print_line, safe
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.serving.access.rules import Access
    from capsulestore.serving.http.listening import Listening

_NEEDED: Final = ("fastapi", "h11", "packaging", "uvicorn")


@click.command(
    cls=Command,
    examples=(
        ("capsule serve", "for programs on this machine"),
        ("capsule serve --host 0.0.0.0", "for others too, who need a token"),
        ("capsule serve --require-token --allow-host capsules.example.org", "behind a proxy with TLS"),
    ),
)
@click.option("--host", metavar="HOST", default="127.0.0.1", help="The address to listen on (default: 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, help="The port, 0 for any (default: 8000).")
@click.option(
    "--allow-host",
    "names",
    metavar="NAME",
    multiple=True,
    help="A host name by which clients may call it (repeatable).",
)
@click.option(
    "--python",
    metavar="PATH",
    type=FILE,
    help="The interpreter whose environment is verified, chosen as by `capsule verify` without it.",
)
@click.option("--require-token", is_flag=True, help="Let nobody read without a token, as behind a proxy.")
@click.option("--no-git", is_flag=True, help="Leave out the git transport at `/git`.")
@settings_options
def command(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    host: str, port: int, names: tuple[str, ...], python: str | None, require_token: bool, no_git: bool
) -> None:
    """Serve the store over HTTP, and print the url once it listens.

    Whoever is on this machine may read; writing needs a token, which `capsule token create NAME` makes. On an address
    that other machines reach everything needs one. There is no TLS, and from elsewhere `capsule` sends a token over
    https only: put a proxy before it, from which everybody comes as if from this machine, so with --require-token.
    Ctrl-C ends it when what was begun is finished. Ask it by `curl URL/api/capsules`, and send capsules by `capsule
    push URL/git`; URL/openapi.json says all it answers.
    """
    from capsulestore.serving.http.listening import listening

    _check_extra()
    _raise_limit_of_files()
    with settings().open_store() as store:
        path = store.path
    with listening(host, port) as bound:
        access = _access(path, bound, names, require_token=require_token)
        chosen = target(python)
        tell_target(chosen)
        # What answers requests takes longer to import than to find out that there will be none.
        from capsulestore.api import create_app
        from capsulestore.serving.http.line_writer import LineWriter
        from capsulestore.serving.http.server import Server

        app = create_app(path, python=chosen, access=access, git=not no_git)
        with LineWriter(_stderr()) as lines:
            Server(app, bound, log=lines.write).run(lambda url: _tell_started(url, path, bound))


def _check_extra() -> None:
    from importlib.util import find_spec

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"`capsule serve` needs packages that are not installed: {', '.join(missing)}",
            hint="pip install 'capsulestore[server]'",
        )


def _raise_limit_of_files() -> None:
    """Take as many descriptors as may be had: a connection needs one, and the usual limit is for programs of old."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _access(store: str, bound: Listening, names: tuple[str, ...], *, require_token: bool) -> Access:
    """Return who may do what; where reading needs a token, somebody must have one first."""
    from capsulestore.serving.access.rules import Access

    known = (*names, bound.host)
    if bound.is_loopback and not require_token:
        access = Access.on_loopback(store, known)
        try:
            access.tokens.listed()
        except StoreUnreadable as error:
            note(f"{error.message}; {error.hint}")
        return access
    access = Access.by_token(store, known)
    if not access.tokens.listed():
        why = "with `--require-token`" if bound.is_loopback else f"other machines reach `{bound.host}`, and"
        raise UsageError(
            f"{why} there is no token by which to let anybody in",
            hint="make one with `capsule token create NAME`",
        )
    return access


def _tell_started(url: str, store: str, bound: Listening) -> None:
    if settings().json:
        print_json({"url": url, "store": store})
    else:
        print_line(url)
    note(f"serving the store `{safe(store)}`; Ctrl-C ends it")
    if not bound.is_loopback:
        note("other machines reach it, too; from there `capsule` sends a token over https only, as to a proxy")


def _stderr() -> int | None:
    """Return the descriptor to which lines are written; none where stderr is closed."""
    with suppress(OSError, ValueError, AttributeError):
        return sys.stderr.fileno()
    return None
