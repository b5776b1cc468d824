"""The level of a processor's instructions is what archspec calls it, concluded from the machine's own files alone."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import archspec
import pytest
from archspec.cpu import TARGETS, host

from capsulestore.capture.cache import Cache
from capsulestore.capture.host import HostLayer

TEXTS = Path(archspec.__file__).parent / "json" / "tests" / "targets"
"""What /proc/cpuinfo of many processors says, named after them: `linux-rhel7-haswell`."""

KNOWN = {path.name: path.name.rpartition("-")[2] for path in sorted(TEXTS.glob("linux-*"))}

LEVELS = {
    "linux-scientific7-k10": "x86_64",
    "linux-scientific7-piledriver": "x86_64_v2",
    "linux-rhel7-ivybridge": "x86_64_v2",
    "linux-rhel7-haswell": "x86_64_v3",
    "linux-rhel7-x86_64_v3": "x86_64_v3",
    "linux-ubuntu20.04-zen3": "x86_64_v3",
    "linux-rhel7-skylake_avx512": "x86_64_v4",
    "linux-rocky9-zen5": "x86_64_v4",
    "linux-amazon-cortex_a72": "aarch64",
    "linux-amazon-neoverse_n1": "armv8.2a",
    "linux-asahi-m1": "armv8.4a",
    "linux-rhel9-neoverse_v2": "armv9.0a",
    "linux-rhel8-power9": "ppc64",
    "linux-centos7-power8le": "ppc64le",
    "linux-sifive-u74mc": "riscv64",
}

CAPTURE = """
import sys
from capsulestore.capture.asking import ask
from capsulestore.capture.cache import Cache
from capsulestore.capture.host import HostLayer
from capsulestore.capture.layer import Runtime
runtime = Runtime(ask(sys.executable, environ={}), {}, Cache(sys.argv[1]))
print(HostLayer().capture(runtime, 1).context["cpu"].get("level"), "archspec.cpu" in sys.modules)
"""


@pytest.mark.parametrize("text", LEVELS)
def test_a_processor_has_the_level_that_its_maker_says(text, machine):
    family = TARGETS[KNOWN[text]].family.name
    assert machine({"proc/cpuinfo": (TEXTS / text).read_bytes()}, family)["cpu"]["level"] == LEVELS[text]


def test_every_processor_that_archspec_is_tested_with_has_the_level_that_it_says(machine):
    assert {*LEVELS} < {*KNOWN}
    expected = {text: TARGETS[name].generic.name for text, name in KNOWN.items()}
    told = {
        text: machine({"proc/cpuinfo": (TEXTS / text).read_bytes()}, TARGETS[name].family.name)["cpu"]["level"]
        for text, name in KNOWN.items()
    }
    assert told == expected


def test_this_machine_has_the_level_that_archspec_and_the_loader_say(runtime):
    level = HostLayer().capture(runtime, 1).context["cpu"]["level"]
    said = subprocess.run([sys.executable, "-m", "archspec", "cpu"], capture_output=True, text=True, check=True)
    assert level == TARGETS[said.stdout.strip()].generic.name == host().generic.name
    loader = Path("/lib64/ld-linux-x86-64.so.2")
    if platform.machine() == "x86_64" and loader.exists():
        # glibc asks the processor itself; 2.33 and later say what it answers.
        said = subprocess.run([loader, "--help"], capture_output=True, text=True, check=False)
        supported = re.findall(r"^  (x86-64-v\d) \(supported", said.stdout, re.MULTILINE)
        assert not supported or level == max(supported).replace("-", "_")


HIDDEN = {
    "what a virtual machine hides is not there": ("AuthenticAMD", "sse4_2 popcnt avx avx2", "x86_64"),
    "nobody's flags": ("AuthenticAMD", "", "x86_64"),
    "somebody else's": (
        "of nobody that is known",
        "lm cx16 lahf_lm mmx sse sse2 ssse3 sse4_1 sse4_2 popcnt",
        "x86_64_v2",
    ),
}


@pytest.mark.parametrize(("vendor", "flags", "level"), HIDDEN.values(), ids=HIDDEN)
def test_a_level_is_what_a_processor_shows_that_it_can_do(vendor, flags, level, machine):
    text = f"vendor_id : {vendor}\nmodel name : AMD EPYC 9755 128-Core Processor\nflags : {flags}\n"
    assert machine({"proc/cpuinfo": text})["cpu"]["level"] == level


NEIGHBOURS = {
    "a part of Arm's that is new": ("0x41", "0xfff", "armv8.2a"),
    "somebody's who makes none that is known": ("0x7f", "0xd0c", "aarch64"),
}


@pytest.mark.parametrize(("implementer", "part", "level"), NEIGHBOURS.values(), ids=NEIGHBOURS)
def test_an_arm_that_is_not_known_has_the_level_of_what_it_can_do_of_its_maker(implementer, part, level, machine):
    text = (TEXTS / "linux-amazon-neoverse_n1").read_text()
    text = re.sub(r"(CPU implementer\s*: ).*", rf"\g<1>{implementer}", text)
    text = re.sub(r"(CPU part\s*: ).*", rf"\g<1>{part}", text)
    assert machine({"proc/cpuinfo": text}, "aarch64")["cpu"]["level"] == level


@pytest.mark.parametrize("architecture", ["s390x", "i686", "haswell", ""])
def test_a_machine_that_has_no_levels_is_told_without(architecture, machine):
    text = (TEXTS / "linux-rhel7-haswell").read_bytes()
    assert "level" not in machine({"proc/cpuinfo": text}, architecture)["cpu"]


@pytest.mark.slow
def test_an_archspec_that_fails_is_no_failure_and_is_not_remembered_and_what_it_says_is(tmp_path):
    def capture(**variables: str) -> list[str]:
        command = [sys.executable, "-c", CAPTURE, tmp_path / "cache"]
        environ = {**os.environ, **variables}
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout.split()

    level = host().generic.name
    assert capture(ARCHSPEC_CPU_DIR=str(tmp_path / "absent")) == ["None", "True"]
    assert capture() == [level, "True"]
    assert capture() == [level, "False"]


def test_a_level_is_kept_for_a_processor_and_not_for_another(tmp_path, runtime):
    cache = Cache(str(tmp_path / "cache"))
    levels = []
    for text in ("linux-rhel7-haswell", "linux-rhel7-skylake_avx512", "linux-rhel7-haswell"):
        (tmp_path / "proc").mkdir(exist_ok=True)
        # Of one name, as virtual machines are that show more or less of what they have.
        renamed = re.sub(r"model name.*", "model name : one", (TEXTS / text).read_text())
        (tmp_path / "proc" / "cpuinfo").write_text(renamed)
        interpreter = runtime.interpreter._replace(machine="x86_64")
        kept = runtime._replace(interpreter=interpreter, cache=cache)
        levels.append(HostLayer(str(tmp_path)).capture(kept, 1).context["cpu"]["level"])
    assert levels == ["x86_64_v3", "x86_64_v4", "x86_64_v3"]
