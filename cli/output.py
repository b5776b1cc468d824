"""Writing: results to stdout, everything else to stderr, text and JSON, with what could harm a terminal escaped."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click
import orjson

from capsulestore.capture.finding import Finding, said_of
from capsulestore.errors import CapsuleError

from .settings import Settings, settings

if TYPE_CHECKING:
    from capsulestore.recording.capsule import Recorded

__all__ = [
    "cell",
    "note",
    "print_error",
    "print_findings",
    "print_json",
    "print_line",
    "print_lines",
    "safe",
    "say",
    "style",
    "table",
    "tell_redacted",
]

_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


def safe(text: str) -> str:
    r"""Return a text that comes from outside with control characters, also those that turn the writing, as `\xNN`."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def print_json(document: Any) -> None:
    """Write one JSON document to stdout."""
    _answer(_json(document, orjson.OPT_INDENT_2))


def print_line(text: str = "") -> None:
    """Write a line to stdout; it may be styled."""
    _answer(text)


def print_lines(lines: Iterable[str]) -> None:
    """Write lines that may be many to stdout: on a terminal through the pager."""
    pager = None
    if sys.stdout and sys.stdout.isatty():
        from .pager import open_pager, page

        pager = open_pager()
    if pager is None:
        for line in lines:
            print_line(line)
        return
    if status := page(pager, lines if _colored(settings()) is not False else map(click.unstyle, lines)):
        # It may have shown nothing.
        note(f"the pager ended with status {status}")


def note(text: str) -> None:
    """Write a line to stderr that tells of something beside the result; it goes without where that is full."""
    say(f"note: {text}")


def say(text: str) -> None:
    """Write a line to stderr where stdout belongs to another; it goes without where that is full or closed."""
    with suppress(OSError):
        click.echo(safe(text), err=True)


def tell_redacted(recorded: Recorded) -> None:
    """Say which parts of what was recorded lost something."""
    from capsulestore.recording.redacted import said_of_redaction

    if said := said_of_redaction(recorded):
        note(said)


def print_findings(findings: Iterable[Finding]) -> None:
    """Write what capture noticed to stderr, as `said_of` has it."""
    for line in said_of(findings):
        note(line)


def print_error(error: CapsuleError, given: Settings) -> None:
    """Write an error to stderr: a line and its hint, or the JSON object."""
    if given.json:
        click.echo(_json({"error": error.as_dict()}, 0), err=True)
        return
    color = _colored(given)
    click.echo(f"{click.style('error:', fg='red')} {safe(error.message)}", err=True, color=color)
    if error.hint:
        click.echo(f"{click.style('hint:', fg='cyan')} {safe(error.hint)}", err=True, color=color)


def style(text: str, color: str) -> str:
    """Return a safe text in a colour, which `print_line` takes out again where there should be none."""
    return click.style(safe(text), fg=color)


def cell(value: object) -> str:
    """Return a JSON value as people read it in a line: a text as it is, anything else as JSON."""
    return safe(value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode())


def table(rows: Iterable[Sequence[str]], indent: str = "") -> Iterable[str]:
    """Yield rows as lines, with columns two spaces apart; a styled cell counts by what is seen of it."""
    rows = list(rows)
    widths = [max(len(click.unstyle(text)) for text in column) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (text + " " * (width - len(click.unstyle(text))) for text, width in zip(row, widths, strict=True))
        yield (indent + "  ".join(padded)).rstrip()


def _answer(text: str) -> None:
    try:
        click.echo(text, color=_colored(settings()))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CapsuleError(f"cannot write the answer to standard output: {error.strerror}") from error


def _json(document: Any, option: int) -> str:
    try:
        return orjson.dumps(document, option=option).decode()
    except TypeError:
        # An argument or path that is no text, which only the standard library's writer can escape.
        import json

        return json.dumps(document)


def _colored(given: Settings) -> bool | None:
    """Return whether to colour: as `--color` says, else NO_COLOR and FORCE_COLOR; or None."""
    if given.color != "auto":
        return given.color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    # None leaves it to click, which looks whether the stream is a terminal.
    return True if os.environ.get("FORCE_COLOR") else None
