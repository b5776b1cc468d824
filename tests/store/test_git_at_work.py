"""What C git does to a store, before and while we use it, loses nothing and hides nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from capsulestore.errors import StoreUnwritable
from capsulestore.store import Store

pytestmark = pytest.mark.slow

CHORES = [
    ("gc", "-q"),
    ("gc", "-q", "--aggressive", "--prune=now"),
    ("gc", "-q", "--cruft", "--prune=now"),
    ("pack-refs", "--all"),
    ("repack", "-adfq"),
    ("repack", "-dq"),
    ("repack", "-adq", "--write-bitmap-index"),
    ("repack", "-adq", "--write-midx"),
    ("repack", "-dq", "--geometric=2", "--write-midx"),
    ("multi-pack-index", "write"),
    ("commit-graph", "write", "--reachable"),
    ("prune", "--expire=now"),
    ("maintenance", "run", "--quiet", "--task=loose-objects", "--task=incremental-repack"),
]


@pytest.fixture
def everything(store, add, git) -> dict:
    """Capsules in a pack and lying loose, the second with a tag."""
    recorded = {title: add(store, title, packages).capsule for title, packages in [("a", 12), ("b", 1), ("c", 12)]}
    git(store.path, "update-ref", "refs/tags/of/b", str(recorded["b"]))
    return recorded


@pytest.mark.parametrize("chore", CHORES, ids=" ".join)
def test_after_it_everything_can_be_read_and_added(store, everything, add, git, whole, sound, registered, chore):
    git(store.path, *chore)
    with Store(store.path) as found:
        for digest in everything.values():
            whole(found, digest)
            assert found.resolve(str(digest)[:12]).digest == digest
        assert found.tags.all() == {"of/b": everything["b"]}
        assert found.resolve("of/b").digest == everything["b"]
        assert found.resolve("@").digest == everything["c"]
        assert not add(found, "a", packages=12).new
        assert not add(found, "b", packages=1).new
        later = [str(add(found, "d", packages=12).capsule), str(add(found, "e", packages=1).capsule)]
        assert registered(found) == [*reversed(later), *(str(everything[title]) for title in "cba")]
        sound(found)


@pytest.mark.parametrize("chore", CHORES, ids=" ".join)
def test_a_store_that_was_open_meanwhile_still_reads_and_adds(store, everything, add, git, whole, sound, chore):
    for digest in everything.values():
        whole(store, digest)
    git(store.path, *chore)
    for digest in everything.values():
        whole(store, digest)
        assert store.resolve(str(digest)[:12]).digest == digest
    assert not add(store, "a", packages=12).new
    whole(store, add(store, "d", packages=12).capsule)
    sound(store)


def test_tags_that_were_packed_and_made_again_have_their_new_value(store, everything, git):
    git(store.path, "pack-refs", "--all")
    git(store.path, "update-ref", "refs/tags/of/b", str(everything["a"]))
    assert store.tags.all() == {"of/b": everything["a"]}


def test_a_tag_that_was_packed_and_deleted_is_gone(store, everything, git):
    git(store.path, "pack-refs", "--all")
    git(store.path, "update-ref", "-d", "refs/tags/of/b")
    assert store.tags.all() == {}


def test_empty_directories_that_a_copy_left_out_are_made_again(store, everything, add, git, sound):
    git(store.path, "gc", "-q")
    git(store.path, "pack-refs", "--all")
    for path in sorted(Path(store.path).rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    with Store(store.path) as found:
        assert add(found, "d", packages=12).new
        sound(found)


def test_a_clone_by_git_has_every_object(store, everything, git, tmp_path):
    git(tmp_path, "clone", "-q", "--mirror", store.path, "clone")
    for digest in everything.values():
        assert git(tmp_path / "clone", "cat-file", "-t", str(digest)) == "tree"


@pytest.mark.parametrize("chore", [("repack", "-adq"), ("gc", "-q"), ("pack-refs", "--all")], ids=" ".join)
def test_while_a_writer_adds_nothing_is_lost(store, writer, git, whole, sound, registered, chore):
    processes = [writer(store, 0, 25, 12), writer(store, 100, 25, 1)]
    chores = 0
    while any(process.poll() is None for process in processes) or not chores:
        git(store.path, *chore)
        chores += 1
    digests = []
    for process in processes:
        out, error = process.communicate()
        assert (process.returncode, error) == (0, "")
        digests += out.split()
    assert sorted(registered(store)) == sorted(digests)
    with Store(store.path) as found:
        for digest in digests:
            whole(found, digest)
        assert str(found.resolve_capsule("@")) in digests
        sound(found)


def test_while_many_writers_add_nothing_is_lost(store, writer, git, whole, sound, registered):
    processes = [writer(store, number * 100, 50, packages) for number, packages in enumerate([1, 12, 12, 30])]
    while any(process.poll() is None for process in processes):
        git(store.path, "repack", "-adq")
        git(store.path, "pack-refs", "--all")
        git(store.path, "gc", "-q")
    digests = []
    for process in processes:
        out, error = process.communicate()
        assert (process.returncode, error) == (0, "")
        digests += out.split()
    assert sorted(registered(store)) == sorted(digests)
    with Store(store.path) as found:
        for digest in digests:
            whole(found, digest)
        assert str(found.resolve_capsule("@")) in digests
        sound(found)


def test_a_reader_beside_git_repack_reads_on(store, everything, add, git, whole):
    for attempt in range(8):
        git(store.path, "repack", "-adfq")
        add(store, f"more {attempt}", packages=12)
        for digest in everything.values():
            whole(store, digest)


class TestWhatNothingRefersTo:
    """Objects of adds that failed or were killed may be taken away by git; the next add brings them back."""

    def test_git_repack_took_what_a_failed_add_had_written(self, store, add, git, whole, sound):
        """The store was open all the while, and has seen the pack that is gone."""
        obstacle = Path(store.path, "capsulestore", "refs%2Fheads%2Fmain")
        obstacle.mkdir()
        with pytest.raises(StoreUnwritable):
            add(store, "failed", packages=12)
        obstacle.rmdir()
        git(store.path, "repack", "-adq")
        whole(store, add(store, "failed", packages=12).capsule)
        sound(store)

    def test_git_gc_took_part_of_what_killed_adds_had_written(self, store, writer, git, whole, sound, digests_of):
        """The first writer leaves loose objects. The second one's pack relies on them, and stays: it has a `.keep`."""
        kill_at_the_lock(store, writer(store, 0, 1, 1))
        kill_at_the_lock(store, writer(store, 0, 1, 12))
        git(store.path, "gc", "-q", "--prune=now")
        (digest,) = digests_of(writer(store, 0, 1, 12))
        with Store(store.path) as found:
            whole(found, digest)
            sound(found)


def kill_at_the_lock(store, process) -> None:
    """Kill a writer that has written its objects, and waits for git to let go of main."""
    lock = Path(store.path, "refs", "heads", "main.lock")
    lock.touch()
    while not os.path.exists(os.path.join(store.path, "capsulestore", "refs%2Fheads%2Fmain")):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    lock.unlink()
    os.unlink(os.path.join(store.path, "capsulestore", "refs%2Fheads%2Fmain"))
