"""What capture noticed and a reader should know: collected, never raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from capsulestore.model.canonical import Json

__all__ = ["Finding", "Report"]

Report = Callable[[str, str], None]
"""Takes a finding's code and message."""


class Finding(NamedTuple):
    """One thing noticed: `code` names the kind (`metadata-missing`), `subject` the distribution, file or directory.

    `message` says, in words that hold for any subject of that code, what it means for what was captured; `incomplete`,
    that something an analysis could notice was not, so that a verdict has to say so.
    """

    layer: str
    code: str
    subject: str
    message: str
    incomplete: bool = False

    def as_dict(self) -> dict[str, Json]:
        """Return the finding as `--json` has it."""
        return {"layer": self.layer, "code": self.code, "subject": self.subject, "message": self.message}
