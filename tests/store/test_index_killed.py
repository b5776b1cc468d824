"""A process that is killed while it brings the index up to date does no harm: the next one finds what it needs."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from capsulestore.store import Store

LIST = """
import sys
from capsulestore.store import Store

with Store(sys.argv[1]) as store:
    store.index.capsules()
"""

DIE = """
import os, signal, sqlite3, sys

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
# What is changed is written at once, with what was there kept in the journal.
connection.executescript("PRAGMA cache_size = 1; BEGIN IMMEDIATE; DELETE FROM trees; DELETE FROM commits;")
connection.execute("CREATE TABLE filler AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n LIMIT 9000)"
                   " SELECT x, hex(randomblob(50)) FROM n")
os.kill(os.getpid(), signal.SIGKILL)
"""


def index_of(store: Store) -> Path:
    return Path(store.path, "capsulestore", "index.sqlite")


def listed(store: Store) -> list[str]:
    return [str(capsule.digest) for capsule in store.index.capsules()]


@pytest.fixture
def indexed(store, add) -> Store:
    """A store with capsules and an index of all of them, closed."""
    for number in range(4):
        add(store, f"number {number}")
    assert len(listed(store)) == 4
    store.close()
    return store


def assert_made_anew(store: Store) -> None:
    with closing(sqlite3.connect(index_of(store))) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tip = connection.execute("SELECT lower(hex(commit_id)) FROM tip").fetchall()
        assert tip == [(str(next(store.commits()).id),)]
        assert connection.execute("SELECT count(*) FROM trees").fetchone() == (len(listed(store)),)


def test_a_process_killed_as_it_changed_the_index_leaves_a_journal_that_undoes_it(indexed, registered):
    done = subprocess.run([sys.executable, "-c", DIE, index_of(indexed)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert Path(f"{index_of(indexed)}-journal").stat().st_size > 4096
    assert index_of(indexed).stat().st_size > 100_000
    assert listed(indexed) == registered(indexed)
    assert_made_anew(indexed)


@pytest.mark.slow
@pytest.mark.parametrize("behind", ["to be made", "to be brought up to date"])
@pytest.mark.parametrize("syscall", ["pwrite64", "fdatasync", "unlink"])
def test_killed_at_any_moment_of_indexing(indexed, add, registered, befallen, tmp_path, syscall, behind):
    add(indexed, "later")
    indexed.close()
    if behind == "to be made":
        index_of(indexed).unlink()
    killed = 0
    for number in range(1, 100):
        shutil.copytree(indexed.path, tmp_path / str(number))
        path = str(tmp_path / str(number))
        status, *_ = befallen(syscall, f"signal=KILL:when={number}", LIST, path)
        with Store(path) as store:
            assert listed(store) == registered(store)
            assert_made_anew(store)
        if status == 0:
            break
        assert status == -signal.SIGKILL
        killed += 1
    assert killed
