"""What the kernel says in its files, below a root: itself, and how much memory there is."""

from __future__ import annotations

import os
from typing import Final

from capsulestore.capture.files import path_text, read_up_to
from capsulestore.model.canonical import Json

__all__ = ["count", "fields", "file_text", "first_line", "number", "read_kernel", "read_memory", "told"]

_MAX_BYTES: Final = 8 * 1024
"""The first processor of /proc/cpuinfo is in it; the rest, up to hundreds more, is the same again."""

_MAX_DIGITS: Final = 20
"""As many as the greatest number of 64 bits has."""

_KIB_IN_A_GIB: Final = 2**20


def read_kernel(root: str) -> dict[str, Json]:
    """Return the kernel's name and release (proc_sys_kernel(5))."""
    return told(name=first_line(root, "proc/sys/kernel/ostype"), release=first_line(root, "proc/sys/kernel/osrelease"))


def read_memory(root: str) -> dict[str, Json]:
    """Return how much memory is built in, as `gib` (proc_meminfo(5))."""
    total = number(fields(file_text(root, "proc/meminfo")).get("MemTotal", "").removesuffix(" kB"))
    # What the kernel keeps to itself differs from boot to boot; the next whole GiB is what is built in.
    return told(gib=-(-total // _KIB_IN_A_GIB) if total else None)


def file_text(root: str, path: str) -> str:
    """Return the beginning of a file below `root`, empty where it cannot be read."""
    try:
        return path_text(read_up_to(os.path.join(root, path), _MAX_BYTES))
    except OSError:
        return ""


def first_line(root: str, path: str) -> str:
    """Return the first line of a file below `root`, empty where it cannot be read."""
    return file_text(root, path).partition("\n")[0].strip()


def fields(text: str) -> dict[str, str]:
    """Return the first of each field of lines `NAME : VALUE`, blanks within a value as one."""
    found: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip(), " ".join(value.split()))
    return found


def number(text: str) -> int | None:
    """Return the number that decimal digits are, None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None


def count(ranges: str) -> int:
    """Return how many numbers a list such as `0-3,8` has, 0 for what is no such list (cpuset(7), list format)."""
    found = 0
    for part in ranges.split(","):
        first, dash, last = part.partition("-")
        low, high = number(first), number(last if dash else first)
        if low is None or high is None:
            return 0
        found += max(0, high - low + 1)
    return found


def told(**facts: Json) -> dict[str, Json]:
    """Return those facts that there are."""
    return {name: fact for name, fact in facts.items() if fact}
