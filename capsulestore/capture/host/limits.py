"""What control groups allow this process: processor time, memory and processors.

Every group from the process's own up to the root may set a limit, and the smallest holds. In a container, one that is
set above the container's own group is not seen. Only limits, never what is used of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from capsulestore.capture.host.cgroups import ControlGroups, control_groups
from capsulestore.capture.host.kernel import count, first_line, number, told
from capsulestore.model.canonical import Json

__all__ = ["read_limits"]

_NO_LIMIT: Final = 2**62
"""Memory without a limit has the greatest number of whole pages, just below 2**63 bytes (version 1)."""

_MIB: Final = 2**20


def read_limits(root: str, processors: Json) -> dict[str, Json]:
    """Return `cpus`, the processors whose time it may use, `memory_mib`, and `cpuset`: how many it may run on.

    What has no limit, or cannot be seen, is left out; `cpuset` too where it is all the `processors` that there are.
    The kernel's cgroup-v2.rst, cgroup-v1/{cpusets,memory}.rst and scheduler/sched-bwc.rst say which file tells what.
    """
    groups = control_groups(root)
    thousandths = min(_quotas(root, groups), default=0)
    memory = min(_memory(root, groups), default=_NO_LIMIT)
    cpuset = _cpuset(root, groups)
    return told(
        cpus=thousandths / 1000 if thousandths % 1000 else thousandths // 1000,
        memory_mib=memory // _MIB if memory < _NO_LIMIT else None,
        cpuset=cpuset if isinstance(processors, int) and cpuset < processors else None,
    )


def _quotas(root: str, groups: ControlGroups) -> Iterator[int]:
    """Yield the limits of processor time, in thousandths of a processor: the quota is of time in each period."""
    version = groups.version("cpu")
    for directory in groups.directories("cpu"):
        if version == 1:
            quota = number(first_line(root, f"{directory}/cpu.cfs_quota_us"))
            # Most groups have none, which is -1.
            period = number(first_line(root, f"{directory}/cpu.cfs_period_us")) if quota else None
        else:
            quota, period = map(number, f"{first_line(root, f'{directory}/cpu.max')} ".split(" ")[:2])
        if quota and period:
            yield quota * 1000 // period


def _memory(root: str, groups: ControlGroups) -> Iterator[int]:
    file = "memory.limit_in_bytes" if groups.version("memory") == 1 else "memory.max"
    for directory in groups.directories("memory"):
        limit = number(first_line(root, f"{directory}/{file}"))
        if limit is not None:
            yield limit


def _cpuset(root: str, groups: ControlGroups) -> int:
    """Return how many processors the process's group has: no more than those above it, whose it has without its own."""
    file = "cpuset.cpus" if groups.version("cpuset") == 1 else "cpuset.cpus.effective"
    counts = (count(first_line(root, f"{directory}/{file}")) for directory in groups.directories("cpuset"))
    return next(filter(None, counts), 0)
