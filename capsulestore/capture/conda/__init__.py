"""The `conda` layer: the packages that conda, mamba or pixi installed into the prefix that the target runs from.

It is the prefix of the interpreter itself (`sys.base_prefix`), also for a virtual environment made of it: what
CONDA_PREFIX names may be another's. Of what a prefix holds beside the records of packages nothing is read:
`conda-meta/history` and `.condarc` hold urls as they were typed, `conda-meta/state` variables.
"""

from __future__ import annotations

import os
from typing import Any, Final, cast

from capsulestore.capture.layer import LayerCapture, Runtime
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState

__all__ = ["META", "CondaLayer", "metadata_of_conda"]

META: Final = "conda-meta"
"""The directory of a prefix that holds a record of each package in it."""

_RULES: Final = frozenset({1})


class CondaLayer:
    """The packages in the target's base prefix, pip among them, where conda installed it: there it is a package."""

    name = "conda"
    rules = _RULES
    in_environment = True

    def capture(self, runtime: Runtime, rules: int) -> LayerCapture:
        """Capture the layer: `none` where the prefix has no records, `unknown` where they cannot be listed.

        It is read anew where `runtime.cache` does not know it, or a file that it was read from has changed.
        """
        try:
            return _recall(runtime, rules)[0]
        except OSError as error:
            return LayerCapture(LayerState("unknown", f"`conda-meta` cannot be listed ({error.strerror})"))


def metadata_of_conda(runtime: Runtime) -> frozenset[str]:
    """Return the real paths of `.dist-info` and `.egg-info` that conda installed, and nobody replaced since.

    Empty where the target does not run from a prefix of conda's, at the price of a stat.
    """
    try:
        _, metadata = _recall(runtime, max(_RULES))
    except OSError:
        return frozenset()
    prefix = runtime.interpreter.base_prefix
    directories = {os.path.dirname(path) for path in metadata}
    real = {directory: os.path.realpath(os.path.join(prefix, directory)) for directory in directories}
    return frozenset(os.path.join(real[os.path.dirname(path)], os.path.basename(path)) for path in metadata)


def _recall(runtime: Runtime, rules: int) -> tuple[LayerCapture, list[str]]:
    """Return the layer, and the paths from the prefix of the Python metadata that is conda's; raise `OSError`."""
    prefix = os.path.abspath(runtime.interpreter.base_prefix)
    if not os.path.isdir(os.path.join(prefix, META)):
        return LayerCapture(LayerState("none")), []

    def compute() -> Json:
        # Seldom needed, and start-up counts.
        from capsulestore.capture.conda.reading import read_prefix  # noqa: PLC0415

        layer, metadata = read_prefix(prefix, rules)
        return [layer.as_json(), cast("list[Json]", metadata)]

    kept: Any = runtime.cache.recall(f"conda layer, rules {rules}, {prefix}", compute)
    layer, metadata = kept
    return LayerCapture.from_json(layer), metadata
