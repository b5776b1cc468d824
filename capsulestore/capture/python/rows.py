"""The rows that make a distribution's `content`: what was installed, whoever installed it and wherever.

`content` is the SHA-256 over one line `PATH SP HASH LF` for each row of the RECORD (PyPA's "Recording installed
projects") that does not depend on where, when, by whom or with which build tool the distribution was installed. The
rules are those of the design's format 1; a change of one is a change of the layer's `rules`. Paths are bytes
throughout: a RECORD that is not UTF-8 still has rows.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from capsulestore.capture.files import file_sha256, open_regular

__all__ = ["Row", "Selection", "content", "hash_of", "hashed", "parse_record", "select", "without_parents"]

_SCRIPT_DIRECTORIES = (b"bin/", b"Scripts/")
_SCRIPT_ENDINGS = (b"", b".exe", b"-script.py")
_NOT_PLAINLY_COUNTED = (b"../", b"/", b"include/", b"__pycache__/", *_SCRIPT_DIRECTORIES)
"""How the paths begin at which `select` has to look more closely."""
_PLAIN_ROW = re.compile(rb"^([^,\n]+),([^,\n]*),[^,\n]*$", re.MULTILINE)


class Row(NamedTuple):
    """A file of a distribution: its path as recorded, and its hash (`sha256=BASE64`), empty where none is recorded."""

    path: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows that count, paths without leading `../`, and the paths whose file could not be read to hash it."""

    rows: frozenset[tuple[bytes, bytes]]
    unreadable: tuple[bytes, ...]


def content(rows: Iterable[tuple[bytes, bytes]]) -> str:
    """Return `sha256:` and the hex digest over the rows, sorted by path in bytes."""
    text = b"".join([b"%s %s\n" % row for row in sorted(rows)])
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def parse_record(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the rows of a RECORD file: comma-separated path, hash and size. Raise `ValueError` for what is no csv.

    Those of a `__pycache__` within a package, half of what pip lists and nothing that counts, are left out.
    """
    # An environment has some fifty thousand rows, and hardly ever one of another form.
    plain = data.replace(b"\r\n", b"\n")
    found: list[tuple[bytes, bytes]] = _PLAIN_ROW.findall(plain)
    is_plain = len(found) == plain.count(b"\n") and plain.endswith(b"\n") and b'"' not in plain and b"\r" not in plain
    rows = found if is_plain else _rows_of_any_form(data)
    return [row for row in rows if b"/__pycache__/" not in row[0]]


def _rows_of_any_form(data: bytes) -> Iterator[Row]:
    if b'"' not in data:
        for line in data.splitlines():
            yield from _row(line.split(b","))
        return
    lines = io.StringIO(data.decode("utf-8", "surrogateescape"), newline="")
    try:
        for fields in csv.reader(lines, strict=True):
            yield from _row([field.encode("utf-8", "surrogateescape") for field in fields])
    except csv.Error as error:
        raise ValueError(f"not as csv has it: {error}") from error


def _row(fields: list[bytes]) -> Iterator[Row]:
    """Yield the row of a line's fields, if they are one: the size may be left out, a comma in the path unquoted.

    Of an empty line, csv has no field at all.
    """
    path = b",".join(fields[:-2]) if len(fields) > 3 else b"".join(fields[:1])
    if path and len(fields) > 1:
        yield Row(path, fields[-2] if len(fields) > 2 else fields[1])


def without_parents(path: bytes) -> bytes:
    """Return a path without the `../` at its beginning."""
    while path.startswith(b"../"):
        path = path[3:]
    return path


def select(rows: Sequence[tuple[bytes, bytes]], directory: str, info: bytes, scripts: frozenset[bytes]) -> Selection:
    """Return the rows that count.

    `directory` is where paths begin, `info` the name of the distribution's own metadata directory in it, `scripts` the
    names that its entry_points.txt gives to commands. A row without a hash is hashed; the only other files opened are
    those under `bin/` and `Scripts/`, to see a `#!`.
    """
    base = os.fsencode(directory)
    own, entry_points = info + b"/", info + b"/entry_points.txt"
    commands = {name + ending for name in scripts for ending in _SCRIPT_ENDINGS}
    doubtful = (info, *_NOT_PLAINLY_COUNTED)
    selected = {row for row in rows if row[1] and not row[0].startswith(doubtful)}
    unreadable: list[bytes] = []
    for path, recorded in rows:
        if recorded and not path.startswith(doubtful):
            continue
        if path == info or (path.startswith(own) and path != entry_points) or _is_cached(path):
            continue
        stripped = without_parents(path)
        if stripped.startswith((b"/", b"include/")):
            continue
        try:
            if stripped.startswith(_SCRIPT_DIRECTORIES):
                name = stripped.partition(b"/")[2]
                if name in commands or _begins_a_script(os.path.join(base, path)):
                    continue
            selected.add(Row(stripped, recorded or hashed(os.path.join(base, path))))
        except IsADirectoryError:
            continue
        except (OSError, ValueError):
            unreadable.append(path)
            if recorded:
                selected.add(Row(stripped, recorded))
    return Selection(frozenset(selected), tuple(unreadable))


def _is_cached(path: bytes) -> bool:
    return b"__pycache__" in path and b"__pycache__" in path.split(b"/")[:-1]


def _begins_a_script(path: bytes) -> bool:
    with open_regular(os.fsdecode(path)) as file:
        return file.read(2) == b"#!"


def hashed(path: bytes) -> bytes:
    """Return the hash of a file as a RECORD has it."""
    return _recorded(file_sha256(os.fsdecode(path)))


def hash_of(data: bytes) -> bytes:
    """Return the hash of bytes as a RECORD has it."""
    return _recorded(hashlib.sha256(data).digest())


def _recorded(digest: bytes) -> bytes:
    """Return `sha256=` and unpadded URL-safe base64 (PyPA's "Recording installed projects")."""
    return b"sha256=" + urlsafe_b64encode(digest).rstrip(b"=")
