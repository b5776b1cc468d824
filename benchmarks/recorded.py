"""Times what recording adds to a function that does nothing, within one process, and prints JSON: milliseconds a round.

Started by in_process.py in an environment of many distributions, in which the wheel is installed too:

    python -I recorded.py DIRECTORY ROUNDS

DIRECTORY is one with a store. The first rounds, in which modules are imported and the index is filled, do not count.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time

from capsulestore import record

WARM_UP = 3


@record("nothing", strict=True)
def nothing() -> None:
    """Do nothing."""


def main() -> None:
    """Time it and print the times."""
    os.chdir(sys.argv[1])
    times = []
    for number in range(-WARM_UP, int(sys.argv[2])):
        gc.collect()
        start = time.perf_counter_ns()
        nothing()
        if number >= 0:
            times.append((time.perf_counter_ns() - start) / 1e6)
    print(json.dumps({"record": times}))


if __name__ == "__main__":
    main()
