"""The flag `--capture-capsule` of a parser of argparse: what follows the parsing is recorded."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from capsulestore.capture_flag.script import Running, Script, warn

if TYPE_CHECKING:
    from capsulestore.capture_flag.ending import Ending

__all__ = ["add_flag"]

_DEST: Final = "capture_capsule"
_PARSING: Final = ("parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args")

_watched: WeakSet[argparse.ArgumentParser] = WeakSet()
_recorded_processes: set[int] = set()


class _Flag(argparse.Action):
    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, default=False, help=help)

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, *_: Any) -> None:
        setattr(namespace, self.dest, True)
        if parser not in _watched:
            warn(f"{parser.prog}: not recorded: the flag is another parser's, from `parents`; add it to this one too")


def add_flag(parser: argparse.ArgumentParser, script: Script) -> None:
    """Add the flag to a parser, whose ways to parse are watched from here on."""
    parser.add_argument("--capture-capsule", action=_Flag, dest=_DEST, help="record this run as a capsule")
    _watched.add(parser)
    depth = 0

    def watched(parse: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(parse)
        def parsed(*arguments: Any, **named: Any) -> Any:
            # One way to parse goes through others, and what they leave may still be refused.
            nonlocal depth
            depth += 1
            try:
                result = parse(*arguments, **named)
            finally:
                depth -= 1
            if not depth:
                _begin(script, parser, result[0] if isinstance(result, tuple) else result)
            return result

        return parsed

    for name in _PARSING:
        setattr(parser, name, watched(getattr(parser, name)))


def _begin(script: Script, parser: argparse.ArgumentParser, namespace: Any) -> None:
    """Record this process from here to its end, if the flag was given and it is not recorded already."""
    if not getattr(namespace, _DEST, False) or os.getpid() in _recorded_processes or _is_worker():
        return
    _recorded_processes.add(os.getpid())
    try:
        parameters = _parameters(vars(namespace))
    except TypeError:
        parameters = {}
    running = script.begin(parser.prog, parameters)
    if running.recording is None or running.recording.error:
        return
    import atexit  # noqa: PLC0415

    from capsulestore.capture_flag.ending import Ending  # noqa: PLC0415

    # After what records has been imported: what is registered last is called first, before logging has ended.
    atexit.register(_end, running, Ending.watched(), getattr(sys.modules["__main__"], "__file__", None))


def _end(running: Running, ending: Ending, program: str | None) -> None:
    # A process that was forked from the program ends too.
    if os.getpid() not in _recorded_processes:
        return
    from capsulestore.capture_flag.ending import still_end_by_interrupt  # noqa: PLC0415

    # The interpreter takes it away when the program has ended, and by it the program is known.
    if program is not None:
        sys.modules["__main__"].__file__ = program
    failure = ending.failure()
    try:
        if failure is not None and ending.is_unseen:
            warn(f"{running.title}: `raise SystemExit` hides its status, so this is recorded as failed; use `sys.exit`")
        running.end(failure)
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
    # Where the worker does not inherit the program, it runs it under this name before it knows its parent.
    return process.parent_process() is not None or sys.modules.get("__mp_main__") is not sys.modules["__main__"]
