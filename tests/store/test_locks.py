"""I5: writers wait for each other and for git, never for the dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from capsulestore.errors import StoreBusy, StoreUnwritable
from capsulestore.store import Store
from capsulestore.store.queue import LOCK_SECONDS
from capsulestore.store.refs import MAIN

HOLD = """
import sys
from capsulestore.store.refs import Refs

with Refs(sys.argv[1]).locked("refs/heads/main"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def hold(store):
    """Start a process that holds main until its stdin is closed."""
    with ExitStack() as started:

        def hold() -> subprocess.Popen:
            command = [sys.executable, "-c", HOLD, store.path]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            started.enter_context(process)
            started.callback(process.kill)
            assert process.stdout.readline() == "held\n"
            return process

        yield hold


@pytest.fixture
def dead(hold) -> None:
    """What a process leaves that was killed while it held main."""
    process = hold()
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture
def main_lock(store) -> Path:
    return Path(store.path, f"{MAIN}.lock")


def wait_until_it_queues(store, process: subprocess.Popen) -> None:
    """Return when a writer has come to the lock at which ours queue."""
    lock = os.path.join(store.path, "capsulestore", "lock")
    while True:
        assert process.poll() is None, process.communicate()
        with suppress(FileNotFoundError):
            if lock in map(os.path.realpath, Path("/proc", str(process.pid), "fd").iterdir()):
                return


def wait_until_it_is_its_turn(store, process: subprocess.Popen) -> None:
    """Return when a writer is the first of ours, and has come to git's lock."""
    while not Path(store.path, "capsulestore", "refs%2Fheads%2Fmain").exists():
        assert process.poll() is None, process.communicate()


def test_a_writer_that_was_killed_while_it_held_main_blocks_nobody(store, dead, main_lock, add, sound):
    assert main_lock.exists()
    assert add(store).new
    assert not main_lock.exists()
    sound(store)


def test_a_writer_that_was_killed_blocks_no_second_and_third_one(store, dead, writer, digests_of, registered):
    digests = [digest for process in [writer(store, 0, 3), writer(store, 3, 3)] for digest in digests_of(process)]
    assert sorted(registered(store)) == sorted(digests)


def test_a_writer_waits_for_another_that_lives(store, hold, writer, digests_of, registered):
    other, process = hold(), writer(store)
    wait_until_it_queues(store, process)
    assert not Path(store.path, MAIN).exists()
    other.stdin.close()
    assert digests_of(process) == registered(store)


def test_git_finds_main_locked_while_one_of_ours_holds_it(store, add, hold, git, commit):
    mine = commit(store, str(add(store).capsule))
    other = hold()
    done = subprocess.run(
        ["git", "-C", store.path, "update-ref", MAIN, mine], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "main.lock" in done.stderr
    other.stdin.close()
    other.wait()
    git(store.path, "update-ref", MAIN, mine)


def test_one_that_lets_go_without_a_move_leaves_main_as_it_was(store, add, hold, registered):
    digest = str(add(store).capsule)
    other = hold()
    other.stdin.close()
    assert other.wait() == 0
    assert registered(store) == [digest]


def test_a_lock_that_git_holds_is_waited_for(store, main_lock, writer, digests_of, registered):
    main_lock.touch()
    process = writer(store)
    wait_until_it_is_its_turn(store, process)
    main_lock.unlink()
    assert digests_of(process) == registered(store)


def test_a_lock_that_git_took_after_one_of_ours_was_killed_is_respected(
    store, dead, main_lock, writer, digests_of, registered
):
    main_lock.unlink()
    Path(store.path, "capsulestore", "refs%2Fheads%2Fmain").unlink()
    main_lock.write_text("git is at work")
    process = writer(store)
    wait_until_it_is_its_turn(store, process)
    assert main_lock.read_text() == "git is at work"
    main_lock.unlink()
    assert digests_of(process) == registered(store)


def test_a_draft_of_one_that_was_killed_does_not_make_gits_lock_ours(
    store, dead, main_lock, writer, digests_of, registered
):
    main_lock.unlink()
    main_lock.write_text("git is at work")
    process = writer(store)
    wait_until_it_queues(store, process)
    assert main_lock.read_text() == "git is at work"
    main_lock.unlink()
    assert digests_of(process) == registered(store)


def test_git_can_move_main_after_one_of_ours_was_killed_and_the_next_has_added(store, dead, add, git, commit):
    git(store.path, "update-ref", MAIN, commit(store, str(add(store).capsule)))


def test_nothing_of_one_that_was_killed_is_left_when_the_next_has_added(store, dead, add, registered):
    digest = add(store).capsule
    assert registered(store) == [str(digest)]
    assert os.listdir(os.path.join(store.path, "capsulestore")) == ["lock"]
    assert os.listdir(os.path.join(store.path, "refs", "heads")) == ["main"]


def test_an_add_that_fails_while_it_holds_main_lets_go_of_it(store, add, main_lock):
    draft = Path(store.path, "capsulestore", "refs%2Fheads%2Fmain")
    draft.mkdir()
    with pytest.raises(StoreUnwritable):
        add(store)
    assert not main_lock.exists()
    draft.rmdir()
    assert add(store).new


@pytest.mark.slow
def test_nobody_waits_for_ever(store, tmp_path, writer, hold):
    """One waits for another of ours that never ends, one for a git that was killed; each gives up after its minute."""
    hold()
    with Store.init(str(tmp_path / "other")) as other:
        Path(other.path, f"{MAIN}.lock").touch()
        waiting = {"another process has held": writer(store), "git has held": writer(other)}
        for message, process in waiting.items():
            _, error = process.communicate(timeout=3 * LOCK_SECONDS)
            assert process.returncode == StoreBusy.exit_code
            assert error.startswith(f"StoreBusy: {message}")
        assert Path(other.path, f"{MAIN}.lock").exists()
        assert list(other.commits()) == list(store.commits()) == []
