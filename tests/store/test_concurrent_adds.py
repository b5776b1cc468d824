"""I4 and I5: any number of processes may add to one store; none waits for ever, none loses anything."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter

import pytest

from capsulestore.store import Store


@pytest.fixture
def assert_arrived(sound, whole, registered, git, listing):
    """Assert that exactly these capsules are there, whole, each registered once, in one line of a sound store.

    Nothing is left of those that wrote: no lock, no mark that keeps a pack, no draft.
    """

    def assert_arrived(store: Store, digests: list[str]) -> None:
        with Store(store.path) as found:
            assert Counter(registered(found)) == Counter(digests)
            for digest in digests:
                whole(found, digest)
            sound(found)
        assert git(store.path, "rev-list", "--count", "--first-parent", "main") == str(len(digests))
        assert [path for path in listing(store.path) if path.endswith((".keep", ".lock")) or "tmp_" in path] == []

    return assert_arrived


@pytest.mark.parametrize(
    ("processes", "each"), [(4, 5), pytest.param(8, 25, marks=pytest.mark.slow)], ids=["a few", "many"]
)
def test_all_that_many_processes_add_at_once_arrives(store, writer, digests_of, assert_arrived, processes, each):
    """Half of them write loose objects, the other half packs."""
    writers = [writer(store, number * each, each, (1, 12)[number % 2]) for number in range(processes)]
    digests = [digest for process in writers for digest in digests_of(process)]
    assert len(set(digests)) == processes * each
    assert_arrived(store, digests)


@pytest.mark.parametrize("packages", [pytest.param(1, marks=pytest.mark.slow), 12], ids=["loose", "packed"])
def test_the_same_capsules_added_by_many_processes_at_once_are_registered_once(
    store, writer, digests_of, assert_arrived, packages
):
    writers = [writer(store, 0, 5, packages) for _ in range(4)]
    answers = [digests_of(process) for process in writers]
    assert all(answer == answers[0] for answer in answers)
    assert_arrived(store, answers[0])


def test_threads_with_a_store_each_lose_nothing(store, add, assert_arrived):
    digests: list[str] = []
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with Store(store.path) as mine:
                digests.extend(str(add(mine, f"{number}.{count}", packages=12).capsule) for count in range(5))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert_arrived(store, digests)


def move_main(git, commit, store: Store) -> bool:
    """Put a commit on main as any git client does, by compare-and-swap; return whether it was moved."""
    tip = git(store.path, "rev-parse", "main")
    tree = git(store.path, "rev-parse", "main^{tree}")
    done = subprocess.run(
        ["git", "-C", store.path, "update-ref", "refs/heads/main", commit(store, tree, tip), tip],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def test_a_git_that_moves_main_meanwhile_loses_nothing_and_makes_nothing_be_lost(
    store, add, writer, git, commit, sound, registered
):
    first = str(add(store).capsule)
    process = writer(store, 0, 15, 12)
    moved = 0
    while process.poll() is None or moved < 3:
        moved += move_main(git, commit, store)
    digests, error = process.communicate()
    assert (process.returncode, error) == (0, "")
    assert set(digests.split()) | {first} == set(registered(store))
    assert git(store.path, "log", "--format=%s", "main").split("\n").count("by git") == moved
    sound(store)
