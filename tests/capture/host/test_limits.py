"""What control groups allow a process is read from where its kernel shows them, in every arrangement that there is."""

import pytest

ID = "66826257e096f3c9d04f17577dab7ef5d84078c88f18f646fd37050ec5b6b4f6"
POD = "kubepods/burstable/pod2015a4b3-74a5-4a5c-8c9f-6f2a8d3f1c11"

V2 = "35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
DISK = "29 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
V1 = "".join(
    f"{number} 31 0:{number} / /sys/fs/cgroup/{name} rw,nosuid,nodev - cgroup cgroup rw,{controllers}\n"
    for number, (name, controllers) in enumerate(
        {
            "cpu,cpuacct": "cpu,cpuacct",
            "memory": "memory",
            "cpuset": "cpuset",
            "systemd": "xattr,name=systemd",
        }.items(),
        start=32,
    )
)
UNIFIED = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
V1_PATHS = "12:cpuset:{0}\n7:cpu,cpuacct:{0}\n4:memory:{0}\n1:name=systemd:{0}\n"
INSIDE_V1 = V1.replace(" / /sys/fs/cgroup/", f" /docker/{ID} /sys/fs/cgroup/")
NONE_V1 = "9223372036854771712\n"


def group(path: str, **values: str) -> dict[str, str]:
    """Return the files of a group: `cpu_max="max 100000"` is `cpu.max`."""
    return {f"sys/fs/cgroup/{path}/{name.replace('_', '.', 1)}": f"{value}\n" for name, value in values.items()}


ARRANGEMENTS = {
    "version 2: a session of a user, whose slice is limited": (
        "0::/user.slice/user-1000.slice/session-2.scope\n",
        DISK + V2,
        group("user.slice/user-1000.slice/session-2.scope", cpu_max="max 100000", memory_max="max")
        | group("user.slice/user-1000.slice", cpu_max="150000 100000", memory_max="8589934592")
        | group("user.slice", cpu_max="max 100000", memory_max="17179869184"),
        {"cpus": 1.5, "memory_mib": 8192},
    ),
    "version 2: a container, which sees its own group as the root": (
        "0::/\n",
        DISK + V2,
        group("", cpu_max="50000 100000", memory_max="536870912", **{"cpuset_cpus.effective": "2-3"}),
        {"cpus": 0.5, "memory_mib": 512, "cpuset": 2},
    ),
    "version 2: nothing is limited": (
        "0::/user.slice/user-1000.slice/session-2.scope\n",
        DISK + V2,
        group("user.slice", cpu_max="max 100000", memory_max="max", **{"cpuset_cpus.effective": "0-7"}),
        None,
    ),
    "version 2: controllers that are switched on further up": (
        "0::/a/b/c\n",
        V2,
        group("a", cpu_max="200000 100000", **{"cpuset_cpus.effective": "0,4"}),
        {"cpus": 2, "cpuset": 2},
    ),
    "version 1: a container of docker, with its group mounted as the root": (
        V1_PATHS.format(f"/docker/{ID}"),
        DISK + INSIDE_V1,
        group("cpu,cpuacct", cpu_cfs_quota_us="25000", cpu_cfs_period_us="100000")
        | group("memory", memory_limit_in_bytes="1073741824")
        | group("cpuset", cpuset_cpus="0-3"),
        {"cpus": 0.25, "memory_mib": 1024, "cpuset": 4},
    ),
    "version 1: a pod of kubernetes, seen from its node": (
        V1_PATHS.format(f"/{POD}/{ID}"),
        DISK + V1,
        group(f"cpu,cpuacct/{POD}/{ID}", cpu_cfs_quota_us="-1", cpu_cfs_period_us="100000")
        | group(f"cpu,cpuacct/{POD}", cpu_cfs_quota_us="33333", cpu_cfs_period_us="100000")
        | group("cpu,cpuacct", cpu_cfs_quota_us="-1", cpu_cfs_period_us="100000")
        | group(f"memory/{POD}/{ID}", memory_limit_in_bytes="500000000")
        | group(f"memory/{POD}", memory_limit_in_bytes="600000000")
        | group("memory", memory_limit_in_bytes=NONE_V1)
        | group(f"cpuset/{POD}/{ID}", cpuset_cpus="")
        | group("cpuset", cpuset_cpus="0-7"),
        {"cpus": 0.333, "memory_mib": 476},
    ),
    "both: what is of version 1 is not looked for in version 2": (
        V1_PATHS.format("/system.slice/x.service") + "0::/system.slice/x.service\n",
        DISK + V1 + UNIFIED,
        group("cpu,cpuacct/system.slice/x.service", cpu_cfs_quota_us="400000", cpu_cfs_period_us="100000")
        | group("unified/system.slice/x.service", cpu_max="100000 100000", memory_max="1048576"),
        {"cpus": 4},
    ),
    "both: what is not of version 1 is of version 2": (
        "1:cpuset:/\n0::/x\n",
        V1 + UNIFIED,
        group("unified/x", cpu_max="100000 100000", memory_max="2097152") | group("cpuset", cpuset_cpus="0"),
        {"cpus": 1, "memory_mib": 2, "cpuset": 1},
    ),
    "a mount of another group is passed over": (
        "0::/docker/b\n",
        V2.replace(" / /sys/fs/cgroup ", " /docker/a /sys/fs/cgroup/x ") + V2,
        group("x", memory_max="1048576") | group("docker/b", memory_max="3145728"),
        {"memory_mib": 3},
    ),
    "of two mounts the one that shows more": (
        "0::/docker/b\n",
        V2.replace(" / /sys/fs/cgroup ", " /docker/b /sys/fs/cgroup/x ") + V2,
        group("x", memory_max="4194304") | group("docker", memory_max="1048576"),
        {"memory_mib": 1},
    ),
    "a group whose name begins as another's": (
        "0::/docker/bc\n",
        V2.replace(" / /sys/fs/cgroup ", " /docker/b /sys/fs/cgroup/x "),
        group("x", memory_max="1048576"),
        None,
    ),
    "names with blanks and colons in them": (
        "0::/a b/c:d\n",
        V2.replace("/sys/fs/cgroup ", "/sys/fs/cgroup/my\\040groups "),
        group("my groups/a b/c:d", memory_max="1048576"),
        {"memory_mib": 1},
    ),
    "a process that was moved out of what its namespace shows": (
        "0::/../../user.slice\n",
        V2,
        group("", memory_max="1048576") | group("user.slice", memory_max="1048576"),
        None,
    ),
    "control groups that are not mounted": ("0::/\n", DISK, group("", memory_max="1048576"), None),
    "a kernel without control groups": ("", DISK, {}, None),
}


@pytest.mark.parametrize(("groups", "mounts", "files", "limits"), ARRANGEMENTS.values(), ids=ARRANGEMENTS)
def test_the_smallest_limit_from_the_processs_group_up_to_the_root_holds(groups, mounts, files, limits, machine):
    processors = {"sys/devices/system/cpu/online": "0-7\n"}
    told = machine({"proc/self/cgroup": groups, "proc/self/mountinfo": mounts, **processors, **files})
    assert told.get("limits") == limits


VALUES = {
    "half of a processor": ({"cpu_max": "50000 100000"}, {"cpus": 0.5}),
    "a quota that is no round number": ({"cpu_max": "123456 100000"}, {"cpus": 1.234}),
    "the least that a kernel takes": ({"cpu_max": "1000 1000000"}, {"cpus": 0.001}),
    "no quota": ({"cpu_max": "max 100000"}, None),
    "no period": ({"cpu_max": "50000"}, None),
    "a period of nothing": ({"cpu_max": "50000 0"}, None),
    "a negative quota": ({"cpu_max": "-1 100000"}, None),
    "no limit of memory": ({"memory_max": "max"}, None),
    "the greatest number of 64 bits": ({"memory_max": "18446744073709551615"}, None),
    "the greatest number of whole pages of 64 KiB": ({"memory_max": "9223372036854710272"}, None),
    "a number that no machine holds": ({"memory_max": "9" * 5000}, None),
    "digits of another script": ({"memory_max": "١٢٣٤٥٦٧٨"}, None),
    "a tebibyte": ({"memory_max": "1099511627776"}, {"memory_mib": 1048576}),
    "less than a mebibyte": ({"memory_max": "4096"}, None),
    "all processors": ({"cpuset_cpus.effective": "0-7"}, None),
    "more processors than are online": ({"cpuset_cpus.effective": "0-63"}, None),
    "some processors": ({"cpuset_cpus.effective": "0-2,5"}, {"cpuset": 4}),
    "no processors": ({"cpuset_cpus.effective": ""}, None),
    "nonsense": ({"cpu_max": "a b c", "memory_max": "\0", "cpuset_cpus.effective": "1-a"}, None),
    "nothing": ({"cpu_max": "", "memory_max": ""}, None),
}


@pytest.mark.parametrize(("values", "limits"), VALUES.values(), ids=VALUES)
def test_a_limit_is_told_in_processors_and_mebibytes(values, limits, machine):
    base = {"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": V2, "sys/devices/system/cpu/online": "0-7\n"}
    assert machine({**base, **group("a", **values)}).get("limits") == limits


def test_a_cpuset_is_not_told_where_it_is_not_known_how_many_processors_there_are(machine):
    files = {"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": V2}
    assert "limits" not in machine({**files, **group("a", **{"cpuset_cpus.effective": "0"})})
