"""Packs that a push reads where they lie: the same objects as the store's, and nothing that is not sound."""

import random
from pathlib import Path

import pytest
from exchanges import add, clone_from, objects, push_to, sound
from git_peers import make_bare, run_git

from capsulestore.errors import CapsuleError, DamagedObject
from capsulestore.model.digest import Digest
from capsulestore.store import Store
from capsulestore.sync.packs.stored import StoredPacks

pytest_plugins = ["exchange_fixtures"]


@pytest.fixture
def packed(ours) -> Store:
    """A store whose objects lie in one pack, many as deltas."""
    for number in range(6):
        add(ours, f"capsule {number}", environment=f"environment {number}", packages=40)
    run_git(ours.path, "repack", "-adfq", "--depth=50")
    ours.close()
    return ours


def pack_of(repository) -> Path:
    (pack,) = Path(repository, "objects/pack").glob("*.pack")
    return pack


def deltas_in(repository) -> int:
    listed = run_git(repository, "verify-pack", "-v", pack_of(repository).with_suffix(".idx"))
    return sum(len(line.split()) == 7 for line in listed.splitlines())


def outcome(read, name) -> object:
    try:
        return read(name)
    except CapsuleError as error:
        return error.code


def all_read(store) -> None:
    """Assert that all that git lists is read as the store reads it, from packs."""
    stored = StoredPacks(store)
    for name in map(Digest.parse, objects(store.path)):
        assert stored.read(name) == store.read(name)
        assert any(pack.find(name) == store.read(name) for pack in stored.packs)


def test_what_is_read_from_packs_is_what_the_store_reads(packed):
    assert deltas_in(packed.path)
    all_read(packed)


def test_places_that_take_eight_bytes_are_read(packed):
    pack = pack_of(packed.path)
    pack.with_suffix(".idx").unlink()
    run_git(packed.path, "index-pack", "--index-version=2,64", pack)
    all_read(packed)


def test_what_lies_in_no_pack_is_read_from_the_store(packed):
    stored = StoredPacks(packed)
    capsule = add(packed, "one more")
    assert stored.read(capsule) == packed.read(capsule)
    assert outcome(stored.read, Digest("0" * 64)) == outcome(packed.read, Digest("0" * 64)) == "missing_object"


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_where_a_pack_is_damaged_the_store_is_asked(packed, suffix):
    file = pack_of(packed.path).with_suffix(suffix)
    names = sorted(map(Digest.parse, objects(packed.path)))
    sound_objects = {name: packed.read(name) for name in names}
    whole = file.read_bytes()
    file.chmod(0o644)
    chance = random.Random(suffix)
    for _ in range(20):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        file.write_bytes(damaged)
        packed.close()
        stored = StoredPacks(packed)
        for name in chance.sample(names, k=20):
            assert outcome(stored.read, name) in (sound_objects[name], outcome(packed.read, name))


def test_a_first_push_copies_deltas(packed, hub, tmp_path):
    run_git(hub, "config", "receive.unpackLimit", "1")
    sent = push_to(hub, packed)
    assert objects(hub) == objects(packed.path)
    assert deltas_in(hub) == deltas_in(packed.path)
    assert sent.bytes == pack_of(packed.path).stat().st_size
    sound(hub)
    sound(clone_from(hub, tmp_path / "clone"))


def test_what_lies_in_two_packs_or_was_added_since_is_sent_once(packed, hub):
    for number in range(3):
        add(packed, f"similar {number}", environment=f"similar {number}", packages=40)
        run_git(packed.path, "repack", "-q")
    run_git(packed.path, "pack-objects", "-q", "--all", "objects/pack/pack")
    add(packed, "last", environment="last", packages=40)
    assert len([*Path(packed.path, "objects/pack").glob("*.pack")]) > 1
    push_to(hub, packed)
    assert objects(hub) == objects(packed.path)
    sound(hub)


def test_what_no_ref_reaches_is_not_sent_though_it_lies_in_the_pack(packed, hub):
    forgotten = objects(packed.path)
    tip = run_git(packed.path, "rev-parse", "main~1")
    run_git(packed.path, "update-ref", "refs/heads/main", tip)
    packed.close()
    push_to(hub, packed)
    reached = set(run_git(packed.path, "rev-list", "--objects", "--no-object-names", "main").split())
    assert objects(hub) == reached < forgotten
    sound(hub)


def test_a_damaged_object_is_not_sent(packed, tmp_path):
    names = objects(packed.path)
    pack = pack_of(packed.path)
    whole = pack.read_bytes()
    pack.chmod(0o644)
    chance = random.Random(0)
    refused = 0
    for number in range(10):
        hub = make_bare(tmp_path / f"hub-{number}.git")
        damaged = bytearray(whole)
        damaged[chance.randrange(12, len(whole) - 32)] ^= 1 << chance.randrange(8)
        pack.write_bytes(damaged)
        packed.close()
        try:
            push_to(hub, packed)
        except DamagedObject:
            refused += 1
            assert not objects(hub)
        else:
            # There are bits at the end of a stream that mean nothing.
            assert objects(hub) == names
    assert refused
