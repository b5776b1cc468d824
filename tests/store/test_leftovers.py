"""What a writer that was killed leaves behind is recognised by git for what it is, and does no harm.

The writer is killed at each of its system calls of a kind in turn, so these tests hold wherever it keeps its files.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from capsulestore.store import Store

pytestmark = pytest.mark.slow


@pytest.fixture(
    scope="module",
    params=[
        "link",
        "rename",
        "write",
        "fsync",
    ],
)
def killed(request, at_each_call) -> list[str]:
    """Stores in each of which a writer of a pack was killed at another call of that kind."""
    found = at_each_call(request.param, "signal=KILL", 12)
    assert {interrupted.returncode for interrupted in found} == {-signal.SIGKILL}
    return [interrupted.path for interrupted in found]


def test_git_finds_nothing_wrong_with_what_is_left(killed, sound):
    for path in killed:
        with Store(path) as store:
            sound(store)


def test_nothing_that_is_left_is_a_ref_to_git(killed, git):
    for path in killed:
        refs = git(path, "for-each-ref", "--format=%(refname)").split()
        assert refs == ["refs/capsules/last", "refs/heads/main"]


def test_git_gc_works_and_removes_every_unfinished_object(killed, git, copy_of):
    for path in killed:
        store = copy_of(path)
        git(store.path, "gc", "-q", "--prune=now")
        assert [str(left) for left in Path(store.path, "objects").rglob("tmp_*")] == []


def test_after_the_next_add_git_gc_removes_every_object_that_nothing_came_to_need(killed, git, copy_of, add):
    for path in killed:
        store = copy_of(path)
        add(store, "the next")
        git(store.path, "gc", "-q", "--prune=now")
        left = git(store.path, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
        needed = git(store.path, "rev-list", "--objects", "--all", "--no-object-names").split()
        assert sorted(left) == sorted(needed)


def test_the_next_writer_registers_what_the_killed_one_was_to_add(killed, copy_of, writer, digests_of, whole):
    for path in killed:
        store = copy_of(path)
        (digest,) = digests_of(writer(store, 0, 1, 12))
        whole(store, digest)
        assert len(list(store.commits())) == 2
