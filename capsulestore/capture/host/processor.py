"""The processor: which it is, how many there are, and the level of its instructions."""

from __future__ import annotations

from collections.abc import Mapping

from capsulestore.capture.cache import Cache
from capsulestore.capture.host.kernel import count, fields, file_text, first_line, told
from capsulestore.capture.layer import Runtime
from capsulestore.model.canonical import Json

__all__ = ["read_processor"]


def read_processor(root: str, runtime: Runtime) -> dict[str, Json]:
    """Return `model`, `level` (`x86_64_v3`), `architecture` and `logical`, the number of processors that are online."""
    machine = runtime.interpreter.machine
    cpu = fields(file_text(root, "proc/cpuinfo"))
    model = _model(cpu)
    return told(
        model=model,
        level=_level(machine, model, cpu, runtime.cache),
        architecture=machine,
        logical=count(first_line(root, "sys/devices/system/cpu/online")),
    )


def _model(cpu: Mapping[str, str]) -> str | None:
    """Return the processor's name: x86 says it, others have other words for it, ARM says numbers (Arm's MIDR)."""
    for name in ("model name", "cpu model", "cpu", "uarch"):
        if cpu.get(name):
            return cpu[name]
    implementer, part = cpu.get("CPU implementer"), cpu.get("CPU part")
    return f"implementer {implementer} part {part}" if implementer and part else None


def _level(machine: str, model: str | None, cpu: Mapping[str, str], cache: Cache) -> Json:
    features = cpu.get("flags") or cpu.get("Features") or ""
    if not (model or features):
        return None
    implementer, part = cpu.get("CPU implementer", ""), cpu.get("CPU part", "")

    def compute() -> Json:
        from capsulestore.capture.host.level import level  # noqa: PLC0415  (it takes much to import)

        return level(machine, features=features, implementer=implementer, part=part)

    # Machines that share a home directory each have what is kept of their own kind.
    name = f"level of a processor, rules 1, {machine}, {model}"
    return cache.recall(name, compute, condition="\0".join((features, implementer, part)))
