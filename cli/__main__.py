"""The entry point: an exit status, whatever happens. What a command needs is imported where Ctrl-C is understood."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

__all__ = ["main"]

_INTERRUPTED = 130
_PIPE_CLOSED = 141
"""As the shell reports a command that SIGPIPE ended, which is what git's is."""
_FEW_COLLECTIONS = 100_000
"""So many objects come and go before cycles are looked for: most commands end before."""


def main(program: str | None = None) -> NoReturn:
    """Run the command line of this process and exit with its status.

    `program` names the module here that has the command of another program than `capsule`.
    """
    gc.set_threshold(_FEW_COLLECTIONS)
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            # A name in another encoding than the terminal's must not end a command.
            stream.reconfigure(errors="backslashreplace")
        run = _imported(program)
        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except BrokenPipeError:
        # What is still buffered has nowhere to go; without this the interpreter complains at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = _PIPE_CLOSED
    _end(status)


def _imported(program: str | None) -> Callable[[list[str]], int]:
    """Import what runs a command, with Ctrl-C held back: orjson, for one, crashes where its import is interrupted."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        if program is None:
            from .running import run
        else:
            from importlib import import_module

            run = import_module(f".{program}", __package__).run
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return run


def _end(status: int) -> NoReturn:
    """End this process, without taking down module by module what ends with it: a tenth of a command's time."""
    import atexit

    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            # It is closed or full, which was told where it could be.
            sys.exit(status)
    atexit._run_exitfuncs()
    os._exit(status)


if __name__ == "__main__":
    main()
