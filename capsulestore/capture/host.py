"""The `host` layer: kernel, processor, memory and GPUs, as files of the kernel tell them.

Only what changes with hardware or drivers: no load, free memory, clock rate, host name, serial number or uuid. Where a
file is not there (another kernel, a sandbox), what it would tell is left out.
"""

from __future__ import annotations

import os
import re
from typing import Final

from capsulestore.capture.files import path_text, read_up_to
from capsulestore.capture.layer import LayerCapture, Runtime
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState

__all__ = ["NUMERIC_LIBRARIES", "HostLayer"]

NUMERIC_LIBRARIES: Final = ("host", "libraries")
"""The layer, and the collection in it that a process adds which records itself (`capture.numeric`)."""

_MAX_BYTES: Final = 8 * 1024
"""The first processor of /proc/cpuinfo is in it; the rest, up to hundreds more, is the same again."""

_MAX_GPUS: Final = 256
_KIB_IN_A_GIB: Final = 2**20
_DRIVER: Final = re.compile(r"Kernel Module\b.*?\s(\d+(?:\.\d+)+)\s")
_TOTAL: Final = re.compile(r"([0-9]{1,15}) kB")
_RANGE: Final = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")


class HostLayer:
    """The machine that the target runs on, under `root`."""

    name = "host"
    rules = frozenset({1})
    in_environment = False

    def __init__(self, root: str = "/") -> None:
        self._root = root

    def capture(self, runtime: Runtime, rules: int) -> LayerCapture:
        """Capture the layer; what nothing tells is left out."""
        context: dict[str, Json] = {"rules": rules}
        collections = {
            "kernel": self._kernel(),
            "cpu": self._cpu(runtime.interpreter.machine),
            "memory": self._memory(),
            "gpu": self._gpu(),
        }
        return LayerCapture(
            state=LayerState("captured"), context=context | {name: told for name, told in collections.items() if told}
        )

    def _kernel(self) -> dict[str, Json]:
        return _told(name=self._line("proc/sys/kernel/ostype"), release=self._line("proc/sys/kernel/osrelease"))

    def _cpu(self, machine: str) -> dict[str, Json]:
        return _told(
            model=_model(_fields(self._text("proc/cpuinfo"))),
            architecture=machine,
            logical=_count(self._line("sys/devices/system/cpu/online")),
        )

    def _memory(self) -> dict[str, Json]:
        total = _TOTAL.fullmatch(_fields(self._text("proc/meminfo")).get("MemTotal", ""))
        # What the kernel keeps to itself differs from boot to boot; the next whole GiB is what is built in.
        return _told(gib=-(-int(total[1]) // _KIB_IN_A_GIB) if total else None)

    def _gpu(self) -> dict[str, Json]:
        """Return NVIDIA's driver and its GPUs, all those of the machine: a container may see fewer."""
        driver = _DRIVER.search(self._text("proc/driver/nvidia/version"))
        directory = os.path.join(self._root, "proc/driver/nvidia/gpus")
        try:
            gpus = sorted(os.listdir(directory))[:_MAX_GPUS]
        except OSError:
            gpus = []
        told = [_fields(self._text(f"proc/driver/nvidia/gpus/{gpu}/information")).get("Model") for gpu in gpus]
        models: list[Json] = [*sorted(filter(None, told))]
        return _told(driver=driver and driver[1], models=models)

    def _line(self, path: str) -> str:
        return self._text(path).partition("\n")[0].strip()

    def _text(self, path: str) -> str:
        try:
            return path_text(read_up_to(os.path.join(self._root, path), _MAX_BYTES))
        except OSError:
            return ""


def _told(**facts: Json) -> dict[str, Json]:
    return {name: fact for name, fact in facts.items() if fact}


def _fields(text: str) -> dict[str, str]:
    """Return the first of each field of lines `NAME : VALUE`, blanks within a value as one."""
    found: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip(), " ".join(value.split()))
    return found


def _model(cpu: dict[str, str]) -> str | None:
    """Return the processor's name: x86 says it, others have other words for it, ARM says numbers (Arm's MIDR)."""
    for name in ("model name", "cpu model", "cpu", "uarch"):
        if cpu.get(name):
            return cpu[name]
    implementer, part = cpu.get("CPU implementer"), cpu.get("CPU part")
    return f"implementer {implementer} part {part}" if implementer and part else None


def _count(ranges: str) -> int:
    """Return how many numbers a list such as `0-3,8` has, 0 for what is no such list (cpuset(7), list format)."""
    count = 0
    for part in ranges.split(","):
        bounds = _RANGE.fullmatch(part)
        if not bounds:
            return 0
        count += max(0, int(bounds[2] or bounds[1]) - int(bounds[1]) + 1)
    return count
