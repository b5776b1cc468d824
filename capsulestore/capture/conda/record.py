"""What a conda client writes down of a package that it installed: one `<prefix>/conda-meta/NAME-VERSION-BUILD.json`.

The fields are those of conda's `PrefixRecord` (conda/models/records.py), which mamba and rattler (and so micromamba and
pixi) write as well. Of them only what is named here is read: credentials stand in others (`requested_spec`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from types import NoneType
from typing import Any, Final, NamedTuple

import orjson

from capsulestore.capture.conda import META
from capsulestore.capture.files import path_text, read_whole
from capsulestore.capture.finding import Finding
from capsulestore.capture.watch import noticed

__all__ = ["UNREADABLE", "CondaFile", "CondaRecord", "parse_record", "read_records"]

UNREADABLE: Final = "record-unreadable"
"""The code of the finding of a record that is none."""

_MAX_BYTES: Final = 32 * 2**20
"""The largest record that is read: that of Python has 2 MB."""
_MAX_FILES: Final = 500_000
"""The most files of one package."""
_MAX_RECORDS: Final = 20_000
_MAX_SIZE: Final = 2**53 - 1
_WORD: Final = r"[A-Za-z0-9_.+!~-]{1,200}"
"""What names, versions, builds and platforms are made of, and somewhat more: no url is."""
_URL: Final = r"(?s:.{0,4096})"
_HASH_LENGTH: Final = 64
_HEX: Final = "0123456789abcdef"
_NOT_BELOW: Final = ("\0", "\n/", "\n\n", "\n../", "\n..\n", "/../", "/..\n")
"""What is in lines of paths of which one is none below a prefix."""
_DRAFT: Final = "."
"""How a name begins under which a client writes a record before it puts it in place."""


class CondaFile(NamedTuple):
    """A file of a package, as `paths_data` has it: its path from the prefix, with `/` between its parts.

    `kind` is its `path_type` (`hardlink`, `softlink`, `directory`, `pyc_file`, `unix_python_entry_point` and so on).
    `sha256` is of the file in the package, `sha256_in_prefix` of the one that was installed, where the prefix was
    written in place of a placeholder; both 64 lower-case hex digits, None where the client wrote none. rattler writes
    the latter only where it differs, mamba does not tell what held a placeholder, and of a soft link either hash is of
    its target's bytes, of its own text (rattler) or none (mamba). `original_path` is what the path is in the package,
    where the client gave the file another name because a second package has one of that name.
    """

    path: str
    kind: str
    sha256: str | None
    sha256_in_prefix: str | None
    has_placeholder: bool
    size: int | None
    original_path: str | None = None


class CondaRecord(NamedTuple):
    """An installed package. What the client did not write down is empty; `url` and `channel` may hold credentials."""

    name: str
    version: str
    build: str
    subdir: str
    channel: str
    url: str
    sha256: str
    md5: str
    noarch: str
    files: tuple[CondaFile, ...]


def parse_record(data: bytes) -> CondaRecord:
    """Return the record that a file holds; raise `ValueError`, which says in a few words why it is none.

    A path that leads out of the prefix, or that holds a line break or NUL, makes it none. A record without `paths_data`
    (as old clients wrote them) has the paths of its `files` alone.
    """
    if len(data) > _MAX_BYTES:
        raise ValueError(f"has more than {_MAX_BYTES} bytes")
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        # What the parser says of it may quote what stands there.
        raise ValueError("is not JSON") from None
    if not isinstance(document, dict):
        raise ValueError("is not an object")  # noqa: TRY004  (the bytes are wrong, no argument's type)
    return CondaRecord(
        name=_text(document, "name", _WORD),
        version=_text(document, "version", _WORD),
        build=_text(document, "build", _WORD),
        subdir=_text(document, "subdir", f"(?:{_WORD})?"),
        channel=_text(document, "channel", _URL),
        url=_text(document, "url", _URL),
        sha256=_text(document, "sha256", "(?:[0-9a-f]{64})?"),
        md5=_text(document, "md5", "(?:[0-9a-f]{32})?"),
        noarch=_noarch(document.get("noarch")),
        files=_files(_entries(document)),
    )


def read_records(prefix: str) -> Iterator[CondaRecord | Finding]:
    """Yield the record of each package in a prefix, by file name in the order of its bytes; a finding for what is none.

    Nothing where the prefix has no `conda-meta`; raise `OSError` where that cannot be listed.
    """
    directory = os.path.join(prefix, META)
    noticed(directory)
    try:
        names = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return
    records = sorted((name for name in names if name.endswith(".json") and name[0] != _DRAFT), key=os.fsencode)
    for name in records[:_MAX_RECORDS]:
        try:
            yield parse_record(read_whole(os.path.join(directory, name), _MAX_BYTES))
        except OSError as error:
            yield _unreadable(name, f"cannot be read ({error.strerror})")
        except ValueError as error:
            yield _unreadable(name, str(error))
    if len(records) > _MAX_RECORDS:
        yield _unreadable(META, f"holds more than {_MAX_RECORDS} records, and the others are not read")


def _unreadable(name: str, reason: str) -> Finding:
    message = f"a record that {reason}: the package is not recorded"
    return Finding("conda", UNREADABLE, path_text(name), message, incomplete=True)


def _text(document: dict[str, Any], key: str, form: str) -> str:
    """Return a text of the record, empty where there is none."""
    value = document.get(key)
    if value is None:
        value = ""
    if not isinstance(value, str) or not re.fullmatch(form, value):
        raise ValueError(f"has no `{key}`" if value == "" else f"has a `{key}` that is none")
    return value


def _noarch(value: object) -> str:
    """Return which kind of package for all platforms it is; `true` was the first way to write `generic`."""
    kinds = {None: "", False: "", True: "generic", "generic": "generic", "python": "python"}
    if not isinstance(value, str | bool | None) or value not in kinds:
        raise ValueError("has a `noarch` that is none")
    return kinds[value]


def _entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    paths_data = document.get("paths_data")
    if paths_data is None:
        return [{"_path": path} for path in _listed(document, "files")]
    entries = _listed(paths_data, "paths") if isinstance(paths_data, dict) else None
    if entries is None or not {*map(type, entries)} <= {dict}:
        raise ValueError("has a `paths_data` that is none")
    return entries


def _listed(document: dict[str, Any], key: str) -> list[Any]:
    value = document.get(key) or []
    if isinstance(value, list) and len(value) <= _MAX_FILES:
        return value
    raise ValueError(f"has `{key}` that are no list, or more than {_MAX_FILES}")


def _files(entries: list[dict[str, Any]]) -> tuple[CondaFile, ...]:
    """Return the files of entries. Checked a column at a time: a prefix has some hundred thousand of them."""
    paths = _column(entries, "_path", str)
    originals = _column(entries, "original_path", str, NoneType)
    _check_paths(paths)
    _check_paths([path for path in originals if path is not None])
    sizes = _column(entries, "size_in_bytes", int, NoneType)
    known = [size for size in sizes if size is not None]
    if known and not 0 <= min(known) <= max(known) <= _MAX_SIZE:
        raise ValueError("has a `size_in_bytes` that is none")
    return tuple(
        map(
            CondaFile,
            paths,
            [kind or "hardlink" for kind in _column(entries, "path_type", str, NoneType)],
            _hashes(entries, "sha256"),
            _hashes(entries, "sha256_in_prefix"),
            map(bool, _column(entries, "prefix_placeholder", str, NoneType)),
            sizes,
            originals,
        )
    )


def _column(entries: list[dict[str, Any]], key: str, *types: type) -> list[Any]:
    column = [entry.get(key) for entry in entries]
    if not {*map(type, column)} <= {*types}:
        raise ValueError(f"has a `{key}` that is none")
    return column


def _check_paths(paths: list[str]) -> None:
    lines = "\n".join(["", *paths, ""])
    if lines.count("\n") > len(paths) + 1 or any(sign in lines for sign in _NOT_BELOW):
        raise ValueError("has a path that is none below the prefix")


def _hashes(entries: list[dict[str, Any]], key: str) -> list[str | None]:
    # Empty is how a hash is written that there is none of.
    column = [found or None for found in _column(entries, key, str, NoneType)]
    given = [found for found in column if found is not None]
    if {*map(len, given)} - {_HASH_LENGTH} or "".join(given).strip(_HEX):
        raise ValueError(f"has a `{key}` that is none")
    return column
