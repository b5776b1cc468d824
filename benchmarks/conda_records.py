"""Times py-rattler at reading the records of a prefix, and prints JSON: milliseconds of each round.

Started by in_process.py where py-rattler is installed:

    python -I conda_records.py PREFIX ROUNDS
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path

from rattler import PrefixRecord

LEAST = 300
WARM_UP = 2


def main() -> None:
    """Time it and print the times."""
    meta = Path(sys.argv[1], "conda-meta")
    times = []
    for number in range(-WARM_UP, int(sys.argv[2])):
        gc.collect()
        start = time.perf_counter_ns()
        records = [PrefixRecord.from_path(path) for path in sorted(meta.glob("*.json"))]
        if number >= 0:
            times.append((time.perf_counter_ns() - start) / 1e6)
        if len(records) < LEAST:
            sys.exit("the prefix that is measured is not whole")
    print(json.dumps({"records": times}))


if __name__ == "__main__":
    main()
