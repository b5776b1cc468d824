"""I3, I8: what comes from outside is no part of the store before it is published, and nothing of it is left behind."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pack_making import pack, pieces, whole

from capsulestore.errors import StoreUnwritable
from capsulestore.model.objects import GitObject
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.packs.received import BadPack, read_pack
from capsulestore.sync.quarantine import quarantine

BLOBS = [GitObject("blob", b"number %d" % number) for number in range(20)]
PACK = pack(*map(whole, BLOBS))
LIMITED = """
import os, resource, sys

resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
os.execv(sys.argv[1], sys.argv[1:])
"""
RECEIVER = """
import sys

from capsulestore.errors import CapsuleError
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.quarantine import quarantine
from capsulestore.sync.packs.received import read_pack

store, path = sys.argv[1:]

def chunks():
    with open(path, "rb") as file:
        yield file.read(100)
        print("receiving", flush=True)
        sys.stdin.readline()
        yield file.read()

try:
    with quarantine(store) as incoming:
        pack = read_pack(chunks(), incoming.directory, LIMITS)
        print("received", flush=True)
        sys.stdin.readline()
        incoming.publish(pack)
        print("published", flush=True)
        sys.stdin.readline()
except CapsuleError as error:
    sys.exit(f"{type(error).__name__}: {error.message}")
"""


@pytest.fixture
def receiver(store, tmp_path):
    """Start a process that receives the pack, and waits for a line after each step that it tells of."""
    path = tmp_path / "sent.pack"
    path.write_bytes(PACK)
    started = []

    def receiver(*under: str, after: str = "") -> subprocess.Popen:
        command = [*under, sys.executable, "-c", RECEIVER, store.path, str(path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, **pipes, text=True)
        started.append(process)
        while after and process.stdout.readline() != f"{after}\n":
            process.stdin.write("\n")
            process.stdin.flush()
        return process

    yield receiver
    for process in started:
        process.kill()
        process.communicate()


def left(store) -> list[str]:
    """What lies in the store that is neither a whole pack nor anything that every store has."""
    packs = Path(store.path, "objects", "pack")
    whole = {path.name for path in packs.glob("*.idx")}
    others = [
        path.name for path in packs.iterdir() if path.with_suffix(".idx").name not in whole or path.suffix == ".keep"
    ]
    return sorted([*others, *(path.name for path in Path(store.path, "capsulestore").glob("incoming-*"))])


def contents(store) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(store.path)): path.read_bytes() if path.is_file() else None
        for path in Path(store.path).rglob("*")
    }


def received(store, incoming, data=PACK):
    return read_pack(pieces(data), incoming.directory, LIMITS)


def test_nothing_of_it_is_the_store_s_before_it_is_published_and_all_of_it_after(store, git):
    with quarantine(store.path) as incoming:
        arrived = received(store, incoming)
        assert not any(blob.id in store for blob in BLOBS)
        incoming.publish(arrived)
        assert all(store.read(blob.id) == blob for blob in BLOBS)
    assert left(store) == []
    assert git(store.path, "cat-file", "blob", str(BLOBS[7].id)) == "number 7"
    (path,) = Path(store.path, "objects", "pack").glob("*.pack")
    assert path.name == f"pack-{arrived.checksum.hex()}.pack"
    git(store.path, "verify-pack", str(path))


def test_git_does_not_drop_a_published_pack_before_the_block_ends(store, git):
    with quarantine(store.path) as incoming:
        incoming.publish(received(store, incoming))
        git(store.path, "gc", "-q", "--prune=now")
        assert all(blob.id in store for blob in BLOBS)
    git(store.path, "gc", "-q", "--prune=now")
    assert list(Path(store.path, "objects", "pack").iterdir()) == []


def test_what_is_not_published_is_gone_after_the_block(store):
    before = contents(store)
    with quarantine(store.path) as incoming:
        received(store, incoming)
    assert contents(store) == before


def test_after_an_error_in_the_block_it_is_gone(store):
    before = contents(store)
    with pytest.raises(BadPack), quarantine(store.path) as incoming:
        assert [len(received(store, incoming, data).ids) for data in (PACK, PACK[:-1])] == []
    assert contents(store) == before


def test_a_pack_without_objects_is_not_published(store):
    before = contents(store)
    with quarantine(store.path) as incoming:
        incoming.publish(received(store, incoming, pack()))
    assert contents(store) == before


def test_the_same_pack_may_be_published_twice(store, git):
    for _ in range(2):
        with quarantine(store.path) as incoming:
            incoming.publish(received(store, incoming))
    assert all(store.read(blob.id) == blob for blob in BLOBS)
    assert left(store) == []


def test_two_at_once_do_not_touch_each_other(store, receiver):
    process = receiver(after="received")
    with quarantine(store.path) as incoming:
        assert len(left(store)) == 2
        incoming.publish(received(store, incoming))
    assert len(left(store)) == 1
    out, said = process.communicate("\n\n")
    assert (process.returncode, out, said) == (0, "published\n", "")
    assert left(store) == []


@pytest.mark.parametrize("step", ["receiving", "received", "published"])
def test_what_a_killed_process_left_the_next_one_removes(store, receiver, step):
    process = receiver(after=step)
    assert left(store) != []
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert all((blob.id in store) == (step == "published") for blob in BLOBS)
    with quarantine(store.path):
        assert len(left(store)) == 1
    assert left(store) == []


def test_what_is_left_of_a_directory_is_removed_without_its_lock_too_and_nothing_that_links_lead_to(store, tmp_path):
    (tmp_path / "outside" / "kept").mkdir(parents=True)
    own = Path(store.path, "capsulestore")
    objects = own / "incoming-1-2" / "git" / "objects"
    objects.mkdir(parents=True)
    for directory in (objects, own / "incoming-1-2"):
        (directory / "tmp_obj_3").write_bytes(PACK)
        (directory / "link").symlink_to(tmp_path / "outside")
    (own / "incoming-4-5").symlink_to(tmp_path / "outside")
    with quarantine(store.path):
        assert not (own / "incoming-1-2").exists()
    assert [path.name for path in (tmp_path / "outside").rglob("*")] == ["kept"]


def test_a_file_that_cannot_grow_is_an_error_of_ours_and_leaves_nothing(store, receiver):
    before = contents(store)
    process = receiver(sys.executable, "-c", LIMITED)
    _, said = process.communicate("\n\n\n")
    assert said.startswith("StoreUnwritable: cannot write to the store")
    assert os.strerror(errno.EFBIG) in said
    assert contents(store) == before


def test_a_store_that_may_not_be_written_is_an_error_of_ours(store):
    """By a file in the way, which stops root too."""
    before = contents(store)
    Path(store.path, "capsulestore").rmdir()
    Path(store.path, "capsulestore").write_bytes(b"")
    with pytest.raises(StoreUnwritable), quarantine(store.path):
        raise AssertionError("there is no directory")
    Path(store.path, "capsulestore").unlink()
    Path(store.path, "capsulestore").mkdir()
    assert contents(store) == before


def test_a_store_whose_packs_cannot_be_written_gets_nothing(store):
    packs = Path(store.path, "objects", "pack")
    packs.rmdir()
    packs.write_bytes(b"")
    before = contents(store)
    with pytest.raises(StoreUnwritable), quarantine(store.path) as incoming:
        incoming.publish(received(store, incoming))
    assert contents(store) == before


@pytest.mark.slow
@pytest.mark.parametrize("syscall", ["fsync", "rename", "unlink", "mkdir", "flock", "rmdir"])
def test_killed_at_any_call_it_leaves_no_part_of_a_pack_and_blocks_nobody(store, receiver, git, syscall):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed: a process cannot be killed at a call of its choice here")
    for number in range(1, 50):
        inject = ["strace", "-f", "-o", os.devnull, "-e", f"inject=/^{syscall}$:signal=KILL:when={number}"]
        process = receiver(*inject)
        out, said = process.communicate("\n\n\n")
        git(store.path, "fsck", "--strict")
        assert ["published" in out and blob.id not in store for blob in BLOBS] == [False] * len(BLOBS)
        with quarantine(store.path):
            pass
        packs = [path for path in Path(store.path, "objects", "pack").iterdir() if path.name[:8] != "tmp_obj_"]
        assert {path.suffix for path in packs} in (set(), {".pack"}, {".pack", ".idx"})
        assert not list(Path(store.path, "capsulestore").glob("incoming-*"))
        if process.returncode == 0:
            assert (number > 1, said) == (True, "")
            return
        assert process.returncode == -signal.SIGKILL
    raise AssertionError(f"there is no end of {syscall}")
