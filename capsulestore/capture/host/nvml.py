"""What NVIDIA's management library says of driver and GPUs, asked by nvidia-ml-py (the extra `gpu`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

import orjson

from capsulestore.capture.watch import noticed, noticed_more_than_files
from capsulestore.model.canonical import Json

__all__ = ["ask", "cuda_version", "memory_by_model"]

_NOT_SUPPORTED, _NO_PERMISSION, _DRIVER_NOT_LOADED, _LIBRARY_NOT_FOUND = 3, 4, 9, 12
"""nvmlReturn_t."""

_NO_GPU_HERE: Final = frozenset({_NO_PERMISSION, _DRIVER_NOT_LOADED, _LIBRARY_NOT_FOUND})
"""What it says in a container or a batch job that was given none of the machine's GPUs."""

_GIB: Final = 2**30


def ask() -> dict[str, Json]:
    """Return `driver`, `models`, `cuda` and `memory_gib`; nothing where there is no nvidia-ml-py or no GPU to use.

    Of any other failure, `failure` is what NVML calls it. Only an answer is ever kept.
    """
    nvml = _nvidia_ml_py()
    if nvml is None:
        noticed_more_than_files()
        return {}
    noticed(nvml.__file__)
    try:
        nvml.nvmlInit()
        try:
            return _answer(nvml)
        finally:
            with suppress(nvml.NVMLError):
                nvml.nvmlShutdown()
    except Exception as error:
        # A driver and a library of others: beside NVMLError it raises what its bindings trip over.
        noticed_more_than_files()
        return {} if getattr(error, "value", None) in _NO_GPU_HERE else {"failure": str(error).rstrip(".")}


def cuda_version(number: int) -> str:
    """Return the version of CUDA that NVML gives as a number: 12040 is 12.4."""
    return f"{number // 1000}.{number % 1000 // 10}"


def memory_by_model(gpus: Iterable[tuple[str, int | None]]) -> dict[str, Json]:
    """Return the memory of GPUs by model, in GiB, from that of each in bytes, where it has its own.

    What a driver keeps to itself differs from one to the next: it is the next whole GiB. Where GPUs of one name have
    not the same, it is what all of them have.
    """
    found: dict[str, int] = {}
    for model, size in gpus:
        if size:
            gib = -(-size // _GIB)
            found[model] = min(gib, found.get(model, gib))
    return {**found}


def _nvidia_ml_py() -> Any:
    """Return the module where it is installed beside what we need, None elsewhere: there it is the target's (I9)."""
    from importlib.util import find_spec  # noqa: PLC0415  (seldom)

    try:
        spec = find_spec("pynvml")
        ours = os.path.dirname(os.path.dirname(orjson.__file__))
        if spec is None or spec.origin is None or os.path.dirname(spec.origin) != ours:
            return None
        import pynvml  # type: ignore[import-untyped]  # noqa: PLC0415  (it takes much to import)
    except (ImportError, ValueError):
        return None
    return pynvml


def _answer(nvml: Any) -> dict[str, Json]:
    gpus = list(_gpus(nvml))
    memory = memory_by_model(gpus)
    models: list[Json] = [*sorted(model for model, _ in gpus)]
    said: dict[str, Json] = {
        "driver": nvml.nvmlSystemGetDriverVersion(),
        "cuda": cuda_version(nvml.nvmlSystemGetCudaDriverVersion()),
    }
    return said | ({"models": models} if models else {}) | ({"memory_gib": memory} if memory else {})


def _gpus(nvml: Any) -> Iterator[tuple[str, int | None]]:
    """Yield each GPU's model and bytes of memory: None of one that shares the machine's, or does not tell."""
    for index in range(nvml.nvmlDeviceGetCount()):
        gpu = nvml.nvmlDeviceGetHandleByIndex(index)
        try:
            size = nvml.nvmlDeviceGetMemoryInfo(gpu).total
        except nvml.NVMLError as error:
            if error.value != _NOT_SUPPORTED:
                raise
            size = None
        yield nvml.nvmlDeviceGetName(gpu), size
