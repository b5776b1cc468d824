"""What is said of what was taken out of a capsule before it was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capsulestore.recording.capsule import Recorded

__all__ = ["said_of_redaction"]


def said_of_redaction(recorded: Recorded) -> str | None:
    """Return in words which parts of a capsule held secrets; None where none did."""
    if not recorded.redacted:
        return None
    return f"{', '.join(recorded.redacted)}: held what looks like credentials, which are not recorded"
