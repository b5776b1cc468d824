"""I5: many processes add, list and remove the index at once; each listing has all that was acknowledged before it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from capsulestore.store import Store

LISTER = """
import sys
from capsulestore.store import Store

# A line on stdin asks for a listing; the handle is kept, or opened anew each time.
kept = Store(sys.argv[1]) if sys.argv[2] == "kept" else None
for _ in sys.stdin:
    store = kept or Store(sys.argv[1])
    digests = [str(capsule.digest) for capsule in store.index.capsules()]
    assert all(store.index.registrations(capsule.digest) for capsule in store.index.capsules(3))
    if not kept:
        store.close()
    print(*digests, flush=True)
"""

HOLD = {
    "its database": """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
""",
    "its turn": """
import sys
from capsulestore.store.queue import queue
held = queue(f"{sys.argv[1]}-lock")
held.__enter__()
""",
}
WAIT = "\nprint('held', flush=True)\nsys.stdin.read()\n"


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen]]:
    """Start Python on a program with arguments, its standard streams open to us."""
    with ExitStack() as started:

        def start(program: str, *arguments: str) -> subprocess.Popen:
            pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
            process = subprocess.Popen([sys.executable, "-c", program, *arguments], text=True, **pipes)
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield start


def index_of(store: Store) -> str:
    return os.path.join(store.path, "capsulestore", "index.sqlite")


def ask(process: subprocess.Popen) -> None:
    process.stdin.write("\n")
    process.stdin.flush()


def listing_of(process: subprocess.Popen) -> list[str]:
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return line.split()


@pytest.mark.parametrize("each", [6, pytest.param(50, marks=pytest.mark.slow)], ids=["a few", "many"])
def test_each_listing_has_all_that_was_acknowledged_before_it_though_the_index_is_removed(
    store, add, writer, start, registered, each
):
    add(store, "before")
    listers = [start(LISTER, store.path, how) for how in ("kept", "anew", "kept", "anew")]
    writers = [writer(store, number * 1000, each, 1) for number in range(3)]
    acknowledged: list[str] = []

    def read(process: subprocess.Popen) -> None:
        acknowledged.extend(line.strip() for line in process.stdout)

    readers = [threading.Thread(target=read, args=(process,)) for process in writers]
    for thread in readers:
        thread.start()
    listings = 0
    while any(thread.is_alive() for thread in readers) or listings < 10:
        before = set(acknowledged)
        for lister in listers:
            ask(lister)
        if listings % 3 == 0:
            with suppress(FileNotFoundError):
                os.unlink(index_of(store))
        for lister in listers:
            listed = listing_of(lister)
            assert before <= set(listed)
            assert len(set(listed)) == len(listed)
        listings += 1
    for thread in readers:
        thread.join()
    for process in writers:
        assert process.wait() == 0
    assert len(acknowledged) == 3 * each
    assert [str(capsule.digest) for capsule in store.index.capsules()] == registered(store)


@pytest.mark.slow
def test_many_that_find_no_index_make_one_that_is_whole(store, add, start, registered):
    for number in range(10):
        add(store, f"number {number}")
    listers = [start(LISTER, store.path, "kept") for _ in range(4)]
    for _ in range(5):
        with suppress(FileNotFoundError):
            os.unlink(index_of(store))
        for lister in listers:
            ask(lister)
        assert [listing_of(lister) for lister in listers] == [registered(store)] * len(listers)
    with closing(sqlite3.connect(index_of(store))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM trees").fetchone() == (10,)


@pytest.mark.parametrize("what", HOLD)
def test_while_another_process_holds_it_an_answer_waits_and_is_right(store, add, start, registered, what):
    add(store, "before")
    assert len(store.index.capsules()) == 1
    add(store, "after")
    holder = start(HOLD[what] + WAIT, index_of(store))
    assert holder.stdout.readline() == "held\n"
    lister = start(LISTER, store.path, "kept")
    ask(lister)
    # When it has come to what is held.
    held = index_of(store) if what == "its database" else f"{index_of(store)}-lock"
    while held not in opened_by(lister):
        assert lister.poll() is None, lister.communicate()
    holder.stdin.close()
    assert listing_of(lister) == registered(store)


def test_an_index_that_is_up_to_date_is_read_though_another_process_has_its_turn(store, add, start, registered):
    add(store, "before")
    assert len(store.index.capsules()) == 1
    holder = start(HOLD["its turn"] + WAIT, index_of(store))
    assert holder.stdout.readline() == "held\n"
    lister = start(LISTER, store.path, "anew")
    ask(lister)
    assert listing_of(lister) == registered(store)
    assert holder.poll() is None


def test_threads_with_a_store_each_list_all_that_was_acknowledged(store, add, registered):
    acknowledged: list[str] = []
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with Store(store.path) as mine:
                for count in range(5):
                    before = set(acknowledged)
                    assert before <= {str(capsule.digest) for capsule in mine.index.capsules()}
                    acknowledged.append(str(add(mine, f"{number}.{count}").capsule))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [str(capsule.digest) for capsule in store.index.capsules()] == registered(store)


def test_threads_that_share_a_store_are_all_answered(store, add, registered):
    for number in range(5):
        add(store, f"{number}")
    answers: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: answers.append([str(found.digest) for found in store.index.capsules()]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [registered(store)] * 8


def opened_by(process: subprocess.Popen) -> set[str]:
    found = set()
    for descriptor in Path("/proc", str(process.pid), "fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(os.path.realpath(descriptor))
    return found
