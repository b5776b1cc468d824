"""Differences of the machine in the words that people have for them."""

import pytest

from capsulestore.compare.context import in_words

PHRASES = {
    "the level of the processor": ("cpu", "level", "x86_64_v4", "x86_64_v3", "CPU level x86_64_v4 → x86_64_v3"),
    "the version of CUDA": ("gpu", "cuda", "12.4", "13.0", "CUDA 12.4 → 13.0"),
    "the memory of GPUs": (
        "gpu",
        "memory_gib",
        {"H100": 80},
        {"H100": 94},
        'GPU memory in GiB {"H100":80} → {"H100":94}',
    ),
    "a quota": ("limits", "cpus", 0.5, 4, "CPU limit 0.5 → 4"),
    "a limit of memory": ("limits", "memory_mib", 512, 1024, "memory limit in MiB 512 → 1024"),
    "a cpuset": ("limits", "cpuset", 2, 1, "CPUs of the cpuset 2 → 1"),
}


@pytest.mark.parametrize(("collection", "entry", "a", "b", "phrase"), PHRASES.values(), ids=PHRASES)
def test_a_difference_of_the_machine_in_words(collection, entry, a, b, phrase, between):
    changes = between({"host": {collection: {entry: a}}}, {"host": {collection: {entry: b}}})
    assert in_words(changes) == (phrase,)


def test_a_limit_that_is_set_now_is_told_as_one(between):
    changes = between({"host": {"limits": {"cpuset": 2}}}, {"host": {"limits": {"cpuset": 2, "cpus": 1.5}}})
    assert in_words(changes) == ("CPU limit ∅ → 1.5",)
