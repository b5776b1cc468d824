"""What a RECORD says of a distribution's files: where each lies, its hash and its size.

PyPA's "Recording installed projects": a path from the directory that holds the `.dist-info`, a hash as
`ALGORITHM=BASE64`, a size in bytes.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from capsulestore.capture.python.rows import parse_record

__all__ = ["ALGORITHMS", "LINK", "LISTED_ONLY", "ListedFile", "Rows", "listed_file", "read_rows"]

ALGORITHMS: Final = (b"sha256", b"sha384", b"sha512")
"""The hashes that are compared: those that the specification names, and that nobody can forge."""

LISTED_ONLY: Final = b"-"
"""Stands in place of a hash for a file that is listed and not compared."""

LINK: Final = b"link"
"""Stands beside the hashes of a soft link: what it leads to may have other bytes than where the package was built."""

_PLAIN_ROW: Final = re.compile(rb"^((?:[^,\r\n]*/)?)([^,/\r\n]+),([^,\r\n]*),(\d{0,15})\r?$", re.MULTILINE)
"""A row without quotes, its size of no more digits than any file has bytes."""
_USUAL: Final = b"sha256="
_USUAL_LENGTH: Final = 50
_HASH: Final = re.compile(rb"(%s)=([A-Za-z0-9_-]+)=*" % b"|".join(ALGORITHMS))
_MATCHES_NOTHING: Final = b"sha256=?"
_INFO: Final = b".dist-info/"
_OF_THE_LIST_ITSELF: Final = frozenset({b"RECORD", b"RECORD.jws", b"RECORD.p7s"})
_BYTECODE: Final = b"__pycache__/"

ListedFile = tuple[bytes, bytes, bytes, bytes]
"""A file that a list has: its directory with a slash at its end, or nothing; its name there; the hashes it may have, as
a RECORD has them and with a space between, or `LISTED_ONLY`; its size in decimal digits, none where it is not known."""


class Rows(NamedTuple):
    """The files of a list; how many of them have no hash, and how many one of another algorithm than `ALGORITHMS`."""

    files: list[ListedFile]
    unhashed: int = 0
    unknown: int = 0

    def listed_only(self) -> Rows:
        """Return the same files, of which none is to be compared."""
        return Rows([(directory, name, LISTED_ONLY, b"") for directory, name, _, _ in self.files])


def listed_file(path: bytes, hashes: bytes = LISTED_ONLY, size: bytes = b"") -> ListedFile:
    """Return a file by its path; what ends with a slash is a directory, whatever else is said of it."""
    directory, slash, name = path.rpartition(b"/")
    return directory + slash, name or b".", hashes, size


def read_rows(data: bytes) -> Rows:
    """Return what a RECORD says; raise `ValueError` for what is none.

    Bytecode in a `__pycache__`, which any run writes anew and no installer hashes, is left out. A hash that no bytes
    have is kept as one: the file is then not what its list says.
    """
    if b"\0" in data:
        raise ValueError("holds a NUL")
    rows = [row for row in _rows(data) if _BYTECODE not in row[0]]
    files = [row for row in rows if len(row[2]) == _USUAL_LENGTH and row[2][:7] == _USUAL]
    unhashed = unknown = 0
    for directory, name, recorded, size in rows if len(files) < len(rows) else ():
        if len(recorded) == _USUAL_LENGTH and recorded[:7] == _USUAL:
            continue
        hashes = _hashes(recorded)
        if hashes is LISTED_ONLY and not (directory.endswith(_INFO) and name in _OF_THE_LIST_ITSELF):
            unhashed += not recorded
            unknown += bool(recorded)
        files.append((directory, name, hashes, size))
    return Rows(files, unhashed, unknown)


def _rows(data: bytes) -> list[ListedFile]:
    """Return the rows as they stand there; what is usual is read by the tens of thousands."""
    found: list[ListedFile] = _PLAIN_ROW.findall(data)
    if len(found) == data.count(b"\n") and b'"' not in data:
        return found
    return [listed_file(path, recorded) for path, recorded in parse_record(data)]


def _hashes(recorded: bytes) -> bytes:
    """Return the hash of a row in the form in which it is compared."""
    if match := _HASH.fullmatch(recorded):
        return b"%s=%s" % match.groups()
    return _MATCHES_NOTHING if recorded.startswith(tuple(name + b"=" for name in ALGORITHMS)) else LISTED_ONLY
