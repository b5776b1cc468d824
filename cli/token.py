"""`capsule token`: who may use a store's server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import click

from capsulestore.errors import UsageError

from .command import Command, settings_options
from .output import note, print_json, print_line, print_lines, style, table
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.serving.access.tokens import Scope, Token, Tokens

_ARGUMENTS: Final = {"create": ("NAME",), "revoke": ("NAME",), "list": ()}


@click.command(
    cls=Command,
    examples=(
        ("capsule token create ada --scope write", "print a token that may register and push capsules"),
        ("capsule token create notebook", "one that may read"),
        ("capsule token", "list them, without their texts"),
        ("capsule token revoke ada", "it counts for nothing from now on"),
    ),
)
@click.argument("action", metavar="[create|revoke|list]", type=click.Choice(list(_ARGUMENTS)), default="list")
@click.argument("name", required=False)
@click.option("--scope", type=click.Choice(["read", "write"]), help="What a new token is good for (default: read).")
@settings_options
def command(action: str, name: str | None, scope: str | None) -> None:
    """Make, list or revoke tokens for `capsule serve`.

    A new token is printed once and kept nowhere: give it to who is to have it, as CAPSULE_TOKEN or the password of git.
    Capsules that are registered with it have NAME as their author. A running server knows of changes at once.
    """
    from capsulestore.serving.access.tokens import Tokens

    given = [] if name is None else [name]
    if len(given) != len(_ARGUMENTS[action]):
        raise UsageError(
            f"`capsule token {action}` takes {' and '.join(_ARGUMENTS[action]) or 'nothing else'}",
            hint=f"write `capsule token {' '.join([action, *_ARGUMENTS[action]])}`",
        )
    if scope and action != "create":
        raise UsageError("`--scope` is for a new token", hint="write `capsule token create NAME --scope write`")
    with settings().open_store() as store:
        tokens = Tokens(store.path)
        if name is None:
            _list(tokens.listed())
        elif action == "create":
            _create(tokens, name, cast("Scope", scope or "read"))
        else:
            tokens.revoke(name)
            _tell_revoked(name)


def _create(tokens: Tokens, name: str, scope: Scope) -> None:
    text = tokens.create(name, scope)
    if settings().json:
        print_json({"name": name, "scope": scope, "token": text})
    else:
        print_line(text)
        note(f"the token of `{name}` may {scope}; it is not shown again")


def _list(tokens: tuple[Token, ...]) -> None:
    if settings().json:
        fields = ("name", "scope", "created_at")
        print_json([{field: getattr(token, field) for field in fields} for token in tokens])
    else:
        print_lines(table([(style(token.name, "green"), token.scope, token.created_at) for token in tokens]))


def _tell_revoked(name: str) -> None:
    if settings().json:
        print_json({"name": name, "revoked": True})
    else:
        note(f"the token of `{name}` counts for nothing from now on")
