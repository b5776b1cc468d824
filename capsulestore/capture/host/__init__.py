"""The `host` layer: kernel, processor, memory, GPUs, and what the process may use of them.

Only what changes with hardware, drivers or a set limit: no load, free memory, clock rate, host name, serial number or
uuid. Where a file is not there (another kernel, a sandbox), what it would tell is left out.
"""

from __future__ import annotations

from typing import Final

from capsulestore.capture.layer import LayerCapture, Runtime
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState

__all__ = ["NUMERIC_LIBRARIES", "HostLayer"]

NUMERIC_LIBRARIES: Final = ("host", "libraries")
"""The layer, and the collection in it that a process adds which records itself (`capture.numeric`)."""


class HostLayer:
    """The machine that the target runs on, under `root`, as this process sees it."""

    name = "host"
    rules = frozenset({1})
    in_environment = False

    def __init__(self, root: str = "/") -> None:
        self._root = root

    def capture(self, runtime: Runtime, rules: int) -> LayerCapture:
        """Capture the layer; what nothing tells is left out."""
        # Most of what imports the layers captures nothing.
        from capsulestore.capture.host.gpus import read_gpus  # noqa: PLC0415
        from capsulestore.capture.host.kernel import read_kernel, read_memory  # noqa: PLC0415
        from capsulestore.capture.host.limits import read_limits  # noqa: PLC0415
        from capsulestore.capture.host.processor import read_processor  # noqa: PLC0415

        processor = read_processor(self._root, runtime)
        gpus, findings = read_gpus(self._root, runtime)
        context: dict[str, Json] = {"rules": rules}
        collections = {
            "kernel": read_kernel(self._root),
            "cpu": processor,
            "memory": read_memory(self._root),
            "gpu": gpus,
            "limits": read_limits(self._root, processor.get("logical")),
        }
        return LayerCapture(
            state=LayerState("captured"),
            context=context | {name: told for name, told in collections.items() if told},
            findings=findings,
        )
