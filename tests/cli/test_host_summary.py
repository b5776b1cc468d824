"""The machine of a capsule in one line, whatever of it is told."""

import pytest

from capsulestore_cli.context_text import context_summary

LAYERS = {
    "all that a machine can tell": (
        {
            "kernel": {"name": "Linux", "release": "6.8.0"},
            "cpu": {"model": "AMD EPYC 9654", "level": "x86_64_v4", "architecture": "x86_64", "logical": 192},
            "memory": {"gib": 755},
            "limits": {"cpus": 1.5, "cpuset": 4, "memory_mib": 512},
            "gpu": {
                "driver": "550.54.14",
                "cuda": "12.4",
                "models": ["A100", "H100", "H100"],
                "memory_gib": {"A100": 40, "H100": 80},
            },
        },
        "Linux 6.8.0, AMD EPYC 9654 x86_64_v4, 192 processors, 755 GiB, "
        "limited to 1.5 CPUs and a cpuset of 4 and 512 MiB, A100, 2 H100, GPU driver 550.54.14, CUDA 12.4",
    ),
    "a processor whose level is not known": ({"cpu": {"model": "POWER9", "logical": 2}}, "POWER9, 2 processors"),
    "a level alone": ({"cpu": {"level": "armv8.2a"}}, "armv8.2a"),
    "one limit": ({"limits": {"memory_mib": 476}}, "limited to 476 MiB"),
    "what an older release recorded": (
        {"kernel": {"name": "Linux", "release": "6.8.0"}, "cpu": {"model": "EPYC", "logical": 2}},
        "Linux 6.8.0, EPYC, 2 processors",
    ),
    "what is no such layer": ({"gpu": {"models": 5, "cuda": [1]}, "limits": "none", "cpu": []}, "CUDA [1]"),
}


@pytest.mark.parametrize(("layer", "line"), LAYERS.values(), ids=LAYERS)
def test_a_machine_is_told_in_one_line(layer, line):
    assert context_summary("host", {"rules": 1, **layer}) == line
