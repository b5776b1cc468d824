"""The level of a processor's instructions, in the words of archspec: `x86_64_v3`, `armv8.2a`.

The level is what programs are compiled for. The name of the very processor, which archspec has too, is wrong in virtual
machines, which hide some of what it can do.
"""

from __future__ import annotations

from typing import Any

from capsulestore.capture.watch import noticed, noticed_more_than_files

__all__ = ["level"]


def level(machine: str, *, features: str, implementer: str = "", part: str = "") -> str | None:
    """Return the greatest generic level that a processor has; None where archspec knows no such machine, or fails.

    `machine` as `uname -m` says it; the others are fields of /proc/cpuinfo: `flags` or `Features`, and ARM's
    `CPU implementer` and `CPU part`. Of a processor that archspec does not know it is that of the nearest of its maker,
    at least the family (`aarch64`). Nothing is asked of the processor that this runs on.
    """
    try:
        import archspec.cpu  # type: ignore[import-untyped]  # noqa: PLC0415  (it takes much to import)
        from archspec.cpu.schema import TARGETS_JSON  # type: ignore[import-untyped]  # noqa: PLC0415

        # Another release may know more processors.
        noticed(archspec.cpu.__file__)
        # To its targets it adds the machine that it runs on.
        family = TARGETS_JSON["microarchitectures"].get(machine)
        if family is None or family["from"]:
            return None
        makers: dict[str, str] = TARGETS_JSON["conversions"]["arm_vendors"]
        # x86 has levels by what a processor can do; ARM's go by which processor it is.
        maker = "generic" if machine == "x86_64" else makers.get(implementer, implementer)
        return _level(archspec.cpu.TARGETS, machine, maker, {*features.split()}, part)
    except Exception:
        # It is somebody else's, reads files of its own, and is not worth a capture.
        noticed_more_than_files()
        return None


def _level(targets: Any, family: str, maker: str, features: set[str], part: str) -> str:
    if "ssse3" in features:
        # The kernel calls it by its older name, `pni`.
        features.add("sse3")
    of_its_maker = [
        target
        for target in targets.values()
        if target.family.name == family and target.vendor == maker and target.features <= features
    ]
    same_part = [target for target in of_its_maker if part and target.cpu_part == part]
    nearest = max(
        same_part or of_its_maker,
        key=lambda target: (len(target.ancestors), len(target.features)),
        default=targets[family],
    )
    return str(nearest.generic.name)
