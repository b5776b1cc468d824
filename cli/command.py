"""What all commands share: help that begins with examples, and the options taken before and after a command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import cleandoc
from typing import Any, Final, TypeVar

import click

from .candidates import complete_layer
from .settings import Settings

__all__ = [
    "FILE",
    "Command",
    "Group",
    "settings_options",
    "target_options",
]

Examples = Sequence[tuple[str, str]]
FILE: Final = click.Path(readable=False)
"""A path, which a shell completes; whether anything lies there, and can be read, is for the command to say."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


def settings_options(function: _Function) -> _Function:
    """Give a command `--store`, `--json` and `--color`."""
    for option in (
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            expose_value=False,
            callback=_remember,
            help="Whether to colour what is printed.",
        ),
        click.option(
            "--json",
            is_flag=True,
            default=None,
            expose_value=False,
            callback=_remember,
            help="Answer with JSON.",
        ),
        click.option(
            "--store",
            metavar="DIR",
            type=FILE,
            expose_value=False,
            callback=_remember,
            help="The store, instead of the nearest `.capsules`.",
        ),
    ):
        function = option(function)
    return function


def target_options(function: _Function) -> _Function:
    """Give a command that looks at the environment here `--python` and `--layer`."""
    for option in (
        click.option(
            "--layer",
            "layers",
            metavar="LAYER",
            multiple=True,
            shell_complete=complete_layer,
            help="Look at this layer only (repeatable).",
        ),
        click.option(
            "--python",
            metavar="PATH",
            type=FILE,
            help="The interpreter, instead of the activated environment's, `.venv`'s or `python3`.",
        ),
    ):
        function = option(function)
    return function


def _remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and parameter.name:
        setattr(ctx.ensure_object(Settings), parameter.name, value)


class _WithExamples(click.Command):
    """A command whose help begins with examples: pairs of a command line and what it does."""

    def __init__(self, *args: Any, examples: Examples = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002
        # The whole first line: the list of commands wraps it.
        return (self.help or "").partition("\n")[0]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        first, _, rest = cleandoc(self.help or "").partition("\n")
        formatter.write_text(first)
        with formatter.section("Examples"):
            formatter.write_dl(self.examples, col_max=52)
        formatter.write_paragraph()
        self.format_usage(ctx, formatter)
        if rest.strip():
            formatter.write_paragraph()
            formatter.write_text(rest.strip())
        self.format_options(ctx, formatter)


class Command(_WithExamples):
    """A subcommand."""


class Group(_WithExamples, click.Group):
    """The command that holds the subcommands."""
