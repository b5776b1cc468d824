"""Adds capsules to a store: `writer.py STORE FIRST COUNT PACKAGES`. Prints each digest as soon as it is acknowledged.

The capsules are those of the numbers from FIRST, each of an environment with PACKAGES packages that no other has.
An error of ours ends it with its exit status, and its message and hint are on stderr.
"""

from __future__ import annotations

import sys

from capsulestore.errors import CapsuleError
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store


def main(path: str, first: int, count: int, packages: int) -> None:
    with Store(path) as store:
        for number in range(first, first + count):
            entries = {f"package-{package}": {"version": f"{number}.{package}"} for package in range(packages)}
            surroundings = Surroundings(environment={"python": {"rules": 1, "packages": entries}})
            recorded = record(store, surroundings, Description(title=f"capsule {number}"))
            print(recorded.capsule, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1], *map(int, sys.argv[2:]))
    except CapsuleError as error:
        print(f"{type(error).__name__}: {error.message}: {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
