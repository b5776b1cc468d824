"""The flag `--capture-capsule` of a parser of argparse: what follows the parsing is recorded."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from capsulestore.capture_flag.script import Running, Script, warn

if TYPE_CHECKING:
    from capsulestore.capture_flag.ending import Ending

__all__ = ["add_flag"]

_DEST: Final = "capture_capsule"
_PARSING: Final = ("parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args")

_Given = tuple[Script, str]
"""Whose flag was given, and what the parser that found it calls its program."""

_parsing: ContextVar[list[_Given] | None] = ContextVar("_parsing", default=None)
"""The flags that the parsing which goes on here has found."""

_watched: WeakSet[type] = WeakSet()
_recorded_processes: set[int] = set()


class _Flag(argparse.Action):
    def __init__(self, option_strings: list[str], dest: str, script: Script, help: str) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, default=False, help=help)
        self._script = script

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, *_: Any) -> None:
        setattr(namespace, self.dest, True)
        if (found := _parsing.get()) is not None:
            found.append((self._script, parser.prog))


def add_flag(parser: argparse.ArgumentParser, script: Script) -> None:
    """Add the flag to a parser. Parsers of its kind are watched from here on: it may be the subparser of another."""
    parser.add_argument(
        "--capture-capsule", action=_Flag, dest=_DEST, script=script, help="record this run as a capsule"
    )
    for kind in type(parser).__mro__:
        if kind not in _watched:
            _watched.add(kind)
            for name in vars(kind).keys() & _PARSING:
                setattr(kind, name, _watching(getattr(kind, name)))


def _watching(parse: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(parse)
    def parsed(*arguments: Any, **named: Any) -> Any:
        # One way to parse goes through others, and so does a parser that has subparsers: what they leave may still be
        # refused, and is not all that was given.
        if _parsing.get() is not None:
            return parse(*arguments, **named)
        found: list[_Given] = []
        within = _parsing.set(found)
        try:
            result = parse(*arguments, **named)
        finally:
            _parsing.reset(within)
        if found:
            _begin(*found[0], result[0] if isinstance(result, tuple) else result)
        return result

    return parsed


def _begin(script: Script, called: str, namespace: Any) -> None:
    """Record this process from here to its end, if it is not recorded already."""
    if _is_worker():
        return
    if os.getpid() in _recorded_processes:
        warn(f"{called}: not recorded once more: a program is one capsule, from where it first parsed the flag")
        return
    try:
        parameters = _parameters(vars(namespace))
    except TypeError:
        parameters = {}
    running = script.begin(called, parameters)
    if running.recording is None or running.recording.error:
        return
    import atexit  # noqa: PLC0415

    from capsulestore.capture_flag.ending import Ending  # noqa: PLC0415

    _recorded_processes.add(os.getpid())
    # After what records has been imported: what is registered last is called first, before logging has ended.
    atexit.register(_end, running, Ending(), getattr(sys.modules["__main__"], "__file__", None), os.getpid())


def _end(running: Running, ending: Ending, program: str | None, process: int) -> None:
    # A process that was forked from the program ends too.
    if os.getpid() != process:
        return
    from capsulestore.capture_flag.ending import still_end_by_interrupt  # noqa: PLC0415
    from capsulestore.recording.analysis import Unseen  # noqa: PLC0415

    # The interpreter takes it away when the program has ended, and by it the program is known.
    if program is not None:
        sys.modules["__main__"].__file__ = program
    failure = ending.failure()
    try:
        if ending.is_unseen:
            warn(
                f"{running.title}: how it ended is not recorded: the status of a `raise SystemExit` cannot be seen"
                " before Python 3.12; use `sys.exit`"
            )
        running.end(Unseen() if ending.is_unseen else failure)
    except KeyboardInterrupt:
        warn(f"{running.title}: not recorded: interrupted")
    if isinstance(failure, KeyboardInterrupt):
        still_end_by_interrupt()


def _parameters(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments but the flag, and the functions that `set_defaults` has put beside them."""
    return {name: value for name, value in namespace.items() if name != _DEST and not callable(value)}


def _is_worker() -> bool:
    """Whether this is a process that multiprocessing has started, which parses what its parent has parsed."""
    process = sys.modules.get("multiprocessing.process")
    if process is None:
        return False
    # Where the worker does not inherit the program, it runs it by this name before it knows its parent. In the program
    # itself a module goes by this name too, which has its own.
    program = sys.modules.get("__mp_main__")
    return process.parent_process() is not None or getattr(program, "__name__", None) == "__mp_main__"
