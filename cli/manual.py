"""The manual pages, made from the help of the commands: `python -m capsulestore_cli.manual docs/man`.

The format is man(7), as groff and mandoc read it. No page says when it was made: the same help is the same page.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from glob import glob
from inspect import cleandoc
from textwrap import wrap
from typing import Final

import click

from .app import COMMANDS, application

__all__ = ["EXIT_STATUSES", "pages"]

EXIT_STATUSES: Final[Mapping[int, str]] = {
    0: "done; with `verify`, `status` and `diff`: nothing differs",
    1: "`verify`, `status`, `diff`: something differs, or cannot be compared; `--deep`: a file is not as installed",
    2: "the command line makes no sense as it stands",
    3: "no such name, or one that is not clear; no store here or above",
    4: "the store is damaged, or is none that this release can read",
    5: "another store cannot be reached, refused, or is none",
    6: "anything else that failed here: an interpreter that does not answer, a file that cannot be read, a full disk",
    125: "`run`: the command succeeded, and could not be recorded",
    126: "`run`: the command cannot be run",
    127: "`run`: there is no such command",
    130: "interrupted",
}
"""What each exit status means. The README says it in the same words."""

_FILES: Final[Mapping[str, str]] = {
    ".capsules": "The store: a bare git repository, in the working directory or the nearest one above it.",
    "$XDG_CACHE_HOME/capsulestore": "What is slow to read, kept; by default in `~/.cache`. It may be removed.",
}
_ENVIRONMENT: Final[Mapping[str, str]] = {
    "CAPSULE_IMAGE_DIGEST": "Set where a container is started: the digest of its image's manifest, `sha256:...`.",
    "CAPSULE_STORE": "The store, where `--store` names none.",
    "CAPSULE_TOKEN": "What `push`, `pull` and `clone` show another store over HTTPS: a bearer token.",
    "GIT_SSH_COMMAND, GIT_SSH": "What is started to reach another store over ssh, as for git.",
    "CAPSULE_PAGER, PAGER": "What shows long answers on a terminal: the first of these that is set, else `less`. "
    "Where it is empty or `cat`, they are printed as they are.",
    "NO_COLOR": "Where it is not empty, nothing is coloured.",
    "FORCE_COLOR": "Where it is not empty, colours also where the answer goes to no terminal.",
    "VIRTUAL_ENV, CONDA_PREFIX": "The activated environment, which is looked at where `--python` names no interpreter.",
}

_WIDTH: Final = 100
_SPECIAL: Final = str.maketrans(
    {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
)
_OPTION: Final = r"(?<![\w-])--?[a-z][a-z-]*"
_VALUE: Final = r"\b[A-Z]+\b"


def pages() -> dict[str, str]:
    """Return the text of each manual page by its file's name: `capsule.1`, and one for each command."""
    with application.make_context("capsule", [], resilient_parsing=True) as context:
        made = {"capsule.1": _page(application, context)}
        for name in COMMANDS:
            command = application.get_command(context, name)
            if command is not None:
                made[f"capsule-{name}.1"] = _page(command, click.Context(command, context, name))
    return made


def _page(command: click.Command, context: click.Context) -> str:
    return "".join(f"{line}\n" for line in _lines(command, context))


def _lines(command: click.Command, context: click.Context) -> Iterator[str]:
    name = context.command_path.replace(" ", "-")
    first, _, rest = cleandoc(command.help or "").partition("\n")
    yield f'.TH "{_literal(name.upper())}" "1" "" "capsulestore" "capsulestore"'
    yield ".SH NAME"
    yield f"{_literal(name)} \\- {_literal(first[:1].lower() + first[1:].rstrip('.')).replace(_literal('`'), '')}"
    yield ".SH SYNOPSIS"
    pieces = " ".join(piece for piece in command.collect_usage_pieces(context) if piece)
    yield f"\\fB{_literal(context.command_path)}\\fR {_usage(pieces)}"
    yield ".SH DESCRIPTION"
    for number, paragraph in enumerate(f"{first}\n{rest}".strip().split("\n\n")):
        yield from [".PP"] if number else []
        yield from _prose(paragraph)
    yield ".SH EXAMPLES"
    yield from _list({f"\\fB{_literal(line)}\\fR": words for line, words in getattr(command, "examples", ())})
    yield ".SH OPTIONS"
    options = (option for option in command.get_params(context) if isinstance(option, click.Option))
    records = (option.get_help_record(context) for option in options)
    yield from _list({_usage(record[0]): record[1] for record in records if record})
    yield from _commands(command, context)
    yield ".SH EXIT STATUS"
    yield from _list({f"\\fB{status}\\fR": words for status, words in EXIT_STATUSES.items()})
    if command is application:
        for title, entries in {"FILES": _FILES, "ENVIRONMENT": _ENVIRONMENT}.items():
            yield f".SH {title}"
            yield from _list({f"\\fB{_literal(entry)}\\fR": words for entry, words in entries.items()})
    yield ".SH SEE ALSO"
    others = [f"capsule-{other}" for other in COMMANDS] if command is application else ["capsule"]
    yield from _in_lines(", ".join(map(_reference, [*others, "git"])))


def _commands(command: click.Command, context: click.Context) -> Iterator[str]:
    if not isinstance(command, click.Group):
        return
    yield ".SH COMMANDS"
    commands = {name: command.get_command(context, name) for name in command.list_commands(context)}
    yield from _list(
        {_reference(f"capsule-{name}"): found.get_short_help_str() for name, found in commands.items() if found}
    )


def _reference(page: str) -> str:
    return f"\\fB{_literal(page)}\\fR(1)"


def _list(entries: Mapping[str, str]) -> Iterator[str]:
    for tag, words in entries.items():
        yield ".TP"
        yield tag
        yield from _prose(words)


def _prose(text: str) -> Iterator[str]:
    """Yield running text, each sentence on lines of its own; what is in backticks is bold."""
    for sentence in re.split(r"(?<=[.?!]) ", " ".join(text.split())):
        parts = sentence.split("`")
        bold = (
            f"\\fB{_literal(part)}\\fR" if number % 2 else _marked(part, _OPTION, "B")
            for number, part in enumerate(parts)
        )
        yield from _in_lines("".join(bold))


def _usage(text: str) -> str:
    """Return options in bold, and in italics what stands for a value."""
    return " ".join(
        _marked(word, *((_OPTION, "B") if word.startswith("-") else (_VALUE, "I"))) for word in text.split()
    )


def _marked(text: str, pattern: str, font: str) -> str:
    parts = re.split(f"({pattern})", text)
    return "".join(
        f"\\f{font}{_literal(part)}\\fR" if number % 2 else _literal(part) for number, part in enumerate(parts)
    )


def _in_lines(text: str) -> Iterator[str]:
    for line in wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False):
        # What begins with one of these would be a request.
        yield f"\\&{line}" if line[0] in ".'" else line


def _literal(text: str) -> str:
    """Return a text that groff and mandoc show as it is, whatever the encoding in which they read."""
    escaped = text.translate(_SPECIAL)
    return "".join(letter if letter.isascii() else f"\\[u{ord(letter):04X}]" for letter in escaped)


def main(directory: str) -> None:
    """Write the pages into a directory, and remove those of commands that are no more."""
    os.makedirs(directory, exist_ok=True)
    for path in glob(os.path.join(directory, "capsule*.1")):
        os.unlink(path)
    for name, text in pages().items():
        with open(os.path.join(directory, name), "w", encoding="ascii") as file:
            file.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
