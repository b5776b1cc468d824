r"""Which operating system this is: os-release(5).

Lines `NAME=VALUE` as a shell reads them: a value may be quoted by `'` or `"`, a character by a backslash. Of a name
that is there twice the last counts.
"""

from __future__ import annotations

import os
import re
from typing import Final

from capsulestore.capture.files import path_text, read_up_to
from capsulestore.capture.finding import Finding
from capsulestore.model.canonical import Json

__all__ = ["parse_os_release", "read_os_release"]

_MAX_BYTES: Final = 64 * 1024
_FILES: Final = ("etc/os-release", "usr/lib/os-release")
_KEPT: Final = ("id", "version_id", "name")
_ASSIGNMENT: Final = re.compile(
    r"""^[ \t]*(?P<name>[A-Z_][A-Z_0-9]*)=(?P<value>(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])*)""",
    re.MULTILINE | re.DOTALL,
)
_PIECE: Final = re.compile(
    r"""'(?P<plain>[^']*)'|"(?P<quoted>(?:\\.|[^"\\])*)"|\\(?P<escaped>.)|(?P<bare>.)""", re.DOTALL
)
_ESCAPED_IN_QUOTES: Final = re.compile(r'\\([$`"\\\n])')


def read_os_release(root: str) -> tuple[dict[str, Json], list[Finding]]:
    """Return id, version and name, those that are said, and findings; nothing where neither file is there."""
    for path in _FILES:
        try:
            data = read_up_to(os.path.join(root, path), _MAX_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            message = f"cannot be read ({error.strerror}); which operating system this is, is not recorded"
            return {}, [Finding("system", "os-release-unreadable", f"/{path}", message, incomplete=True)]
        said = parse_os_release(path_text(data))
        return {name: said[name.upper()] for name in _KEPT if said.get(name.upper())}, []
    return {}, []


def parse_os_release(text: str) -> dict[str, str]:
    """Return the value of each name; lines that are no assignments are passed over."""
    return {match["name"]: _unquoted(match["value"]) for match in _ASSIGNMENT.finditer(text)}


def _unquoted(value: str) -> str:
    unquoted = ""
    for piece in _PIECE.finditer(value):
        if piece["quoted"] is not None:
            unquoted += _ESCAPED_IN_QUOTES.sub(lambda match: match[1].replace("\n", ""), piece["quoted"])
        else:
            unquoted += next(part for part in (piece["plain"], piece["escaped"], piece["bare"]) if part is not None)
    return unquoted
