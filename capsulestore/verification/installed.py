"""What deep verification found, in words: which installed files are not as their installers wrote them down."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from capsulestore.capture.integrity.outcome import FAILING, Altered, Integrity

__all__ = ["failing", "not_compared", "said_of_each", "said_of_installed"]

_SAID: Final = {
    "changed": "was changed since it was installed",
    "missing": "is missing since it was installed",
    "unowned": "belongs to nobody",
    "unreadable": "cannot be read, and so not compared",
}
_MOST_NAMED: Final = 3


def failing(integrity: Integrity) -> Iterator[tuple[str, str, str]]:
    """Yield a code, the path and the reason in words for each file that is not as it was installed.

    The codes: `installed_file_changed`, `installed_file_missing`, `installed_file_unreadable`.
    """
    for file in integrity.altered:
        if file.kind in FAILING:
            yield f"installed_file_{file.kind}", file.path, _sentence(file)


def said_of_each(integrity: Integrity) -> Iterator[str]:
    """Yield a sentence for each file that is not as it was installed, and what was not compared."""
    yield from map(_sentence, integrity.altered)
    yield from not_compared(integrity)


def said_of_installed(integrity: Integrity) -> Iterator[str]:
    """Yield the same in short: of an owner's files that are wrong in one way the first few, and how many more."""
    files = sorted(integrity.altered, key=lambda file: (file.layer, file.owner or "", file.kind))
    for (owner, kind), group in groupby(files, key=lambda file: (_owner(file), file.kind)):
        names = [file.name for file in group]
        yield f"{owner}{_few(names)}: {_SAID[kind]}"
    yield from not_compared(integrity)


def _sentence(file: Altered) -> str:
    return f"{_owner(file)}{file.name}: {_SAID[file.kind]}"


def _owner(file: Altered) -> str:
    return f"{file.layer}/{file.owner}: " if file.owner else f"{file.layer}: "


def not_compared(integrity: Integrity) -> Iterator[str]:
    """Yield in words which files could not be compared, and why."""
    reasons = sorted(integrity.unchecked, key=lambda one: (one.layer, one.reason))
    for (layer, reason), group in groupby(reasons, key=lambda one: (one.layer, one.reason)):
        unchecked = list(group)
        files = sum(one.files or 0 for one in unchecked)
        count = f" ({files} {'file' if files == 1 else 'files'})" if files else ""
        yield f"{layer}: {_few([one.owner for one in unchecked])}: not checked{count}: {reason}"


def _few(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
