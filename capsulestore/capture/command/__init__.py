"""Which Python interpreter a command line really starts: found as the system would find it, without running it."""

from capsulestore.capture.command.following import started_by
from capsulestore.capture.command.line import Started

__all__ = ["Started", "started_by"]
