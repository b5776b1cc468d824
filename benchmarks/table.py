"""The page that shows what was measured: docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from .figures import Figure, Figures
from .targets import TARGETS, Target

__all__ = ["by_hand", "page", "table"]

_ENOUGH_ROUNDS: Final = 15
_NOTHING: Final = "-"
_BORDER: Final = "<!-- What follows is written by hand. -->"

_PAGE: Final = """\
# Performance

Written by `make benchmark`, but for the last part, which is written by hand and stays.

- Machine: {machine}.
- Compared: {compared}.
- Rounds: {rounds}, after 2 to warm up; every file was in the machine's file cache.{reservation}

## What is to be reached

{targets}

## Whole processes

From the start to the end of the process, run in turn. All look at the same environment, which is activated. The memory
is that of the largest process at its peak. The kernel counts in it the one that started it, so that none is below that
of `true`.

{whole}

## Deep verification

Whole processes too. The files are those that RECORDs list with a hash, but for bytecode. With an empty index, capture
has nothing to go by either; after a capture, no file is known yet. In the larger environment most files are links to
one of the other, each compared for itself.

{deep}

## Moving stores

Whole processes again, of stores that were made for it: ten capsules in a row share an environment of 60 packages, the
next has three of them in another version; each capsule has a context of its own. The other side is reached by a
`file://` address. A new capsule has a new environment, with three packages in another version, except where the other
store has its environment already. To and fro go all bytes that both sides say to each other. What moves a whole store
is run five times at most.

{moving}

## Serving

`capsule serve` on the loopback, of a store of 10,000 such capsules, asked by wrk over 4 connections at once for some
seconds a round, five rounds at most; each answer is waited for before that connection asks again. The time is that of a
request, of those that are answered in a second. Of 100 requests one had to wait longer than the last column says, in
the round in which it was longest. Both servers are one process, and wrk is another.

{serving}

## Within a process

The library's functions, in a process that has already imported them. A look-up opens the store, too.

{within}

## Layer by layer

Within a process, each layer by itself, of a conda prefix that rattler made: what the environment above holds, each
distribution a package of its own, and the interpreter another. `python` has to know what `conda` installed, so that it
takes longer here than above. A layer that there is nothing of, as `nix`, takes what it takes to see that. py-rattler
reads the records, and digests nothing.

{layers}

## To make it again

    make benchmark

The first time it installs the environment and the tools below `.benchmarks/`, which takes minutes and 3 GB. The
machine should have nothing else to do. `make benchmark ROUNDS=3` is quick, and shows whether all is there.

{border}

{by_hand}
"""


def page(figures: Figures, *, machine: str, compared: str, rounds: int, by_hand: str) -> str:
    """Return the page in Markdown. `compared` names the versions; `by_hand` ends it."""
    parts: dict[str, list[Figure]] = {
        "deep-": [],
        "moving-": [],
        "serving-": [],
        "in-process-": [],
        "layer-": [],
        "": [],
    }
    for name, figure in figures.items():
        parts[next(part for part in parts if name.startswith(part))].append(figure)
    return _PAGE.format(
        machine=machine,
        compared=compared,
        rounds=rounds,
        reservation="" if rounds >= _ENOUGH_ROUNDS else " Too few: the figures are preliminary.",
        targets=table(("target", "reached", "met"), [_target_row(target, figures) for target in TARGETS]),
        whole=_of_processes(parts[""]),
        deep=_of_processes(parts["deep-"]),
        moving=table(
            ("command", "median", "fastest", "slowest", "memory", "to and fro"),
            ([*_times(figure), _memory(figure), _traffic(figure)] for figure in parts["moving-"]),
        ),
        serving=table(
            ("request", "median", "fastest", "slowest", "requests a second", "99 of 100 within"),
            ([*_times(figure), _rate(figure), _percentile(figure)] for figure in parts["serving-"]),
        ),
        within=_of_functions(parts["in-process-"]),
        layers=_of_functions(parts["layer-"]),
        border=_BORDER,
        by_hand=by_hand.strip(),
    )


def by_hand(page: str) -> str:
    """Return the part of a page that is written by hand; nothing where there is none."""
    return page.partition(_BORDER)[2].strip()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, the first column to the left and the others to the right."""
    rule = [":--", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])


def _of_processes(figures: Iterable[Figure]) -> str:
    rows = ([*_times(figure), _memory(figure)] for figure in figures)
    return table(("command", "median", "fastest", "slowest", "memory"), rows)


def _of_functions(figures: Iterable[Figure]) -> str:
    return table(("what", "median", "fastest", "slowest"), map(_times, figures))


def _target_row(target: Target, figures: Figures) -> list[str]:
    value = target.reached(figures)
    if value is None:
        return [target.sentence, "not measured", _NOTHING]
    return [target.sentence, f"{_digits(value)} {target.unit}".strip(), "yes" if target.met(figures) else "no"]


def _times(figure: Figure) -> list[str]:
    if figure.median is None:
        return [figure.label, f"not measured: {figure.missing}", _NOTHING, _NOTHING]
    return [figure.label, *(f"{_digits(time)} ms" for time in (figure.median, min(figure.times), max(figure.times)))]


def _memory(figure: Figure) -> str:
    return _NOTHING if figure.memory is None else f"{figure.memory:.0f} MB"


def _traffic(figure: Figure) -> str:
    return _NOTHING if figure.kilobytes is None else f"{_digits(figure.kilobytes)} KB"


def _rate(figure: Figure) -> str:
    return _NOTHING if figure.median is None else f"{1e3 / figure.median:,.0f}"


def _percentile(figure: Figure) -> str:
    return _NOTHING if figure.percentile_99 is None else f"{_digits(figure.percentile_99)} ms"


def _digits(value: float) -> str:
    """Return a number with three significant digits, or with all that stand before the point."""
    decimals = next((decimals for decimals, least in enumerate((100, 10, 1)) if value >= least), 3)
    return f"{value:,.{decimals}f}"
