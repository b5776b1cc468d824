"""A few new objects are written loose, many as one pack, and what is there already is not written again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from capsulestore.model.digest import Digest
from capsulestore.model.mapping import decode_mapping
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store.database import LOOSE_AT_MOST, ObjectDatabase


@pytest.fixture
def loose():
    def loose(store) -> set[str]:
        return {path.parent.name + path.name for path in Path(store.path, "objects").glob("[0-9a-f][0-9a-f]/*")}

    return loose


@pytest.fixture
def packs():
    def packs(store) -> list[str]:
        return sorted(os.listdir(os.path.join(store.path, "objects", "pack")))

    return packs


def packages_for(objects: int, encoded) -> int:
    """How many packages a capsule of so many objects has."""
    return objects - (len(encoded("any", packages=1).objects) - 1)


def test_as_many_objects_as_may_be_loose_are_loose(store, add, encoded, loose, packs):
    packages = packages_for(LOOSE_AT_MOST, encoded)
    assert len(encoded("few", packages).objects) == LOOSE_AT_MOST
    add(store, "few", packages)
    assert packs(store) == []
    assert len(loose(store)) == LOOSE_AT_MOST + 1, "the objects and a commit"


def test_one_more_makes_exactly_one_pack(store, add, encoded, loose, packs):
    packages = packages_for(LOOSE_AT_MOST + 1, encoded)
    add(store, "many", packages)
    assert [os.path.splitext(name)[1] for name in packs(store)] == [".idx", ".pack"]
    assert len(loose(store)) == 1, "the commit"


def test_the_pack_holds_each_new_object_once(store, add, encoded, git, packs):
    add(store, "many", packages=12)
    index = os.path.join(store.path, "objects", "pack", packs(store)[0])
    lines = git(store.path, "verify-pack", "-v", index).splitlines()
    names = [line.split()[0] for line in lines if len(line.split()[0]) == 64]
    assert sorted(names) == sorted(str(name) for name in encoded("many", packages=12).objects)


def test_a_pack_is_named_by_its_bytes_as_git_names_it(store, add, packs):
    add(store, "many", packages=12)
    (name,) = (name for name in packs(store) if name.endswith(".pack"))
    data = Path(store.path, "objects", "pack", name).read_bytes()
    assert name == f"pack-{data[-32:].hex()}.pack"


@pytest.mark.parametrize("packages", [1, 12], ids=["loose", "packed"])
def test_git_finds_every_object_with_the_bytes_it_has_for_us(store, add, encoded, git, packages):
    add(store, "any", packages)
    objects = encoded("any", packages).objects
    asked = "".join(f"{name}\n" for name in objects)
    told = git(store.path, "cat-file", "--batch-check", text=asked).splitlines()
    assert told == [f"{name} {value.kind} {len(value.data)}" for name, value in objects.items()]
    assert {name: store.read(name) for name in objects} == dict(objects)


@pytest.mark.parametrize("packages", [1, 12], ids=["loose", "packed"])
def test_the_same_added_again_writes_nothing(store, add, listing, packages):
    add(store, "any", packages)
    before = listing(store.path)
    again = add(store, "any", packages)
    assert not again.new
    assert listing(store.path) == before


def test_only_what_is_new_is_written(store, add, loose):
    add(store, "many", packages=12)
    before = loose(store)
    add_title_only(store)
    assert len(loose(store) - before) == 3, "a manifest, a capsule's tree and a commit"


def add_title_only(store) -> None:
    environment = decode_mapping(store.capsule(store.resolve("@").digest).environment, store.read)
    record(store, Surroundings(environment=environment), Description(title="the same environment"))


def test_two_capsules_of_one_environment_share_it(store, add):
    first = add(store, "many", packages=12)
    add_title_only(store)
    second = store.capsule(store.resolve("@").digest)
    assert second.environment == first.environment


def test_every_object_is_found_by_every_length_of_its_name(store, add, git):
    add(store, "packed", packages=12)
    add(store, "loose", packages=1)
    database = ObjectDatabase(store.path)
    names = git(store.path, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    for name in names:
        for length in (2, 3, 4, 5, 11, 32, 63, 64):
            expected = [Digest(other) for other in names if other.startswith(name[:length])]
            assert sorted(database.beginning_with(name[:length])) == sorted(expected)
    database.close()


def test_no_unfinished_file_and_no_keep_is_left(store, add, listing):
    add(store, "packed", packages=12)
    add(store, "loose", packages=1)
    assert [path for path in listing(store.path) if "tmp_" in path or path.endswith((".keep", ".lock", "draft"))] == []


def test_a_pack_that_another_process_wrote_is_seen_by_a_store_that_is_open(store, add, writer, digests_of, whole):
    add(store, "packed", packages=12)
    (digest,) = digests_of(writer(store, 0, 1, 12))
    whole(store, digest)


def test_a_store_can_be_used_after_it_was_closed(store, add, whole):
    digest = add(store, "packed", packages=12).capsule
    store.close()
    whole(store, digest)
    store.close()
    store.close()
