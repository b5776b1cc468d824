"""Runs a command line, and turns whatever ends it early into one line and an exit status."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from capsulestore.errors import CapsuleError, UsageError

from .app import application
from .output import print_error

__all__ = ["main"]

_INTERRUPTED = 130
_PIPE_CLOSED = 141
"""As the shell reports a command that SIGPIPE ended, which is what git's is."""


def main() -> NoReturn:
    """Run the command line of this process and exit with its status."""
    for stream in (sys.stdout, sys.stderr):
        # A name in another encoding than the terminal's must not end a command.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    arguments = sys.argv[1:]
    try:
        status = application.main(arguments, prog_name="capsule", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        status = _INTERRUPTED
    except BrokenPipeError:
        # What is still buffered has nowhere to go; without this the interpreter complains at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = _PIPE_CLOSED
    except Exception as error:
        problem = _problem(error)
        print_error(problem, as_json="--json" in arguments)
        status = problem.exit_code
    sys.exit(status if isinstance(status, int) else 0)


def _problem(error: Exception) -> CapsuleError:
    """Return any exception as one of ours."""
    if isinstance(error, CapsuleError):
        return error
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "capsule"
        return UsageError(_plain(error.format_message()), hint=f"see `{command} --help`")
    if isinstance(error, OSError) and error.strerror:
        where = f"`{error.filename}`: " if error.filename else ""
        return CapsuleError(f"{where}{error.strerror}")
    return CapsuleError(
        f"unexpected {type(error).__name__}: {error}",
        hint="this is a mistake in capsulestore; please report it with the command line that led here",
    )


def _plain(message: str) -> str:
    """Return click's message in our style: lower case at the beginning, no full stop, one line."""
    text = " ".join(message.split()).removesuffix(".")
    return text[:1].lower() + text[1:]


if __name__ == "__main__":
    main()
