"""I2 for packs: whatever byte of a pack or of its index is wrong, an answer is right or there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from capsulestore.errors import CapsuleError, DamagedObject, MissingObject, StoreUnreadable
from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject
from capsulestore.store import Store

pytestmark = pytest.mark.slow

REFUSALS = (DamagedObject, MissingObject, StoreUnreadable)


@pytest.fixture(params=["ours", "of git, with deltas"])
def packed(request, store, add, git) -> dict[Digest, GitObject]:
    """The right objects of a store that has one pack, and by name."""
    for title in ("first", "second"):
        add(store, title * 20, packages=12)
        if request.param == "ours":
            break
    else:
        git(store.path, "repack", "-adfq", "--depth=50", "--window=50")
        assert "chain length = 1" in git(store.path, "verify-pack", "-sv", str(file_of_pack(store, "idx")))
    names = git(store.path, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    objects = {name: store.read(name) for name in map(Digest.parse, names)}
    for path in Path(store.path, "objects").glob("[0-9a-f][0-9a-f]/*"):
        del objects[Digest.parse(path.parent.name + path.name)]
    assert len(objects) > 16
    return objects


def file_of_pack(store: Store, ending: str) -> Path:
    (path,) = Path(store.path, "objects", "pack").glob(f"*.{ending}")
    path.chmod(0o644)
    return path


def answers(store: Store, objects: dict[Digest, GitObject]) -> Iterator[bool]:
    """Ask a newly opened store for each object; yield whether it came. A wrong one or another error fails the test."""
    with Store(store.path) as fresh:
        for name, right in objects.items():
            try:
                assert fresh.read(name) == right
            except REFUSALS:
                yield False
            else:
                yield True


@pytest.mark.parametrize("ending", ["pack", "idx"])
def test_no_flipped_bit_at_any_byte_is_ever_an_answer(store, packed, ending):
    path = file_of_pack(store, ending)
    complete = path.read_bytes()
    refused = 0
    for place in range(len(complete)):
        path.write_bytes(complete[:place] + bytes([complete[place] ^ (1 << place % 8)]) + complete[place + 1 :])
        outcomes = list(answers(store, packed))
        refused += not all(outcomes)
        assert len(outcomes) == len(packed), f"byte {place}"
    assert refused > 100


@pytest.mark.parametrize("ending", ["pack", "idx"])
def test_a_file_cut_short_is_never_an_answer(store, packed, ending):
    path = file_of_pack(store, ending)
    complete = path.read_bytes()
    for length in sorted({*range(64), *range(64, len(complete), 37), len(complete) - 1}):
        path.write_bytes(complete[:length])
        assert len(list(answers(store, packed))) == len(packed), f"{length} bytes of {len(complete)}"


@pytest.mark.parametrize("ending", ["pack", "idx"])
@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"dear sir " * 500], ids=["empty", "zeros", "a letter"])
def test_a_file_that_is_none_is_never_an_answer(store, packed, ending, content):
    file_of_pack(store, ending).write_bytes(content)
    assert not any(answers(store, packed))


@pytest.mark.parametrize("ending", ["pack", "idx"])
def test_an_object_of_a_pack_that_is_gone_is_a_missing_object(store, packed, ending):
    file_of_pack(store, ending).unlink()
    with Store(store.path) as fresh:
        for name in packed:
            with pytest.raises(MissingObject):
                fresh.read(name)


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"dear sir " * 500], ids=["empty", "zeros", "a letter"])
@pytest.mark.parametrize("question", ["@", "abcd", "0" * 64, "a-tag"])
def test_with_a_damaged_index_every_name_has_an_answer_or_an_error_of_ours(store, packed, content, question):
    file_of_pack(store, "idx").write_bytes(content)
    with Store(store.path) as fresh, pytest.raises(CapsuleError) as caught:
        fresh.resolve(question)
    assert caught.value.exit_code in {3, 4}


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"dear sir " * 500], ids=["empty", "zeros", "a letter"])
def test_with_a_damaged_index_adding_is_done_or_an_error_of_ours(store, packed, add, whole, content):
    file_of_pack(store, "idx").write_bytes(content)
    main = Path(store.path, "refs/heads/main")
    before = main.read_text()
    with Store(store.path) as fresh:
        try:
            digest = add(fresh, "another", packages=12).capsule
        except REFUSALS:
            assert main.read_text() == before
        else:
            whole(fresh, digest)


def test_a_damaged_pack_is_named(store, packed):
    file_of_pack(store, "pack").write_bytes(b"")
    with Store(store.path) as fresh, pytest.raises(DamagedObject) as caught:
        fresh.read(next(iter(packed)))
    assert str(Path(store.path, "objects", "pack")) in caught.value.message
