"""Has the library timed, in a process of its own in the environment where the wheel is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from .commands import variables, work_tree
from .environments import Environments
from .figures import Figure, Figures

__all__ = ["measure"]

_LABELS: Final = {
    "capture-cold": "capture, index cold",
    "capture-warm": "capture, index warm",
    "digest": "digest of a captured environment",
    "store": "storing a new environment, every distribution new",
    "diff": "difference of two stored environments, 10 distributions changed",
    "digest-10": "look-up of a whole digest, 10 capsules",
    "prefix-10": "look-up of a prefix of 12, 10 capsules",
    "tag-10": "look-up of a tag, 10 capsules",
    "digest-10000": "look-up of a whole digest, 10,000 capsules",
    "prefix-10000": "look-up of a prefix of 12, 10,000 capsules",
    "tag-10000": "look-up of a tag, 10,000 capsules",
    "fsync": "for comparison: a file of 4 KB, made durable",
}


def measure(made: Environments, rounds: int, scratch: Path) -> Figures:
    """Return the times of library.py, each name with `in-process-` before it."""
    environ = variables(made, scratch)
    library = Path(__file__).with_name("library.py")
    command = [made.capsule / "bin/python", "-I", library, made.target / "bin/python"]
    done = subprocess.run(
        list(map(str, [*command, work_tree(scratch / "library", environ), rounds])),
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    times = {} if done.returncode else json.loads(done.stdout)
    missing = "library.py did not end well" if done.returncode else ""
    print(done.stderr, end="", file=sys.stderr)
    return {
        f"in-process-{name}": Figure(label=label, times=tuple(times.get(name, ())), missing=missing)
        for name, label in _LABELS.items()
    }
