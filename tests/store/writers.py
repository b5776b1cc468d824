"""Adds to a store from many processes at once: `writers.py STORE FIRST COUNT...`.

Capsule FIRST is added first, so that all that it takes is imported; then each COUNT gives a process that adds as many,
from FIRST + 1000 on, from FIRST + 2000 on, and so forth, of one package and of twelve in turn. Digests go to stdout,
each as soon as it is acknowledged. The first line of stderr holds the ids of those processes, the last their statuses,
negative for a signal: they are waited for when the standard input ends.
"""

from __future__ import annotations

import os
import sys
import traceback

from writer import main


def started(path: str, first: int, count: int, packages: int) -> int:
    """Start a process that adds, and return its id."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            main(path, first, count, packages)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return pid


if __name__ == "__main__":
    # A digest and its end of line in one write, also with PYTHONUNBUFFERED: nothing of another process between them.
    sys.stdout.reconfigure(write_through=False)
    path, (first, *counts) = sys.argv[1], map(int, sys.argv[2:])
    main(path, first, 1, 12)
    pids = [
        started(path, first + 1000 * number, count, (1, 12)[number % 2]) for number, count in enumerate(counts, start=1)
    ]
    print(*pids, file=sys.stderr, flush=True)
    # Not before: the id of a process that was waited for may become another's.
    sys.stdin.read()
    print(*(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids), file=sys.stderr)
