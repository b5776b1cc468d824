"""The machine is told by what changes with hardware and drivers, from files of the kernel as they really look."""

import os
import platform

import pytest

from capsulestore.capture.host import HostLayer

X86 = "".join(
    f"processor\t: {number}\nvendor_id\t: AuthenticAMD\ncpu family\t: 23\nmodel\t\t: 49\n"
    f"model name\t: AMD EPYC  7742 64-Core Processor\ncpu MHz\t\t: {2250 + number}.000\nflags\t\t: {'flag ' * 300}\n\n"
    for number in range(256)
)
ARM = "processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\nSerial\t: 0123\n"
POWER = "processor\t: 0\ncpu\t\t: POWER9, altivec supported\nclock\t\t: 2300.000000MHz\nmachine\t\t: PowerNV 8335\n"


def test_this_machine_is_told_as_its_kernel_tells_it(runtime):
    told = HostLayer().capture(runtime, 1).context
    assert told["kernel"] == {"name": os.uname().sysname, "release": os.uname().release}
    assert told["cpu"]["architecture"] == platform.machine()
    assert told["cpu"]["logical"] == os.sysconf("SC_NPROCESSORS_ONLN")
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    assert 0 <= told["memory"]["gib"] - total < 1
    assert ("gpu" in told) == os.path.exists("/proc/driver/nvidia/version")


def test_a_machine_with_nothing_to_read_is_told_by_its_architecture_alone(machine):
    assert machine({}) == {"rules": 1, "cpu": {"architecture": "x86_64"}}


MODELS = {
    "x86": (X86, "AMD EPYC 7742 64-Core Processor"),
    "ARM": (ARM, "implementer 0x41 part 0xd0c"),
    "POWER": (POWER, "POWER9, altivec supported"),
    "nothing known": ("processor\t: 0\n", None),
}


@pytest.mark.parametrize(("cpuinfo", "model"), MODELS.values(), ids=MODELS.keys())
def test_a_processor_is_told_by_its_name(cpuinfo, model, machine):
    assert machine({"proc/cpuinfo": cpuinfo})["cpu"].get("model") == model


COUNTS = {"0": 1, "0-1": 2, "0-3,8,10-11": 7, "": None, "nonsense": None, "0-": None, "5-2": None, "9" * 5000: None}


@pytest.mark.parametrize(("online", "count"), COUNTS.items(), ids=range(len(COUNTS)))
def test_processors_are_counted(online, count, machine):
    assert machine({"sys/devices/system/cpu/online": f"{online}\n"})["cpu"].get("logical") == count


MEMORY = {
    "MemTotal:       24684092 kB": 24,
    "MemTotal: 16777216 kB": 16,
    "MemTotal: 16777217 kB": 17,
    "MemFree: 1 kB": None,
    f"MemTotal: {'9' * 5000} kB": None,
}


@pytest.mark.parametrize(("line", "gib"), MEMORY.items(), ids=range(len(MEMORY)))
def test_memory_is_told_in_whole_gib(line, gib, machine):
    told = machine({"proc/meminfo": f"{line}\nMemAvailable:   24293544 kB\n"})
    assert told.get("memory") == (None if gib is None else {"gib": gib})


def test_bytes_that_are_not_utf_8_are_readable(machine):
    assert machine({"proc/cpuinfo": b"model name : caf\xe9\n"})["cpu"]["model"] == "caf\\xe9"
