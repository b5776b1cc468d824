"""`--deep`: every installed file compared, with a bar on a terminal, and what came of it as lines."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import click

from .output import safe, style, table

if TYPE_CHECKING:
    from capsulestore.capture.integrity import Altered, Integrity
    from capsulestore.capture.interpreter import Interpreter

__all__ = ["deep_check", "installed_lines"]

_MOST_TOLD: Final = 20
_STEPS: Final = 1000
_COLORS: Final = {"changed": "red", "missing": "red", "unreadable": "red", "unowned": "yellow"}


def deep_check(layers: tuple[str, ...]) -> Callable[[Interpreter], Integrity]:
    """Return what compares the files that are installed for an interpreter: all of them, or those of some layers."""
    from functools import partial

    from capsulestore.capture.cache import users_cache
    from capsulestore.capture.integrity import check_installed, users_index

    check = partial(check_installed, layers=layers or None, cache=users_cache(), index=users_index())
    return partial(_with_bar, check) if sys.stderr and sys.stderr.isatty() else check


def installed_lines(found: Integrity) -> Iterator[str]:
    """Yield what came of it: how many files are not as installed, the first of them, and what was not compared."""
    from capsulestore.verification.installed import not_compared

    yield f"installed files: {_counted(found)}"
    # What counts comes first.
    told = sorted(found.altered, key=lambda file: file.kind == "unowned")[:_MOST_TOLD]
    yield from table([_row(file) for file in told], indent="  ")
    if len(found.altered) > len(told):
        yield f"  and {len(found.altered) - len(told)} more"
    for remark in not_compared(found):
        yield safe(remark)


def _with_bar(check: Callable[..., Integrity], interpreter: Interpreter) -> Integrity:
    with click.progressbar(length=_STEPS, label="comparing installed files", file=sys.stderr) as bar:
        return check(interpreter, progress=lambda done, total: bar.update(done * _STEPS // total - bar.pos))


def _counted(found: Integrity) -> str:
    counts = Counter[str](file.kind for file in found.altered)
    told = [f"{counts[kind]} {kind}" for kind in _COLORS if counts[kind]]
    if not found.files and not told:
        return "none that could be compared"
    files = f"{found.files} {'file' if found.files == 1 else 'files'}"
    return f"{', '.join(told)}; {files} compared" if told else f"{files} compared, all as they were installed"


def _row(file: Altered) -> tuple[str, str, str]:
    here = os.path.join(os.getcwd(), "")
    path = file.path.removeprefix(here) if file.path.startswith(here) else file.path
    return style(file.kind, _COLORS[file.kind]), safe(file.owner or ""), safe(path)
