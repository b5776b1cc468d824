"""What capture noticed and a reader should know: collected, never raised."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from capsulestore.model.canonical import Json

__all__ = ["Finding", "Report", "said_of"]

Report = Callable[[str, str], None]
"""Takes a finding's code and message."""

_MOST_NAMED: Final = 3


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


def said_of(findings: Iterable[Finding]) -> list[str]:
    """Return findings in words: a line for each kind, with the first few that it is true of."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        grouped.setdefault((finding.layer, finding.message), []).append(_short(finding.subject))
    return [
        f"{layer}: {', '.join(subjects[:_MOST_NAMED])}{_and_more(subjects)}: {message}"
        for (layer, message), subjects in grouped.items()
    ]


def _short(subject: str) -> str:
    return os.path.basename(subject) if subject.endswith("-info") else subject


def _and_more(subjects: list[str]) -> str:
    more = len(subjects) - _MOST_NAMED
    return f" and {more} more" if more > 0 else ""
