"""GPUs are told by model, memory and driver, and never by which they are."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from capsulestore.capture.host import HostLayer
from capsulestore.capture.host.nvml import ask, cuda_version, memory_by_model
from capsulestore.capture.watch import watching

DRIVER = Path("/proc/driver/nvidia/version")

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


@pytest.mark.parametrize(("version", "driver"), [(PROPRIETARY, "550.54.14"), (OPEN, "580.95.05"), ("nonsense", None)])
def test_a_driver_is_told_by_its_version(version, driver, machine):
    told = machine({"proc/driver/nvidia/version": version})
    assert told.get("gpu") == (None if driver is None else {"driver": driver})


def test_gpus_are_told_by_model_and_not_by_which_they_are(machine):
    models = {"0000:07:00.0": "NVIDIA H100 80GB HBM3", "0000:06:00.0": "NVIDIA H100 80GB HBM3", "0000:08:00.0": "A100"}
    files = {
        f"proc/driver/nvidia/gpus/{bus}/information": INFORMATION.format(model=model) for bus, model in models.items()
    }
    assert machine({**files, "proc/driver/nvidia/version": PROPRIETARY})["gpu"] == {
        "driver": "550.54.14",
        "models": ["A100", "NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3"],
    }


def test_a_machine_without_a_driver_has_no_gpus_and_nothing_is_kept_of_that():
    if DRIVER.exists():
        pytest.skip("this machine's hardware has an NVIDIA driver")
    with watching() as watched:
        assert ask() == {}
    assert "" in watched


def test_i9_a_module_of_that_name_which_is_the_targets_is_not_imported(tmp_path):
    (tmp_path / "pynvml.py").write_text("raise SystemExit('imported')\n")
    program = "from capsulestore.capture.host.nvml import ask; print(ask())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("{}\n", "")


@pytest.mark.parametrize(("number", "version"), [(12040, "12.4"), (13000, "13.0"), (9020, "9.2"), (11080, "11.8")])
def test_a_version_of_cuda_is_told_as_people_write_it(number, version):
    assert cuda_version(number) == version


MEMORY = {
    "what a driver keeps to itself is left in": ([("H100", 85_520_809_984), ("H100", 85_899_345_920)], {"H100": 80}),
    "two models": ([("T4", 16_106_127_360), ("A100", 42_949_672_961)], {"T4": 15, "A100": 41}),
    "of one name what all of them have": ([("RTX 3060", 12 * 2**30), ("RTX 3060", 8 * 2**30)], {"RTX 3060": 8}),
    "one that shares the machine's": ([("GB10", None), ("T4", 15 * 2**30)], {"T4": 15}),
    "none": ([], {}),
}


@pytest.mark.parametrize(("gpus", "told"), MEMORY.values(), ids=MEMORY)
def test_memory_of_gpus_is_told_in_whole_gib_by_model(gpus, told):
    assert memory_by_model(gpus) == told


def test_this_machines_gpus_are_told(runtime):
    if not DRIVER.exists():
        pytest.skip("this machine has no NVIDIA hardware")
    gpu = HostLayer().capture(runtime, 1).context["gpu"]
    assert re.fullmatch(r"\d+(\.\d+)+", gpu["driver"])
    assert gpu["driver"] in DRIVER.read_text()
    assert len(gpu["models"]) == len(list(Path("/proc/driver/nvidia/gpus").iterdir()))
    if not shutil.which("nvidia-smi"):
        pytest.skip("this machine's NVIDIA hardware has no nvidia-smi to compare with")
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    rows = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {row.rpartition(", ")[0] for row in rows} == {*gpu["memory_gib"]} <= {*gpu["models"]}
    for name, _, mebibytes in (row.rpartition(", ") for row in rows):
        assert 0 <= gpu["memory_gib"][name] - int(mebibytes) / 1024 < 1
    overview = subprocess.run(["nvidia-smi"], capture_output=True, text=True, check=True).stdout
    assert f" {gpu['cuda']} " in overview
