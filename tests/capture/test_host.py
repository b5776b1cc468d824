"""The machine is told by what changes with hardware and drivers, from files of the kernel as they really look."""

import os
import platform
import re
from pathlib import Path

import pytest

from capsulestore.capture.host import HostLayer

X86 = "".join(
    f"processor\t: {number}\nvendor_id\t: AuthenticAMD\ncpu family\t: 23\nmodel\t\t: 49\n"
    f"model name\t: AMD EPYC  7742 64-Core Processor\ncpu MHz\t\t: {2250 + number}.000\nflags\t\t: {'flag ' * 300}\n\n"
    for number in range(256)
)
ARM = "processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\nSerial\t: 0123\n"
POWER = "processor\t: 0\ncpu\t\t: POWER9, altivec supported\nclock\t\t: 2300.000000MHz\nmachine\t\t: PowerNV 8335\n"

PROPRIETARY = """\
NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024
GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)
"""
OPEN = """\
NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (builder@build-7.1.2)  Tue Sep 23
GCC version:  gcc version 11.4.0 (Ubuntu 11.4.0-1ubuntu1~22.04.2)
"""
INFORMATION = """\
Model: \t\t {model}
IRQ:   \t\t 187
GPU UUID: \t GPU-8932f937-d72c-4106-c12f-20bd9faed9f6
Video BIOS: \t 96.00.74.00.01
Bus Type: \t PCIe
Device Minor: \t 0
GPU Excluded:\t No
"""


@pytest.fixture
def machine(tmp_path, runtime):
    """Capture a machine that has these files."""

    def capture(**files: str) -> dict:
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        captured = HostLayer(str(tmp_path)).capture(runtime, 1)
        assert captured.findings == ()
        return captured.context

    return capture


def test_this_machine_is_told_as_its_kernel_tells_it(runtime):
    told = HostLayer().capture(runtime, 1).context
    assert told["kernel"] == {"name": os.uname().sysname, "release": os.uname().release}
    assert told["cpu"]["architecture"] == platform.machine()
    assert told["cpu"]["logical"] == os.sysconf("SC_NPROCESSORS_ONLN")
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    assert 0 <= told["memory"]["gib"] - total < 1


def test_a_machine_with_nothing_to_read_is_told_by_its_architecture_alone(machine, runtime):
    assert machine() == {"rules": 1, "cpu": {"architecture": runtime.interpreter.machine}}


MODELS = {
    "x86": (X86, "AMD EPYC 7742 64-Core Processor"),
    "ARM": (ARM, "implementer 0x41 part 0xd0c"),
    "POWER": (POWER, "POWER9, altivec supported"),
    "nothing known": ("processor\t: 0\n", None),
}


@pytest.mark.parametrize(("cpuinfo", "model"), MODELS.values(), ids=MODELS.keys())
def test_a_processor_is_told_by_its_name(cpuinfo, model, machine):
    assert machine(**{"proc/cpuinfo": cpuinfo})["cpu"].get("model") == model


COUNTS = {"0": 1, "0-1": 2, "0-3,8,10-11": 7, "": None, "nonsense": None, "0-": None, "5-2": None, "9" * 5000: None}


@pytest.mark.parametrize(("online", "count"), COUNTS.items(), ids=range(len(COUNTS)))
def test_processors_are_counted(online, count, machine):
    assert machine(**{"sys/devices/system/cpu/online": f"{online}\n"})["cpu"].get("logical") == count


MEMORY = {
    "MemTotal:       24684092 kB": 24,
    "MemTotal: 16777216 kB": 16,
    "MemTotal: 16777217 kB": 17,
    "MemFree: 1 kB": None,
    f"MemTotal: {'9' * 5000} kB": None,
}


@pytest.mark.parametrize(("line", "gib"), MEMORY.items(), ids=range(len(MEMORY)))
def test_memory_is_told_in_whole_gib(line, gib, machine):
    told = machine(**{"proc/meminfo": f"{line}\nMemAvailable:   24293544 kB\n"})
    assert told.get("memory") == (None if gib is None else {"gib": gib})


@pytest.mark.parametrize(("version", "driver"), [(PROPRIETARY, "550.54.14"), (OPEN, "580.95.05"), ("nonsense", None)])
def test_a_driver_is_told_by_its_version(version, driver, machine):
    told = machine(**{"proc/driver/nvidia/version": version})
    assert told.get("gpu") == (None if driver is None else {"driver": driver})


def test_gpus_are_told_by_model_and_not_by_which_they_are(machine):
    models = {"0000:07:00.0": "NVIDIA H100 80GB HBM3", "0000:06:00.0": "NVIDIA H100 80GB HBM3", "0000:08:00.0": "A100"}
    files = {
        f"proc/driver/nvidia/gpus/{bus}/information": INFORMATION.format(model=model) for bus, model in models.items()
    }
    assert machine(**files, **{"proc/driver/nvidia/version": PROPRIETARY})["gpu"] == {
        "driver": "550.54.14",
        "models": ["A100", "NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3"],
    }


def test_this_machines_gpus_are_told(runtime):
    version = Path("/proc/driver/nvidia/version")
    if not version.exists():
        pytest.skip("this machine has no NVIDIA hardware")
    gpu = HostLayer().capture(runtime, 1).context["gpu"]
    assert re.fullmatch(r"\d+(\.\d+)+", gpu["driver"])
    assert gpu["driver"] in version.read_text()
    assert len(gpu["models"]) == len(list(Path("/proc/driver/nvidia/gpus").iterdir()))


def test_bytes_that_are_not_utf_8_are_readable(tmp_path, runtime):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_bytes(b"model name : caf\xe9\n")
    assert HostLayer(str(tmp_path)).capture(runtime, 1).context["cpu"]["model"] == "caf\\xe9"
