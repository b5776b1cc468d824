"""Has the library timed, in processes of their own in the environments where the wheel is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from .commands import variables, work_tree
from .environments import Environments
from .figures import Figure, Figures

__all__ = ["measure", "measure_layers"]

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
    "record": "recording a function that does nothing, in a plain directory",
    "record-git": "recording a function that does nothing, in a git work tree",
    "fsync": "for comparison: a file of 4 KB, made durable",
}
_LAYERS: Final = ("python", "conda", "nix", "container", "system", "variables", "host")
_LAYER_LABELS: Final = {
    **{f"{layer}-{index}": f"layer `{layer}`, index {index}" for layer in _LAYERS for index in ("cold", "warm")},
    "python-alone": "capture of layer `python` alone, index warm",
    "all": "capture of all layers, index warm",
    "records": "for comparison: py-rattler, the same records of conda",
}
_FAILED: Final = "it did not end well"


def measure(made: Environments, rounds: int, scratch: Path) -> Figures:
    """Return the times of library.py and recorded.py, each name with `in-process-` before it."""
    environ = variables(made, scratch)
    here = Path(__file__).parent
    library = [made.capsule / "bin/python", "-I", here / "library.py", made.target / "bin/python"]
    times = _answer([*library, work_tree(scratch / "library", environ), rounds], environ)
    recorded = [made.recorder / "bin/python", "-I", here / "recorded.py"]
    with TemporaryDirectory() as plain:
        for name, place in (("record", Path(plain)), ("record-git", work_tree(scratch / "recorded", environ))):
            init = [made.capsule / "bin/capsule", "init"]
            subprocess.run(init, cwd=place, env=environ, check=True, capture_output=True)
            answer = _answer([*recorded, place, rounds], environ)
            if "record" in answer:
                times[name] = answer["record"]
    return _figures("in-process", _LABELS, times, _FAILED)


def measure_layers(made: Environments, rounds: int, scratch: Path) -> Figures:
    """Return the times of layers.py and conda_records.py, each name with `layer-` before it.

    Where there is no prefix of conda's, each figure says why.
    """
    if made.without_conda:
        return _figures("layer", _LAYER_LABELS, {}, made.without_conda)
    environ = variables(made, scratch)
    here = Path(__file__).parent
    indices = scratch / "layers"
    indices.mkdir()
    layers = [made.capsule / "bin/python", "-I", here / "layers.py", made.conda / "bin/python", indices, rounds]
    records = [made.rattler / "bin/python", "-I", here / "conda_records.py", made.conda, rounds]
    return _figures("layer", _LAYER_LABELS, _answer(layers, environ) | _answer(records, environ), _FAILED)


def _figures(prefix: str, labels: Mapping[str, str], times: Mapping[str, Sequence[float]], reason: str) -> Figures:
    """Return a figure for each label; `reason` is why there are no times, where there are none."""
    return {
        f"{prefix}-{name}": Figure(
            label=label, times=tuple(times.get(name, ())), missing="" if name in times else reason
        )
        for name, label in labels.items()
    }


def _answer(command: Sequence[object], environ: Mapping[str, str]) -> dict[str, list[float]]:
    """Return what a script prints, nothing where it fails; what it complains of goes to stderr."""
    done = subprocess.run(list(map(str, command)), env=environ, capture_output=True, text=True, check=False)
    print(done.stderr, end="", file=sys.stderr)
    answer: dict[str, list[float]] = {} if done.returncode else json.loads(done.stdout)
    return answer
