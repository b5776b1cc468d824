"""The limits that are told are those that this machine's kernel really sets."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from capsulestore.capture.host import HostLayer

GROUPS = Path("/sys/fs/cgroup")
QUOTA, PERIOD, MEMORY = 150_000, 100_000, 2**29

CAPTURE = """
import json, os, sys
from capsulestore.capture.asking import ask
from capsulestore.capture.cache import NOTHING_KEPT
from capsulestore.capture.host import HostLayer
from capsulestore.capture.layer import Runtime
limits = HostLayer().capture(Runtime(ask(sys.executable, environ={}), {}, NOTHING_KEPT), 1).context.get("limits")
print(json.dumps([limits, len(os.sched_getaffinity(0))]))
"""


@pytest.fixture
def limited_group() -> Iterator[list[Path]]:
    """A control group, as a directory for each controller, whose parent is limited in time, memory and processors."""
    versions = [GROUPS / controller for controller in ("cpu", "memory", "cpuset")]
    hierarchies = versions if all(path.is_dir() for path in versions) else [GROUPS]
    parents = [path / f"capsulestore-test-{os.getpid()}" for path in hierarchies]
    made: list[Path] = []
    try:
        try:
            for parent in parents:
                parent.mkdir()
                made.append(parent)
            if len(parents) == 1:
                (parents[0] / "cpu.max").write_text(f"{QUOTA} {PERIOD}")
                (parents[0] / "memory.max").write_text(str(MEMORY))
                (parents[0] / "cpuset.cpus").write_text("0")
            else:
                (parents[0] / "cpu.cfs_quota_us").write_text(str(QUOTA))
                (parents[1] / "memory.limit_in_bytes").write_text(str(MEMORY))
            for parent in parents:
                (parent / "inner").mkdir()
                made.append(parent / "inner")
            for group in [made[2], made[5]] if len(parents) == 3 else []:
                (group / "cpuset.cpus").write_text("0")
                (group / "cpuset.mems").write_text("0")
        except OSError as error:
            pytest.skip(f"no control groups can be made here: {error}")
        yield [parent / "inner" for parent in parents]
    finally:
        for path in reversed(made):
            path.rmdir()


def test_what_a_kernel_limits_is_told(limited_group):
    enter = "".join(f"echo $$ > '{group}/cgroup.procs'\n" for group in limited_group)
    command = ["sh", "-ec", f'{enter}exec "$@"', "sh", sys.executable, "-c", CAPTURE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    limits, allowed = json.loads(done.stdout)
    assert limits.pop("cpuset", os.cpu_count()) == allowed == 1
    assert limits == {"cpus": QUOTA / PERIOD, "memory_mib": MEMORY // 2**20}


def test_this_process_may_run_on_as_many_processors_as_are_told(runtime):
    told = HostLayer().capture(runtime, 1).context
    cpuset = told.get("limits", {}).get("cpuset", told["cpu"]["logical"])
    # A process may be bound to fewer than its group has, by `taskset`.
    assert len(os.sched_getaffinity(0)) <= cpuset <= told["cpu"]["logical"]
