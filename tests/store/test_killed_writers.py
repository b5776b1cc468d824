"""I3, I4, I5: a writer killed with SIGKILL loses nothing that it acknowledged, breaks nothing, blocks nobody."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from capsulestore.store import Store

WRITERS = Path(__file__).with_name("writers.py")


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
def test_killed_ten_times_at_random(used, writer, assert_recovered):
    chance = random.Random()
    acknowledged: list[str] = []
    for attempt in range(10):
        process = writer(used, attempt * 1000, 1000, chance.choice([1, 12]))
        acknowledged.append(process.stdout.readline().strip())
        try:
            process.wait(timeout=chance.uniform(0, 0.2))
        except subprocess.TimeoutExpired:
            process.kill()
        acknowledged += acknowledged_by(process)
        assert_recovered(used, acknowledged)
    assert len(acknowledged) > 10


KILLS = 200
AT_ONCE = 8
ENDLESS = 1000


@pytest.mark.slow
def test_i3_i4_i5_whatever_is_acknowledged_outlives_200_kills_amid_concurrent_adds(
    used, add, git, sound, whole, registered, capsys
):
    """In each round eight writers that add at once are killed one after the other; a ninth comes to its end."""
    chance = random.Random()
    acknowledged: list[str] = []
    for number in range(KILLS // AT_ONCE):
        told = killed_amid_adds(used, number * 10 * ENDLESS, chance)
        acknowledged += told
        with Store(used.path) as found:
            assert set(acknowledged) <= set(registered(found))
            for digest in told:
                whole(found, digest)
            whole(found, found.resolve_capsule("@"))
            recorded = add(found, f"after round {number}", packages=12)
            assert recorded.new
            assert recorded.capsule == found.resolve_capsule("@")
            assert [path for path in Path(found.path).rglob("*") if path.name.endswith((".lock", ".keep"))] == []
        # As one would: with a pack for each capsule a store gets slow.
        git(used.path, "repack", "-adq")
    sound(used)
    found_whole = 0
    with Store(used.path) as found:
        for digest in acknowledged:
            whole(found, digest)
            found_whole += 1
    with capsys.disabled():
        print(f"\n{KILLS} writers killed: {len(acknowledged)} capsules acknowledged, {found_whole} found whole")


def killed_amid_adds(store: Store, first: int, chance: random.Random) -> list[str]:
    """Kill writers at random moments of their concurrent adds; return what they and the survivor acknowledged."""
    counts = [str(count) for count in (*[ENDLESS] * AT_ONCE, 10)]
    process = subprocess.Popen(
        [sys.executable, str(WRITERS), store.path, str(first), *counts],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pids = [int(pid) for pid in process.stderr.readline().split()]
    # Sometimes when they have only begun, sometimes when they have been at work for a while.
    told = [process.stdout.readline().strip() for _ in range(chance.randrange(2 * AT_ONCE))]
    for pid in chance.sample(pids[:AT_ONCE], AT_ONCE):
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(0, 0.05))
        os.kill(pid, signal.SIGKILL)
    out, statuses = process.communicate()
    assert statuses.split() == [*[str(-signal.SIGKILL)] * AT_ONCE, "0"]
    return told + out.split()
