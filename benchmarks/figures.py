"""What was measured of one thing, as a whole process or within one."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

__all__ = ["Figure", "Figures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """How long one thing took, each time, in milliseconds, and the most memory it had, in MB (10**6 bytes).

    `memory` is None where it was not looked at, and so are the `kilobytes` (10**3 bytes) that went to and fro.
    `percentile_99` is how long, of 100 requests to a server, the one before the slowest took, in milliseconds, where
    many were sent. `missing` says in words why nothing was measured; then there are no times.
    """

    label: str
    times: tuple[float, ...] = ()
    memory: float | None = None
    kilobytes: float | None = None
    percentile_99: float | None = None
    missing: str = ""

    @property
    def median(self) -> float | None:
        """The median of the times, None where there are none."""
        return median(self.times) if self.times else None


Figures = dict[str, Figure]
"""What was measured, by a short name that targets refer to, in the order of the table."""
