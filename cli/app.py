"""The command and its subcommands, each of which is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Final

import click

from capsulestore.errors import UsageError

from .command import Group, settings_options

__all__ = ["COMMANDS", "COMPLETION_VARIABLE", "application", "closest"]

COMMANDS: Final = (
    "init",
    "capture",
    "add",
    "run",
    "show",
    "log",
    "tag",
    "diff",
    "verify",
    "status",
    "remote",
    "push",
    "pull",
    "clone",
    "bundle",
    "serve",
    "token",
    "completion",
)

COMPLETION_VARIABLE: Final = "_CAPSULE_COMPLETE"
"""What a shell's completion script sets, to `SHELL_complete`."""

_CALLED_ELSEWHERE: Final = {
    "cat": "show",
    "check": "verify",
    "commit": "add",
    "compare": "diff",
    "create": "init",
    "download": "pull",
    "fetch": "pull",
    "freeze": "capture",
    "history": "log",
    "inspect": "show",
    "list": "log",
    "ls": "log",
    "publish": "push",
    "remotes": "remote",
    "save": "add",
    "snapshot": "add",
    "st": "status",
    "sync": "push",
    "upload": "push",
    "version": "--version",
}
"""What other tools call it."""


class _Commands(Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f".{cmd_name}", __package__).command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # As git takes it: `help`, `help verify`.
        return super().parse_args(ctx, [*args[1:2], "--help"] if args[:1] == ["help"] else args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand:
            raise UsageError(f"no command `{args[0]}`", hint=_meant(args[0])) from None


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of some known words that was meant by a misspelt one, None where none is near."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, known, n=1, cutoff=0.65)), None)


def _meant(word: str) -> str:
    meant = _CALLED_ELSEWHERE.get(word) or closest(word, COMMANDS)
    return f"did you mean `{meant}`?" if meant else "see `capsule --help`"


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from capsulestore import __version__

        click.echo(f"capsule {__version__}")
        ctx.exit()


@click.group(
    cls=_Commands,
    examples=(
        ("capsule init", "make a store here"),
        ('capsule add -m "first fit"', "record the environment here as a capsule"),
        ("capsule verify", "is the environment still the same?"),
        ("capsule diff 3f2a 9c41", "what differs between two"),
    ),
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@settings_options
def application() -> None:
    """Record the environment an analysis ran in, and tell later whether it is still the same."""
