"""A received pack: its objects and its index are what git makes of it, and what is no pack leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pack_making import copy, delta, delta_by_id, delta_by_place, git_index, insert, pack, pieces, whole

from capsulestore.errors import MissingObject, StoreUnwritable
from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.packs.received import BadPack, ReceivedPack, read_pack

BASE = GitObject("blob", b"the base of all that follows")
MADE = GitObject("blob", b"the base, and more")
MAKING = delta(len(BASE.data), len(MADE.data), copy(0, 8), insert(b", and more"))


@pytest.fixture(scope="session")
def of_git(tmp_path_factory) -> Path:
    """A pack that git made of a repository of its own, with a chain of deltas, and its index beside it."""
    directory = tmp_path_factory.mktemp("of-git")
    run = ["git", "-C", str(directory)]
    subprocess.run([*run, "init", "-q", "--object-format=sha256"], check=True)
    subprocess.run([*run, "fast-import", "--quiet"], input=history(), check=True)
    subprocess.run([*run, "repack", "-adfq", "--depth=50", "--window=50"], check=True)
    (path,) = directory.glob(".git/objects/pack/*.pack")
    said = subprocess.run([*run, "verify-pack", "-v", str(path)], capture_output=True, text=True, check=True).stdout
    assert "chain length = 10" in said
    return path


def history() -> bytes:
    """Thirty versions of a file, each with a line more and one less than the one before, and a tag, for fast-import."""
    by = b"Git <git@example.org> 1700000000 +0000"
    lines = [b"line %d %d" % (number, number**2 % 7919) for number in range(200)]
    stream = b""
    for version in range(30):
        lines = [*lines[1:], b"new in version %d" % version]
        content = b"\n".join(lines)
        stream += b"commit refs/heads/main\ncommitter %s\ndata 1\nv\n" % by
        stream += b"M 100644 inline file\ndata %d\n%s\n" % (len(content), content)
    return stream + b"tag annotated\nfrom refs/heads/main\ntagger %s\ndata 1\nt\n" % by


@pytest.fixture
def incoming(tmp_path) -> Path:
    directory = tmp_path / "incoming"
    directory.mkdir()
    return directory


@pytest.fixture
def receive(incoming) -> Callable[..., ReceivedPack]:
    """Receive the bytes of a pack, in small pieces."""
    return lambda data, **limits: read_pack(pieces(data), str(incoming), replace(LIMITS, **limits))


def test_the_index_is_the_one_that_git_writes_byte_for_byte(of_git, receive):
    received = receive(of_git.read_bytes())
    assert Path(received.index_path).read_bytes() == of_git.with_suffix(".idx").read_bytes()
    assert Path(received.path).read_bytes() == of_git.read_bytes()
    assert received.checksum == of_git.read_bytes()[-32:]


def test_deltas_that_name_their_base_by_id_are_followed_like_those_that_tell_its_place(of_git, receive, tmp_path):
    run = ["git", "-C", str(of_git.parents[3])]
    names = subprocess.run(
        [*run, "rev-list", "--objects", "--all", "--no-object-names"], capture_output=True, check=True
    )
    command = [*run, "pack-objects", "--stdout", "-q", "--depth=50", "--window=50", "--no-reuse-delta"]
    by_id = subprocess.run(command, input=names.stdout, capture_output=True, check=True).stdout
    received = receive(by_id)
    assert Path(received.index_path).read_bytes() == git_index(by_id, tmp_path)


def test_every_object_reads_back_as_git_reads_it_and_by_no_other_name(of_git, receive):
    received = receive(of_git.read_bytes())
    assert len(received.ids) == len(set(received.ids)) == 91
    assert all(received.read(name).id == name for name in received.ids)
    absent = Digest("0" * 64)
    assert absent not in received.ids
    assert received.get(absent) is None
    with pytest.raises(MissingObject):
        received.read(absent)


def test_objects_read_back_also_after_the_files_have_moved(of_git, receive, incoming):
    received = receive(of_git.read_bytes())
    for file in incoming.iterdir():
        file.unlink()
    assert all(received.read(name).id == name for name in received.ids)


def test_an_empty_pack_is_a_pack(receive, tmp_path):
    received = receive(pack())
    assert list(received.ids) == []
    assert Path(received.index_path).read_bytes() == git_index(pack(), tmp_path)


def test_a_delta_may_come_before_its_base_and_what_is_made_of_it_before_both(receive, tmp_path):
    first = GitObject("blob", MADE.data + b"!")
    second = GitObject("blob", first.data + b"!")
    adding = [
        delta(len(MADE.data) + n, len(MADE.data) + n + 1, copy(0, len(MADE.data) + n), insert(b"!")) for n in (0, 1)
    ]
    by_id = delta_by_id(MADE, adding[0])
    data = pack(by_id, delta_by_place(len(by_id), adding[1]), delta_by_id(BASE, MAKING), whole(BASE))
    received = receive(data)
    assert list(received.ids) == [first.id, second.id, MADE.id, BASE.id]
    assert [received.read(name) for name in received.ids] == [first, second, MADE, BASE]
    assert Path(received.index_path).read_bytes() == git_index(data, tmp_path)


def test_what_is_told_of_progress_begins_with_nothing_and_ends_with_all(of_git, incoming):
    told: list[tuple[int, int]] = []
    read_pack(pieces(of_git.read_bytes()), str(incoming), LIMITS, lambda done, total: told.append((done, total)))
    assert told[0] == (0, 91)
    assert told[-1] == (91, 91)


def test_a_pack_of_git_cut_after_any_of_its_first_and_last_bytes_is_refused(of_git, receive, incoming):
    data = of_git.read_bytes()
    for end in {*range(300), *range(len(data) - 100, len(data))}:
        with pytest.raises(BadPack):
            receive(data[:end])
    assert os.listdir(incoming) == []


def test_what_taking_the_pieces_raises_comes_through_and_nothing_is_left(incoming):
    def cut():
        yield pack(whole(BASE))[:40]
        raise EOFError("the connection ended")

    with pytest.raises(EOFError):
        read_pack(cut(), str(incoming), LIMITS)
    assert os.listdir(incoming) == []


def test_a_directory_that_is_gone_is_an_error_of_ours(incoming, receive):
    incoming.rmdir()
    with pytest.raises(StoreUnwritable, match="No such file"):
        receive(pack())
