"""Git's configuration file as bytes: read section by section, changed a section at a time, all else kept.

The syntax is git's (git-config(1), "CONFIGURATION FILE"), as its own parser takes it. `include` is not followed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["Section", "parse", "with_section", "without_section"]

_BETWEEN: Final = re.compile(rb"(?:[ \t\r\n]|[#;][^\n]*)*")
_HEADER: Final = re.compile(rb'\[([A-Za-z0-9.-]+)(?:[ \t\r]+"((?:[^"\\\n]|\\[^\n])*)")?\]')
_KEY: Final = re.compile(rb"([A-Za-z][A-Za-z0-9-]*)[ \t]*(?:(=)[ \t\r]*|\r?\n|\Z)")
_REST_OF_LINE: Final = re.compile(rb"[ \t\r]*(?:[#;][^\n]*)?(?:\n|\Z)")
_PART: Final = re.compile(rb'\\\r?(?:\n|\Z) | \\[nbt"\\] | " | \r?(?:\n|\Z) | [^\\"\n]', re.VERBOSE)
_MEANINGS: Final = {b"\\n": b"\n", b"\\b": b"\b", b"\\t": b"\t", b'\\"': b'"', b"\\\\": b"\\"}
_BLANK: Final = b" \t\r"
_MARK: Final = b"\xef\xbb\xbf"


class Section(NamedTuple):
    """One header and the settings below it; a section may stand in several.

    `name` and the keys are in lower case; `subsection` is empty where there is none. A setting without `=` has the
    value None. `start` and `end` enclose the header's line and the settings', with what is said between them, but
    without the comments that follow.
    """

    name: str
    subsection: str
    settings: tuple[tuple[str, str | None], ...]
    start: int
    end: int


def parse(data: bytes) -> tuple[Section, ...]:
    """Return the sections of a file in their order. Raise `ValueError`, with the line, for what is none."""
    found: list[Section] = []
    at = len(_MARK) if data.startswith(_MARK) else 0
    while (at := _after(_BETWEEN, data, at)) < len(data):
        if data.startswith(b"[", at):
            found.append(_header(data, at))
        elif found:
            setting, end = _setting(data, at)
            found[-1] = found[-1]._replace(settings=(*found[-1].settings, setting), end=end)
        else:
            raise _error(data, at)
        at = found[-1].end
    return tuple(found)


def with_section(data: bytes, name: str, subsection: str, settings: Mapping[str, str]) -> bytes:
    """Return the file with one more section at its end, written as git writes it."""
    quoted = subsection.replace("\\", "\\\\").replace('"', '\\"')
    lines = [f'[{name} "{quoted}"]', *(f"\t{key} = {_quoted(value)}" for key, value in settings.items())]
    if data and not data.endswith(b"\n"):
        # Behind a backslash, the first newline only goes on with a value.
        data += b"\n\n" if data.endswith(b"\\") else b"\n"
    return data + "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def without_section(data: bytes, name: str, subsection: str) -> bytes:
    """Return the file without a section, wherever it stands; comments that follow its last setting stay."""
    kept, at = b"", 0
    for section in parse(data):
        if (section.name, section.subsection) == (name, subsection):
            kept += data[at : section.start]
            at = section.end
    return kept + data[at:]


def _header(data: bytes, at: int) -> Section:
    header = _HEADER.match(data, at)
    if header is None:
        raise _error(data, at)
    base, quoted = header.groups()
    name, _, subsection = base.decode().lower().partition(".")
    if quoted is not None:
        # In a subsection a backslash only says to take the next character as it is.
        text = _text(re.sub(rb"\\(.)", rb"\1", quoted, flags=re.DOTALL))
        subsection = f"{subsection}.{text}" if subsection else text
    line = data.rfind(b"\n", 0, at) + 1
    start = at if data[line:at].strip(_BLANK) else line
    return Section(name, subsection, (), start, _after(_REST_OF_LINE, data, header.end()))


def _setting(data: bytes, at: int) -> tuple[tuple[str, str | None], int]:
    key = _KEY.match(data, at)
    if key is None:
        raise _error(data, at)
    name = key[1].decode().lower()
    if not key[2]:
        return (name, None), key.end()
    value, end = _value(data, key.end())
    return (name, value), end


def _value(data: bytes, at: int) -> tuple[str, int]:
    """Return the value that begins at `at`, and where the next line does."""
    value, length = b"", 0
    in_quotes = False
    start = at
    while part := _PART.match(data, at):
        found, at = part[0], part.end()
        if found in {b"", b"\n", b"\r\n"}:
            if in_quotes:
                break
            return _text(value[:length]), at
        if found == b'"':
            in_quotes = not in_quotes
        elif not in_quotes and found in {b"#", b";"}:
            at = _after(_REST_OF_LINE, data, at - 1)
            return _text(value[:length]), at
        elif found in _MEANINGS or not found.startswith(b"\\"):
            value += _MEANINGS.get(found, found)
        if in_quotes or found.strip(_BLANK):
            # Blanks at the end of a value are none of it, but in quotes.
            length = len(value)
    raise _error(data, start)


def _after(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    found = pattern.match(data, at)
    return found.end() if found else at


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"' if value.strip(" ") != value or ";" in value or "#" in value else escaped


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _error(data: bytes, at: int) -> ValueError:
    line = data.count(b"\n", 0, at) + 1
    return ValueError(f"bad line {line}")
