"""The few fields of a distribution's metadata that capture needs: core metadata, WHEEL, entry points, PEP 610."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["headers", "is_utf8", "normalized", "script_names"]

_SEPARATORS = re.compile(r"[-_.]+")


def normalized(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it: lower case, runs of `-_.` as one `-`."""
    return _SEPARATORS.sub("-", name).lower()


def headers(data: bytes, *names: str) -> Iterator[tuple[str, str]]:
    r"""Yield the fields of these names of an e-mail-like header (core metadata, WHEEL): name in lower case, and value.

    What follows the first empty line is a description. Continued lines, which the fields of interest never have, are
    passed over. Bytes that are not UTF-8 come as `\xNN`.
    """
    head = data.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    wanted = rb"^(%s)[ \t]*:(.*)$" % "|".join(names).encode()
    for name, value in re.findall(wanted, head, re.IGNORECASE | re.MULTILINE):
        yield name.decode().lower(), value.decode("utf-8", "backslashreplace").strip()


def is_utf8(data: bytes) -> bool:
    """Return whether bytes are UTF-8, as the core metadata specification asks of METADATA."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def script_names(data: bytes) -> frozenset[bytes]:
    """Return the names of the commands that an entry_points.txt defines, for console and for windows."""
    names = set()
    in_scripts = False
    for raw in data.splitlines():
        line = raw.strip()
        if line.startswith(b"["):
            in_scripts = line in {b"[console_scripts]", b"[gui_scripts]"}
        elif in_scripts and b"=" in line and not line.startswith((b"#", b";")):
            names.add(line.partition(b"=")[0].strip())
    return frozenset(names)
