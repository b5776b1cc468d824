"""Whatever the files of a kernel hold, capture ends with something that can be recorded."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capsulestore.capture.host import HostLayer
from capsulestore.model.mapping import decode_mapping, encode_mapping

FILES = (
    "proc/cpuinfo",
    "proc/meminfo",
    "proc/self/cgroup",
    "proc/self/mountinfo",
    "proc/driver/nvidia/version",
    "proc/driver/nvidia/gpus/0000:01:00.0/information",
    "sys/devices/system/cpu/online",
    "sys/fs/cgroup/cpu.max",
    "sys/fs/cgroup/memory.max",
    "sys/fs/cgroup/cpuset.cpus.effective",
    "sys/fs/cgroup/cpu.cfs_quota_us",
    "sys/fs/cgroup/cpu.cfs_period_us",
    "sys/fs/cgroup/memory.limit_in_bytes",
    "sys/fs/cgroup/cpuset.cpus",
)

WORDS = st.sampled_from(
    [
        *(
            b"35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            b"0::/",
            b"4:memory:/a",
            b" - cgroup cgroup rw,cpu",
        ),
        *(b"\0", b"\n", b" ", b":", b"/", b"..", b"\\040", b"\xff", b"max", b"-1", b"0-", b"99999999999999999999999"),
        *(b"flags : ssse3", b"CPU implementer : 0x41", b"CPU part :", b"model name : x", b"MemTotal: 1 kB"),
        *(b"NVRM version: Kernel Module 1.2 ", b"Model: x", b"100000 0", b"150000 100000", b"0-7,9"),
    ]
)
CONTENTS = st.one_of(st.binary(max_size=60), st.lists(WORDS, max_size=12).map(b"".join))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.dictionaries(st.sampled_from(FILES), CONTENTS), machine=st.sampled_from(["x86_64", "aarch64"]))
def test_any_bytes_in_these_files_are_no_failure(files, machine, runtime):
    with tempfile.TemporaryDirectory() as root:
        for path, content in files.items():
            Path(root, path).parent.mkdir(parents=True, exist_ok=True)
            Path(root, path).write_bytes(content)
        interpreter = runtime.interpreter._replace(machine=machine)
        captured = HostLayer(root).capture(runtime._replace(interpreter=interpreter), 1)
    assert captured.findings == ()
    encoded = encode_mapping({"host": captured.context})
    assert decode_mapping(encoded.id, encoded.objects.__getitem__) == {"host": captured.context}
    assert all(collection for collection in captured.context.values())
