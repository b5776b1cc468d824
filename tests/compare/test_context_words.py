"""Differences of context in a few words, for people."""

import pytest

from capsulestore.compare.context import in_words


def dpkg(**versions):
    return {"system": {"packages": {"dpkg": versions}}}


def gpu(**facts):
    return {"host": {"gpu": facts}}


MANY = {f"lib{number}:amd64": "1.0" for number in range(12)}

PHRASES = {
    "nothing differs": (dpkg(a="1"), dpkg(a="1"), ()),
    "one OS package is named": (
        dpkg(**{"libc6:amd64": "2.36-9"}),
        dpkg(**{"libc6:amd64": "2.36-10"}),
        ("OS package libc6:amd64 2.36-9 → 2.36-10",),
    ),
    "two OS packages are named, one of them new, one gone": (
        dpkg(tzdata="2024a", zlib1g="1.2", same="1"),
        dpkg(tzdata="2024a", curl="7.88", same="1"),
        ("OS package curl ∅ → 7.88", "OS package zlib1g 1.2 → ∅"),
    ),
    "three OS packages are counted": (
        dpkg(a="1", b="1", c="1", d="1"),
        dpkg(a="2", b="2", c="2", d="1"),
        ("3 OS packages",),
    ),
    "twelve OS packages are counted, changed, new or gone": (
        dpkg(**MANY, gone="1"),
        dpkg(**dict.fromkeys(list(MANY)[:10], "1.1"), **dict(list(MANY.items())[10:]), new="1"),
        ("12 OS packages",),
    ),
    "a package manager that is another": (
        {"system": {"packages": {"dpkg": {"a": "1"}}}},
        {"system": {"packages": {"rpm": {"a": "1", "b": "1", "c": "1", "d": "1"}}}},
        ('OS packages of dpkg {"a":"1"} → ∅', "OS packages of rpm ∅ → 4 entries"),
    ),
    "the GPU's driver": (gpu(driver="550.54"), gpu(driver="560.35"), ("GPU driver 550.54 → 560.35",)),
    "a GPU's driver that is there now": ({"host": {"gpu": {}}}, gpu(driver="560"), ("GPU driver ∅ → 560",)),
    "the GPUs": (gpu(models=["A100"]), gpu(models=["H100"]), ('GPUs ["A100"] → ["H100"]',)),
    "the container's runtime": (
        {"container": {"rules": 1, "runtime": "docker"}},
        {"container": {"rules": 1, "runtime": "podman"}},
        ("container runtime docker → podman",),
    ),
    "the kernel": (
        {"host": {"kernel": {"release": "6.1.0"}}},
        {"host": {"kernel": {"release": "6.8.0"}}},
        ("kernel 6.1.0 → 6.8.0",),
    ),
    "the memory and the processor": (
        {"host": {"memory": {"gib": 16}, "cpu": {"model": "EPYC", "logical": 2}}},
        {"host": {"memory": {"gib": 32}, "cpu": {"model": "Xeon", "logical": 64}}},
        ("logical CPUs 2 → 64", "CPU EPYC → Xeon", "memory in GiB 16 → 32"),
    ),
    "the operating system and its C library": (
        {"system": {"os": {"id": "debian", "version_id": "12"}, "libc": {"version": "2.36"}}},
        {"system": {"os": {"id": "ubuntu", "version_id": "24.04"}, "libc": {"version": "2.39"}}},
        ("C library 2.36 → 2.39", "operating system debian → ubuntu", "version of the operating system 12 → 24.04"),
    ),
    "the runtime, with a standard library by the first digits of its digest": (
        {"system": {"runtime": {"openssl": "3.0", "standard_library": f"sha256:{'a' * 64}", "zlib": "1.2"}}},
        {"system": {"runtime": {"openssl": "3.5", "standard_library": f"sha256:{'b' * 64}", "zlib": "1.3"}}},
        ("TLS library 3.0 → 3.5", f"standard library {'a' * 12} → {'b' * 12}", "zlib 1.2 → 1.3"),
    ),
    "a variable": (
        {"variables": {"process": {"OMP_NUM_THREADS": "4"}}},
        {"variables": {"process": {"OMP_NUM_THREADS": "8"}}},
        ("OMP_NUM_THREADS 4 → 8",),
    ),
    "a variable that is set now, and one that is not any more": (
        {"variables": {"process": {"TZ": "UTC"}, "paths": {"PYTHONPATH": "/a"}}},
        {"variables": {"process": {"TZ": "UTC", "LANG": "C"}, "paths": {}}},
        ("PYTHONPATH /a → ∅", "LANG ∅ → C"),
    ),
    "a variable set to nothing": (
        {"variables": {"process": {"TZ": "UTC"}}},
        {"variables": {"process": {"TZ": ""}}},
        ('TZ UTC → ""',),
    ),
    "installers and sources": (
        {"python": {"installers": {"pip": {"version": "23"}}, "sources": {"x": {"url": "https://a"}}}},
        {"python": {"installers": {"pip": {"version": "24"}}, "sources": {"x": {"url": "https://b"}}}},
        ("pip 23 → 24", "where x came from"),
    ),
    "the rules of a layer": ({"host": {"rules": 1}}, {"host": {"rules": 2}}, ("host: rules 1 → 2",)),
    "an entry that is unknown": (
        {"host": {"cpu": {"cache": "8M"}}},
        {"host": {"cpu": {"cache": "9M"}}},
        ("host/cpu: cache 8M → 9M",),
    ),
    "a collection that is unknown": ({"host": {"tape": {"drive": "a"}}}, {"host": {}}, ("host/tape: drive a → ∅",)),
    "a layer that is unknown": ({"site": {"modules": {"gcc": "12"}}}, {}, ("site/modules: gcc 12 → ∅",)),
}


@pytest.mark.parametrize(("a", "b", "phrases"), PHRASES.values(), ids=PHRASES)
def test_a_difference_of_context_in_words(a, b, phrases, between):
    found = in_words(between(a, b))
    assert tuple(phrase for phrase in found if "(empty)" not in phrase) == phrases
