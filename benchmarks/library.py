"""Times what the library does, within one process, and prints JSON: milliseconds of each round by name.

Started by in_process.py in the environment where the wheel is installed:

    python -I library.py PYTHON DIRECTORY ROUNDS

PYTHON is the interpreter to capture, DIRECTORY an empty one in a git work tree of its own.
"""

from __future__ import annotations

import copy
import gc
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from capsulestore.capture.cache import Cache
from capsulestore.capture.environment import capture
from capsulestore.capture.target import Target
from capsulestore.inspection.comparison import compare, stored
from capsulestore.model.mapping import encode_mapping
from capsulestore.recording.capsule import Description, Recorded, Surroundings, record
from capsulestore.store import Store

Environment = dict[str, Any]

FEW, MANY = 10, 10_000
CHANGED = 10
LEAST = 300
WARM_UP = 2


def timed(do: Callable[[Any], object], rounds: int, prepare: Callable[[int], Any] = lambda _: None) -> list[float]:
    """Return the milliseconds of `do(prepare(number))` in each round; preparing is out of the time."""
    times = []
    for number in range(-WARM_UP, rounds):
        prepared = prepare(number)
        # So that no round pays for what another has left.
        gc.collect()
        start = time.perf_counter_ns()
        do(prepared)
        if number >= 0:
            times.append((time.perf_counter_ns() - start) / 1e6)
    return times


def times_of_capture(python: str, directory: Path, rounds: int) -> dict[str, list[float]]:
    """Capture with a cache that is empty each time, and with one that is filled."""
    target, cold, warm = Target(python, "--python"), directory / "cold", directory / "warm"

    def empty(_: int) -> Cache:
        shutil.rmtree(cold, ignore_errors=True)
        return Cache(str(cold))

    return {
        "capture-cold": timed(lambda cache: capture(target, cache=cache), rounds, empty),
        "capture-warm": timed(lambda cache: capture(target, cache=cache), rounds, lambda _: Cache(str(warm))),
    }


def with_all_changed(environment: Environment, number: int) -> Environment:
    """Return an environment none of whose distributions has been in a store."""
    changed = copy.deepcopy(environment)
    for entry in changed["python"]["packages"].values():
        entry["round"] = number
    return changed


def with_some_changed(environment: Environment) -> Environment:
    """Return an environment in which `CHANGED` distributions have another version."""
    changed = copy.deepcopy(environment)
    entries = list(changed["python"]["packages"].values())
    for entry in entries[:: len(entries) // CHANGED][:CHANGED]:
        entry["version"] += ".post1"
    return changed


def add(store: Store, environment: Environment, title: str) -> Recorded:
    """Register an environment as a capsule."""
    return record(store, Surroundings(environment=environment), Description(title=title))


def times_of_storing(environment: Environment, directory: Path, rounds: int) -> list[float]:
    """Register an environment whose objects are all new, in a store that has one already."""
    with ExitStack() as opened:

        def prepare(number: int) -> tuple[Store, Environment]:
            place = directory / f"stored-{number}"
            place.mkdir()
            store = opened.enter_context(Store.init(str(place)))
            add(store, environment, "before")
            return store, with_all_changed(environment, number)

        return timed(lambda new: add(new[0], new[1], "new"), rounds, prepare)


def times_of_difference(environment: Environment, directory: Path, rounds: int) -> list[float]:
    """Compare two environments that lie in a store."""
    place = directory / "compared"
    place.mkdir()
    with Store.init(str(place)) as store:
        a, b = (str(add(store, one, "one").capsule) for one in (environment, with_some_changed(environment)))

        def difference(_: object) -> None:
            found = len(compare(stored(store, a), stored(store, b)).changes)
            if found != CHANGED:
                sys.exit(f"{CHANGED} changes were made and {found} found")

        return timed(difference, rounds)


def fill(store: Store, count: int) -> None:
    """Register capsules of one environment until there are so many; by git's fast-import, in one pack."""
    first = add(store, {"python": {"rules": 1, "packages": {"example": {"version": "1"}}}}, "capsule 0")
    now = int(time.time())
    stream = []
    for number in range(1, count):
        title = f"capsule {number}"
        beginning = "from refs/heads/main^0\n" if number == 1 else ""
        manifest = f'{{"environment_digest":"{first.environment}","schema":1,"title":"{title}"}}'
        stream.append(
            f"commit refs/heads/main\ncommitter Ada Lovelace <ada@example.org> {now} +0000\n"
            f"data {len(title)}\n{title}\n"
            f"{beginning}deleteall\n"
            f"M 100644 inline capsule.json\ndata {len(manifest)}\n{manifest}\n"
            f"M 040000 {first.environment} environment\n"
        )
    import_ = ["git", "-c", "fastimport.unpackLimit=0", "-C", store.path, "fast-import", "--quiet", "--done"]
    subprocess.run(import_, input="".join([*stream, "done\n"]), text=True, check=True)


def times_of_names(count: int, directory: Path, rounds: int) -> dict[str, list[float]]:
    """Open a store of so many capsules and look a name up, as a command does."""
    place = directory / f"capsules-{count}"
    place.mkdir()
    with Store.init(str(place)) as store:
        fill(store, count)
        log = ["git", "-C", store.path, "log", "--format=%T", "main"]
        capsules = subprocess.run(log, capture_output=True, text=True, check=True).stdout.split()
        if len(capsules) != count:
            sys.exit(f"{count} capsules were made and {len(capsules)} found")
        wanted = capsules[count // 2]
        store.tags.set("fit", store.resolve_capsule(wanted))

    def look_up(name: str, _: object) -> None:
        with Store(str(place)) as store:
            if str(store.resolve(name).digest) != wanted:
                sys.exit(f"`{name}` should have been {wanted}")

    names = {"digest": wanted, "prefix": wanted[:12], "tag": "fit"}
    return {f"{kind}-{count}": timed(partial(look_up, name), rounds) for kind, name in names.items()}


def times_of_a_durable_file(directory: Path, rounds: int) -> list[float]:
    """Write 4 KB and wait until they are on the disk: what any durable write takes here."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())

    return timed(write, rounds, lambda number: directory / f"durable-{number}")


def main() -> None:
    """Time everything and print it."""
    python, directory, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    environment: Environment = dict(capture(Target(python, "--python"), layers=["python"]).environment)
    if len(environment["python"]["packages"]) < LEAST:
        sys.exit("the environment that is measured is not whole")
    print(
        json.dumps(
            {
                **times_of_capture(python, directory, rounds),
                "digest": timed(lambda _: encode_mapping(environment), rounds),
                "store": times_of_storing(environment, directory, rounds),
                "diff": times_of_difference(environment, directory, rounds),
                **times_of_names(FEW, directory, rounds),
                **times_of_names(MANY, directory, rounds),
                "fsync": times_of_a_durable_file(directory, rounds),
            }
        )
    )


if __name__ == "__main__":
    main()
