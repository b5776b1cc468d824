"""Which Python interpreter a command line really starts: found as the system would find it, without running it."""

from capsulestore.capture.command.following import started_by
from capsulestore.capture.command.line import Started
from capsulestore.capture.command.sources import sources_named, starting_directory

__all__ = ["Started", "sources_named", "started_by", "starting_directory"]
