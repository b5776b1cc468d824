"""Moments as people write them after the `?` of a url."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from capsulestore.errors import UsageError

__all__ = ["seconds_of"]

_SPACE_FOR_PLUS: Final = re.compile(r" (?=\d{2}:?\d{2}$)")


def seconds_of(name: str, text: str) -> float | None:
    """Return a moment in seconds since 1970: ISO 8601, UTC where it has no offset, a day standing for its beginning.

    An empty text is none. Raise `UsageError` for what is no moment.
    """
    if not text:
        return None
    try:
        # A `+` that is not escaped in a url says a space.
        moment = datetime.fromisoformat(_SPACE_FOR_PLUS.sub("+", text))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise UsageError(f"`{name}` is no moment", hint="as `2026-07-01` or `2026-07-01T09:30:00Z`") from None
