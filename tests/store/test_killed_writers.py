"""I3, I4: a writer that is killed with SIGKILL loses nothing that it acknowledged, breaks nothing, blocks nobody."""

from __future__ import annotations

import random
import signal
import subprocess

import pytest

from capsulestore.store import Store


@pytest.fixture
def assert_recovered(add, sound, whole, git, registered):
    """Assert that nothing acknowledged is lost, nothing is broken, and the next add works, with nobody's help."""

    def assert_recovered(store: Store, acknowledged: list[str]) -> None:
        # Each time a new handle: as the next command would find the store.
        with Store(store.path) as found:
            sound(found)
            for name in git(found.path, "for-each-ref", "--format=%(objectname)").split():
                git(found.path, "rev-list", "--objects", "--quiet", name)
            for digest in acknowledged:
                whole(found, digest)
            assert set(acknowledged) <= set(registered(found))
            recorded = add(found, f"after {len(registered(found))}", packages=12)
            assert recorded.new
            assert recorded.capsule == found.resolve("@").digest
            whole(found, recorded.capsule)
            sound(found)

    return assert_recovered


@pytest.fixture
def used(store, add) -> Store:
    """A store that has a capsule."""
    add(store, "before")
    return store


@pytest.mark.slow
@pytest.mark.parametrize("packages", [1, 12], ids=["loose", "packed"])
@pytest.mark.parametrize("syscall", ["fsync", "rename", "link", "unlink", "mkdir", "write"])
def test_killed_at_any_moment(at_each_call, copy_of, assert_recovered, syscall, packages):
    for interrupted in at_each_call(syscall, "signal=KILL", packages):
        assert interrupted.returncode == -signal.SIGKILL
        assert_recovered(copy_of(interrupted.path), interrupted.out.split())


@pytest.mark.slow
def test_killed_twenty_times_at_random(used, writer, assert_recovered):
    chance = random.Random()
    acknowledged: list[str] = []
    for attempt in range(20):
        process = writer(used, attempt * 1000, 1000, chance.choice([1, 12]))
        acknowledged.append(process.stdout.readline().strip())
        try:
            process.wait(timeout=chance.uniform(0, 0.2))
        except subprocess.TimeoutExpired:
            process.kill()
        # A line that was cut off is a digest that nobody could read.
        out = process.communicate()[0]
        acknowledged += out[: out.rfind("\n") + 1].split()
        assert process.returncode == -signal.SIGKILL
        assert_recovered(used, acknowledged)
    assert len(acknowledged) > 20
