"""What is to be reached, as a ratio of figures of one run or as an amount."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .figures import Figures

__all__ = ["TARGETS", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """A sentence, and the most that `reached` may be; it gives None where a figure is missing.

    `unit` is empty for a ratio. In the sentence `{}` stands for the limit.
    """

    template: str
    limit: float
    unit: str
    reached: Callable[[Figures], float | None]

    @property
    def sentence(self) -> str:
        """The target in words."""
        return self.template.format(f"{self.limit:g}")

    def met(self, figures: Figures) -> bool | None:
        """Whether it is reached, None where that is not known."""
        value = self.reached(figures)
        return None if value is None else value <= self.limit


def _time(name: str) -> Callable[[Figures], float | None]:
    return lambda figures: figures[name].median


def _ratio(name: str, compared: str, *, beyond: str | None = None) -> Callable[[Figures], float | None]:
    """Return what one takes as a ratio of another; with `beyond`, what it takes more than that."""

    def ratio(figures: Figures) -> float | None:
        time, other = figures[name].median, figures[compared].median
        less = figures[beyond].median if beyond else 0
        return None if time is None or other is None or less is None else (time - less) / other

    return ratio


def _most(name: str, compared: str) -> Callable[[Figures], float | None]:
    """Return the greatest of the ratios of time, memory and bytes."""

    def most(figures: Figures) -> float | None:
        one, other = figures[name], figures[compared]
        amounts = [(one.median, other.median), (one.memory, other.memory), (one.kilobytes, other.kilobytes)]
        known = [amount / of for amount, of in amounts if amount is not None and of is not None]
        return max(known) if len(known) == len(amounts) else None

    return most


def _kilobytes(name: str) -> Callable[[Figures], float | None]:
    return lambda figures: figures[name].kilobytes


def _slowest_page(figures: Figures) -> float | None:
    """Return the greatest 99th percentile of the lists, None where one of them was not measured."""
    seen = [figures[f"serving-{name}"].percentile_99 for name in ("page", "title", "package")]
    known = [percentile for percentile in seen if percentile is not None]
    return max(known) if known == seen else None


def _most_memory(figures: Figures) -> float | None:
    """Return the most memory that any `capsule` command had, None where one of them was not measured.

    What moves a whole store has that of all that is in it.
    """
    names = [name for name in figures if name not in {"moving-first-push", "moving-clone"}]
    seen = [figures[name].memory for name in names if figures[name].label.startswith("`capsule ")]
    known = [memory for memory in seen if memory is not None]
    return max(known) if known == seen else None


TARGETS: Final = (
    Target(
        "`capsule capture`, its index cold, takes at most {} of what `pip freeze` takes",
        0.35,
        "",
        _ratio("capture-cold", "pip-freeze"),
    ),
    Target(
        "`capsule capture`, its index warm, takes at most {} times what `uv pip freeze` takes",
        5,
        "",
        _ratio("capture-warm", "uv-freeze"),
    ),
    Target(
        "`capsule verify`, warm, takes at most {} times what `capsule capture` takes",
        1.6,
        "",
        _ratio("verify", "capture-warm"),
    ),
    Target(
        "`capsule run -- true` adds to `true` at most {} of what `datalad run true` takes",
        0.2,
        "",
        _ratio("run", "datalad-run", beyond="true"),
    ),
    Target(
        "a new environment of 300 distributions is stored in at most {} ms, in process",
        30,
        "ms",
        _time("in-process-store"),
    ),
    Target("a warm capture takes at most {} ms, in process", 15, "ms", _time("in-process-capture-warm")),
    Target(
        "recording a function that does nothing takes at most {} ms, in a plain directory",
        30,
        "ms",
        _time("in-process-record"),
    ),
    Target(
        "`capsule capture` of a conda prefix, all layers warm, takes at most {} times what layer `python` alone takes",
        1.3,
        "",
        _ratio("conda-all", "conda-python"),
    ),
    Target(
        "aimed at: the same within a process, where starting up does not count, takes at most {} times",
        1.3,
        "",
        _ratio("layer-all", "layer-python-alone"),
    ),
    Target(
        "`capsule verify --deep`, its index empty, takes at most {} of what `xargs sha256sum` takes on all processors",
        0.5,
        "",
        _ratio("deep-first", "deep-xargs"),
    ),
    Target(
        "`capsule verify --deep`, again, takes at most {} of what it takes with its index empty",
        0.35,
        "",
        _ratio("deep-again", "deep-first"),
    ),
    Target(
        "pushing a new capsule to 100,000 takes at most {} times what it takes to 10: time, memory, bytes",
        1.5,
        "",
        _most("moving-push-100000", "moving-push-10"),
    ),
    Target(
        "pulling a new capsule to 100,000 takes at most {} times what it takes to 10: time, memory, bytes",
        1.5,
        "",
        _most("moving-pull-100000", "moving-pull-10"),
    ),
    Target(
        "a new capsule whose environment the other store has is pushed with at most {} KB",
        2,
        "KB",
        _kilobytes("moving-push-known"),
    ),
    Target(
        "the first push of 20,000 capsules takes at most {} times what `git push` takes",
        4,
        "",
        _ratio("moving-first-push", "moving-git-first-push"),
    ),
    Target(
        "a clone of 20,000 capsules, with the index, takes at most {} times what `git clone --bare` takes",
        10,
        "",
        _ratio("moving-clone", "moving-git-clone"),
    ),
    Target(
        "`GET /api/capsules/ID`, of 10,000, takes at most {} times what a bare FastAPI route takes for the same bytes",
        2,
        "",
        _ratio("serving-capsule", "serving-bare"),
    ),
    Target("of 100 pages of a list of 10,000 capsules, 99 take at most {} ms", 50, "ms", _slowest_page),
    Target("no `capsule` command takes more than {} MB of memory", 100, "MB", _most_memory),
    Target(
        "aimed at: `capsule verify`, warm, takes at most {} times what `uv pip freeze` takes",
        1,
        "",
        _ratio("verify", "uv-freeze"),
    ),
)
