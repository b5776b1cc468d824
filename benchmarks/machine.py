"""The machine in words: what a figure depends on, and nothing that tells this machine from another of its kind."""

from __future__ import annotations

import os
import platform
import re
import subprocess

__all__ = ["described"]


def described(python: str) -> str:
    """Return a sentence about the processor, the memory, the kernel and the target's interpreter."""
    version = subprocess.run([python, "-VV"], capture_output=True, text=True, check=True).stdout.split()[1]
    gibibytes = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)
    cores = len(os.sched_getaffinity(0))
    return (
        f"{_processor()}, {cores} {'core' if cores == 1 else 'cores'}, {gibibytes} GiB of memory, "
        f"{platform.system()} {platform.release()}, CPython {version}"
    )


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        model = re.search(r"^model name\s*:\s*(.+)$", file.read(), re.MULTILINE)
    return model[1].strip() if model else platform.machine()
