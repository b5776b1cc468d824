"""I3, I4, I5: a writer killed with SIGKILL loses nothing that it acknowledged, breaks nothing, blocks nobody."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

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


def acknowledged_by(killed: subprocess.Popen) -> list[str]:
    """Return what a writer that was killed had printed and nobody has read yet."""
    out = killed.communicate()[0]
    assert killed.returncode == -signal.SIGKILL
    # A line that was cut off is a digest that nobody could read.
    return out[: out.rfind("\n") + 1].split()


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
        acknowledged += acknowledged_by(process)
        assert_recovered(used, acknowledged)
    assert len(acknowledged) > 20


KILLED_AT_ONCE = 8
KILLS = 200
ENDLESS = 1000


@pytest.mark.slow
def test_i3_i4_i5_of_what_writers_killed_amid_concurrent_adds_had_acknowledged_all_is_whole(
    used, writer, add, git, sound, whole, registered, digests_of, capsys
):
    """In each round eight writers that add at once are killed one after the other; a ninth comes to its end."""
    chance = random.Random()
    acknowledged: list[str] = []
    numbers = itertools.count(step=ENDLESS)
    rounds = KILLS // KILLED_AT_ONCE
    for round_number in range(rounds):
        writers = [writer(used, next(numbers), ENDLESS, chance.choice([1, 12])) for _ in range(KILLED_AT_ONCE)]
        survivor = writer(used, next(numbers), 10, 12)
        # None is killed before it adds, and all add by then.
        told = [process.stdout.readline().strip() for process in writers]
        for process in chance.sample(writers, len(writers)):
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=chance.uniform(0, 0.05))
            process.kill()
            told += acknowledged_by(process)
        told += digests_of(survivor)
        acknowledged += told
        with Store(used.path) as found:
            assert set(acknowledged) <= set(registered(found))
            for digest in told:
                whole(found, digest)
            whole(found, found.resolve_capsule("@"))
            recorded = add(found, f"after round {round_number}", packages=12)
            assert recorded.capsule == found.resolve_capsule("@")
            assert list(Path(found.path).rglob("*.lock")) == list(Path(found.path).rglob("*.keep")) == []
        # As one would, and as a pack for each capsule slows all readers down.
        git(used.path, "repack", "-dq")
    sound(used)
    with Store(used.path) as found:
        for digest in acknowledged:
            whole(found, digest)
    with capsys.disabled():
        count = len(acknowledged)
        print(f"\n{rounds * KILLED_AT_ONCE} writers killed as they added: {count} capsules acknowledged, {count} whole")
