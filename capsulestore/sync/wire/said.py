"""What a remote says to people while it works (side-band 2): passed on as it comes, its last line kept."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from typing import Final

from capsulestore.sync.remote import Progress

__all__ = ["Said"]

_MAX_LINE: Final = 200
_LINE_ENDS: Final = re.compile(r"[\r\n]+")


class Said:
    """Takes text for people in pieces, which may end within a character or a line."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._tail = ""

    def __call__(self, content: bytes) -> None:
        """Pass a piece on."""
        text = self._decoder.decode(content)
        self._tail = (self._tail + text)[-2 * _MAX_LINE :]
        self._progress.said(text)

    @property
    def last_line(self) -> str:
        """The last line that has anything in it, as far as an error can repeat it."""
        lines = [line.strip() for line in _LINE_ENDS.split(self._tail)]
        return next((line[:_MAX_LINE] for line in reversed(lines) if line), "")
