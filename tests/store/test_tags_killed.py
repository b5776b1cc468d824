"""A tag is set and removed whole or not at all; one killed in the midst of it blocks neither git nor us."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from capsulestore.store import Store

WRITER = """
import sys
from capsulestore.model.digest import Digest
from capsulestore.store import Store

path, command, name, *capsule = sys.argv[1:]
with Store(path) as store:
    if command == "set":
        store.tags.set(name, Digest.parse(capsule[0]), force=True)
    else:
        store.tags.remove(name)
"""

HOLD = """
import os, signal, sys
from capsulestore.store.refs import Refs

with Refs(sys.argv[1]).locked(sys.argv[2]):
    os.kill(os.getpid(), signal.SIGKILL)
"""

BEFORE = {"a/b": 0, "loose": 0, "packed": 0, "both": 1, "stays": 0}
"""The tags of the store, each with the number of its capsule; `both` was moved after it was packed."""

CASES = {
    "set a new one": ("set", "new", {"new": 1}),
    "set one in a new directory": ("set", "deep/er/new", {"deep/er/new": 1}),
    "move one": ("set", "loose", {"loose": 1}),
    "move a packed one": ("set", "packed", {"packed": 1}),
    "remove a loose one": ("remove", "loose", {"loose": None}),
    "remove a packed one": ("remove", "packed", {"packed": None}),
    "remove one that is both": ("remove", "both", {"both": None}),
    "remove one with a directory": ("remove", "a/b", {"a/b": None}),
}


@pytest.fixture
def tagged(store, add, git) -> tuple[Store, list[str]]:
    """A store with the tags of `BEFORE`, and its two capsules."""
    digests = [add(store, title).capsule for title in ("first", "second")]
    for name in ("packed", "both", "stays"):
        store.tags.set(name, digests[0])
    git(store.path, "pack-refs", "--all")
    for name in ("a/b", "loose"):
        store.tags.set(name, digests[0])
    store.tags.set("both", digests[1], force=True)
    store.close()
    return store, [str(digest) for digest in digests]


@pytest.fixture
def assert_works(git, sound) -> Callable[[Store, str], None]:
    """Assert that git and we can go on: set, move and remove tags, pack refs, and nothing is left in the way."""

    def assert_works(store: Store, name: str) -> None:
        capsule = store.index.capsules()[0].digest
        store.tags.set(name, capsule, force=True)
        assert not [path for path in Path(store.path).rglob("*.lock") if path.is_file()]
        git(store.path, "tag", "-f", name, str(capsule))
        git(store.path, "tag", "-f", "by-git", str(capsule))
        git(store.path, "pack-refs", "--all")
        store.tags.remove(name)
        assert name not in store.tags.all()
        sound(store)

    return assert_works


def tags_of(path: str, git) -> dict[str, str]:
    lines = git(path, "for-each-ref", "--format=%(refname:strip=2) %(objectname)", "refs/tags").splitlines()
    with Store(path) as store:
        ours = {name: str(digest) for name, digest in store.tags.all().items()}
    assert ours == dict(line.split() for line in lines)
    return ours


@pytest.mark.parametrize("lock", ["refs/tags/new", "refs/tags/deep/er/new", "refs/tags/loose", "packed-refs"])
def test_what_a_killed_process_held_is_free_when_the_next_of_ours_has_come(tagged, git, add, lock, assert_works):
    store, _ = tagged
    before = tags_of(store.path, git)
    done = subprocess.run([sys.executable, "-c", HOLD, store.path, lock], check=False)
    assert done.returncode == -signal.SIGKILL
    assert Path(store.path, f"{lock}.lock").exists()
    assert tags_of(store.path, git) == before
    add(store, "another")
    git(store.path, "update-ref", "-d", "refs/tags/packed")
    git(store.path, "pack-refs", "--all")
    assert_works(store, "deep")


@pytest.mark.slow
@pytest.mark.parametrize("syscall", ["link", "rename", "unlink", "mkdir", "rmdir", "write", "fsync"])
@pytest.mark.parametrize("case", CASES)
def test_killed_at_any_moment(tagged, git, befallen, tmp_path, assert_works, case, syscall):
    store, digests = tagged
    command, name, change = CASES[case]
    before = {tag: digests[number] for tag, number in BEFORE.items()}
    after = before | {tag: None if number is None else digests[number] for tag, number in change.items()}
    after = {tag: digest for tag, digest in after.items() if digest}
    assert tags_of(store.path, git) == before
    found = []
    for number in range(1, 50):
        copy = str(tmp_path / str(number))
        # With hard links: by them a lock that one of ours left is known.
        subprocess.run(["cp", "-a", store.path, copy], check=True)
        arguments = (copy, command, name, digests[1])
        status, *_ = befallen(syscall, f"signal=KILL:when={number}", WRITER, *arguments)
        found.append(tags_of(copy, git))
        if status == 0:
            assert found[-1] == after
            break
        assert status == -signal.SIGKILL
        assert found[-1] in (before, after)
        with Store(copy) as killed:
            assert_works(killed, name)
        shutil.rmtree(copy)
    assert found[-1] == after
