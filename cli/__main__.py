"""The entry point: an exit status, whatever happens. What a command needs is imported where Ctrl-C is understood."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

__all__ = ["main"]

_INTERRUPTED = 130
_PIPE_CLOSED = 141
"""As the shell reports a command that SIGPIPE ended, which is what git's is."""


def main() -> NoReturn:
    """Run the command line of this process and exit with its status."""
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            # A name in another encoding than the terminal's must not end a command.
            stream.reconfigure(errors="backslashreplace")
        from .running import run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except BrokenPipeError:
        # What is still buffered has nowhere to go; without this the interpreter complains at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = _PIPE_CLOSED
    sys.exit(status)


if __name__ == "__main__":
    main()
