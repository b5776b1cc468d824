"""NVIDIA's GPUs and their driver, as the driver's files tell, and more of them as NVML does.

What both tell, the files do: so a capture says the same of it whether or not NVML can be asked.
"""

from __future__ import annotations

import os
import re
from typing import Any, Final, cast

from capsulestore.capture.finding import Finding
from capsulestore.capture.host.kernel import fields, file_text, told
from capsulestore.capture.layer import Runtime
from capsulestore.model.canonical import Json

__all__ = ["read_gpus"]

_VERSION: Final = "proc/driver/nvidia/version"
_GPUS: Final = "proc/driver/nvidia/gpus"
_DRIVER: Final = r"Kernel Module\b.*?\s(\d+(?:\.\d+)+)\s"
_MAX_GPUS: Final = 256


def read_gpus(root: str, runtime: Runtime) -> tuple[dict[str, Json], tuple[Finding, ...]]:
    """Return `driver`, `models`, one for each GPU of the machine (a container may see fewer), and what NVML adds.

    That is `cuda`, the version of CUDA that the driver has, and `memory_gib` by model. NVML is asked where a driver
    tells of itself in /proc and nvidia-ml-py is installed with us, and only of the machine that this runs on.
    """
    version = file_text(root, _VERSION)
    if not version:
        return {}, ()
    driver = re.search(_DRIVER, version)
    said = told(driver=driver and driver[1], models=_models(root))
    if os.path.normpath(root) != "/":
        return said, ()

    def compute() -> Json:
        from capsulestore.capture.host.nvml import ask  # noqa: PLC0415  (it takes much to import)

        return ask()

    # Which of CUDA's libraries the driver finds is a matter of the search path, too.
    condition = "\0".join((version, runtime.environ.get("LD_LIBRARY_PATH", "")))
    answer = cast("dict[str, Any]", runtime.cache.recall(f"NVML, rules 1, {said}", compute, condition=condition))
    failure = answer.get("failure")
    if failure is None:
        return answer | said, ()
    message = f"does not answer ({failure}): the version of CUDA and the GPUs' memory are not known"
    return said, (Finding("host", "gpu-unreadable", "NVIDIA's driver", message),)


def _models(root: str) -> list[Json]:
    try:
        gpus = sorted(os.listdir(os.path.join(root, _GPUS)))[:_MAX_GPUS]
    except OSError:
        return []
    models = (fields(file_text(root, f"{_GPUS}/{gpu}/information")).get("Model") for gpu in gpus)
    return [*sorted(filter(None, models))]
