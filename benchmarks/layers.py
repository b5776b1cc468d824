"""Times each layer of an environment apart, within one process, and prints JSON: milliseconds of each round by name.

Started by in_process.py in the environment where the wheel is installed:

    python -I layers.py PYTHON DIRECTORY ROUNDS

PYTHON is the interpreter to capture, DIRECTORY an empty one. Cold is with an index that is empty each time, warm with
one that is filled. A layer by itself leaves out asking the interpreter, which capture does first.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from capsulestore.capture.cache import Cache
from capsulestore.capture.environment import LAYERS, capture
from capsulestore.capture.layer import Layer, LayerCapture, Runtime
from capsulestore.capture.own_environ import own_environ
from capsulestore.capture.target import Target

LEAST = 300
WARM_UP = 2


def timed(do: Mapping[str, Callable[[], object]], rounds: int, prepare: Callable[[], None]) -> dict[str, list[float]]:
    """Return the milliseconds of each, which are run in turn; before each comes `prepare()`, out of the time."""
    times: dict[str, list[float]] = {name: [] for name in do}
    for number in range(-WARM_UP, rounds):
        for name, one in do.items():
            prepare()
            # So that no round pays for what another has left.
            gc.collect()
            start = time.perf_counter_ns()
            one()
            if number >= 0:
                times[name].append((time.perf_counter_ns() - start) / 1e6)
    return times


def main() -> None:
    """Time everything and print it."""
    target, directory, rounds = Target(sys.argv[1], "--python"), sys.argv[2], int(sys.argv[3])
    cold, warm = (os.path.join(directory, name) for name in ("cold", "warm"))
    found = capture(target, cache=Cache(warm))
    environment: dict[str, Any] = dict(found.environment)
    if min(len(environment[name]["packages"]) for name in ("python", "conda")) < LEAST:
        sys.exit("the prefix that is measured is not whole")
    environ = own_environ()

    def capture_layer(layer: Layer, index: str) -> LayerCapture:
        return layer.capture(Runtime(found.interpreter, environ, Cache(index)), max(layer.rules))

    of_cold = {f"{layer.name}-cold": partial(capture_layer, layer, cold) for layer in LAYERS}
    of_warm: dict[str, Callable[[], object]] = {
        **{f"{layer.name}-warm": partial(capture_layer, layer, warm) for layer in LAYERS},
        "python-alone": lambda: capture(target, layers=["python"], cache=Cache(warm)),
        "all": lambda: capture(target, cache=Cache(warm)),
    }
    times = timed(of_cold, rounds, lambda: shutil.rmtree(cold, ignore_errors=True))
    print(json.dumps(times | timed(of_warm, rounds, lambda: None)))


if __name__ == "__main__":
    main()
