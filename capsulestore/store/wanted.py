"""Which capsules are wanted of the index, and in what part of it: as SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from capsulestore.model.digest import Digest

__all__ = ["Wanted"]

# To LIKE, upper and lower case are the same in ASCII alone; `caseless` is Python's, and slow for many.
_HAS_TITLE: Final = r"""
    (c.title LIKE ? ESCAPE '\' OR (length(CAST(c.title AS BLOB)) > length(c.title) AND instr(caseless(c.title), ?)))
"""
_SPECIAL: Final = re.compile(r"[%_\\]")


class Wanted(NamedTuple):
    """Capsules whose title holds a text, of an environment, first registered from `since` on and before `until`.

    Case counts for nothing in titles (`caseless`); an empty one is in all. Times are seconds since 1970.
    """

    title: str = ""
    environment: Digest | None = None
    since: float | None = None
    until: float | None = None

    def conditions(self) -> Iterator[tuple[str, tuple[object, ...]]]:
        """Yield each condition, of `trees t` and `commits c`, with its values."""
        if "\0" in self.title:
            # Of a pattern SQLite sees what comes before, and no title has one.
            yield "0", ()
        elif self.title:
            from capsulestore.model.caseless import caseless  # noqa: PLC0415  (start-up counts)

            wanted = caseless(self.title)
            literal = _SPECIAL.sub(r"\\\g<0>", wanted)
            yield _HAS_TITLE, (f"%{literal}%", wanted)
        if self.environment is not None:
            yield "t.environment = ?", (self.environment.raw,)
        if self.since is not None:
            yield "t.time >= ?", (self.since,)
        if self.until is not None:
            yield "t.time < ?", (self.until,)
