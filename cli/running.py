"""Runs one command line, and turns whatever ends it early into one line and an exit status."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress

import click

from capsulestore.errors import CapsuleError, UsageError

from .app import COMMANDS, COMPLETION_VARIABLE, application, closest
from .output import print_error
from .settings import Settings

__all__ = ["run"]


def run(arguments: list[str], command: click.Command = application, name: str = "capsule") -> int:
    """Run a command line of a command that is called by `name`, and return its status.

    What ends it early is told on stderr.
    """
    if instruction := os.environ.get(COMPLETION_VARIABLE):
        from .completion import complete

        return complete(instruction)
    given = Settings()
    try:
        # Not `command.main()`, which has its own ways with interrupts and closed pipes.
        # A copy, which click takes apart.
        with command.make_context(name, [*arguments], obj=given) as context:
            status = command.invoke(context)
        if sys.stdout:
            sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        return UsageError.exit_code
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:
        if _was_interrupted(error):
            raise KeyboardInterrupt from error
        problem = _problem(error, name, arguments if command is application else [])
        # Where the command line itself is wrong, it was not read to its end.
        given.json = given.json or "--json" in arguments
        # The status says it too, where stderr is closed or full.
        with suppress(OSError):
            print_error(problem, given)
        return problem.exit_code
    return status if isinstance(status, int) else 0


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: in the midst of making a class, Python 3.11 wraps it into another."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error is not None


def _problem(error: Exception, name: str, words: list[str]) -> CapsuleError:
    """Return any exception as one of ours; among the words may be the name of a subcommand."""
    if isinstance(error, CapsuleError):
        return error
    if isinstance(error, click.NoSuchOption) and (meant := closest(error.option_name, error.possibilities or ())):
        return UsageError(f"no option `{error.option_name}`", hint=f"did you mean `{meant}`?")
    if isinstance(error, click.ClickException):
        command = " ".join([name, *[word for word in words if word in COMMANDS][:1]])
        return UsageError(_plain(error.format_message()), hint=f"see `{command} --help`")
    if isinstance(error, OSError) and error.strerror:
        where = f"`{error.filename}`: " if error.filename else ""
        return CapsuleError(f"{where}{error.strerror}")
    return CapsuleError(
        f"unexpected {type(error).__name__}: {error}",
        hint="this is a mistake in capsulestore; please report it with the command line that led here",
    )


def _plain(message: str) -> str:
    """Return click's message in our style: lower case at the beginning, no full stop, one line, words in backticks."""
    text = re.sub(r"'([^']*)'", r"`\1`", " ".join(message.split()).removesuffix("."))
    return text[:1].lower() + text[1:]
