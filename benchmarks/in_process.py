"""Has the library timed, in processes of their own in the environments where the wheel is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
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
    "record": "recording a function that does nothing",
    "fsync": "for comparison: a file of 4 KB, made durable",
}


def measure(made: Environments, rounds: int, scratch: Path) -> Figures:
    """Return the times of library.py and recorded.py, each name with `in-process-` before it."""
    environ = variables(made, scratch)
    here, place = Path(__file__).parent, scratch / "recorded"
    place.mkdir()
    subprocess.run([made.capsule / "bin/capsule", "init"], cwd=place, env=environ, check=True, capture_output=True)
    library = [made.capsule / "bin/python", "-I", here / "library.py", made.target / "bin/python"]
    times = {
        **_answer([*library, work_tree(scratch / "library", environ), rounds], environ),
        **_answer([made.recorder / "bin/python", "-I", here / "recorded.py", place, rounds], environ),
    }
    return {
        f"in-process-{name}": Figure(
            label=label, times=tuple(times.get(name, ())), missing="" if name in times else "it did not end well"
        )
        for name, label in _LABELS.items()
    }


def _answer(command: Sequence[object], environ: Mapping[str, str]) -> dict[str, list[float]]:
    """Return what a script prints, nothing where it fails; what it complains of goes to stderr."""
    done = subprocess.run(list(map(str, command)), env=environ, capture_output=True, text=True, check=False)
    print(done.stderr, end="", file=sys.stderr)
    answer: dict[str, list[float]] = {} if done.returncode else json.loads(done.stdout)
    return answer
