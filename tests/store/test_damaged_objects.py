"""I2: an object's bytes always hash to its name when they are read; what does not is an error, never an answer.

Here for objects that lie loose; those in packs have a file of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from capsulestore.errors import CapsuleError, DamagedObject, MissingObject, StoreUnreadable
from capsulestore.model.digest import Digest
from capsulestore.model.mapping import decode_mapping
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store

REFUSALS = (DamagedObject, MissingObject, StoreUnreadable)


def loose(store) -> dict[Digest, Path]:
    """The files of all loose objects, by name."""
    files = Path(store.path, "objects").glob("[0-9a-f][0-9a-f]/*")
    return {Digest.parse(path.parent.name + path.name): path for path in files}


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def flipped(data: bytes, place: int, bit: int = 0) -> bytes:
    return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]


def answer(store: Store, name: Digest):
    """What reading gives: the object, or None where it is refused. Any other error fails the test."""
    with Store(store.path) as fresh:
        try:
            return fresh.read(name)
        except REFUSALS:
            return None


def test_a_flipped_bit_at_any_place_of_any_loose_object_is_never_an_answer(store, add):
    add(store)
    read = 0
    for name, path in loose(store).items():
        right, complete = store.read(name), path.read_bytes()
        for place in range(len(complete)):
            overwrite(path, flipped(complete, place, place % 8))
            found = answer(store, name)
            assert found in {None, right}, f"byte {place} of {path}"
            read += found is None
        overwrite(path, complete)
    assert read > 500


def test_a_loose_object_cut_short_at_any_place_is_never_an_answer(store, add):
    add(store)
    name, path = max(loose(store).items(), key=lambda item: item[1].stat().st_size)
    right, complete = store.read(name), path.read_bytes()
    for length in range(len(complete)):
        overwrite(path, complete[:length])
        assert answer(store, name) in {None, right}, f"{length} bytes of {len(complete)}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"dear sir",
        zlib.compress(b""),
        zlib.compress(b"blob 3\0abc"),
        zlib.compress(b"blob 4\0abc"),
        zlib.compress(b"blob -1\0abc"),
        zlib.compress(b"blob x\0abc"),
        zlib.compress(b"letter 3\0abc"),
        zlib.compress(b"tree 3\0abc"),
        zlib.compress(b"abc"),
        zlib.compress(b"\0"),
        zlib.compress(b"blob \xff\0abc"),
    ],
    ids=repr,
)
def test_a_file_that_holds_no_such_object_is_a_damaged_object(store, add, content):
    name = add(store).capsule
    overwrite(loose(store)[name], content)
    with Store(store.path) as fresh, pytest.raises(DamagedObject) as caught:
        fresh.read(name)
    assert str(loose(store)[name]) in caught.value.message
    assert caught.value.exit_code == 4


def test_an_object_under_the_name_of_another_is_a_damaged_object(store, add):
    add(store)
    one, other = list(loose(store))[:2]
    overwrite(loose(store)[one], loose(store)[other].read_bytes())
    with pytest.raises(DamagedObject):
        store.read(one)


def test_bytes_after_the_end_of_an_object_are_never_part_of_an_answer(store, add):
    add(store)
    for name, path in loose(store).items():
        right, complete = store.read(name), path.read_bytes()
        overwrite(path, complete + b"rubbish")
        assert answer(store, name) in {None, right}
        overwrite(path, complete)


def test_an_object_that_is_not_there_is_a_missing_object(store):
    with pytest.raises(MissingObject) as caught:
        store.read(Digest("0" * 64))
    assert "fsck" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_a_damaged_object_heals_by_adding_what_needs_it(store, add, sound, whole, content):
    digest = add(store, "a capsule").capsule
    for path in list(loose(store).values()):
        if zlib.decompress(path.read_bytes()).startswith(b"blob"):
            overwrite(path, content)
    with Store(store.path) as fresh:
        add(fresh, "a capsule")
        whole(fresh, digest)
        sound(fresh)


@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_a_damaged_tree_of_a_capsule_heals_by_adding_it_again(store, add, sound, whole, content):
    digest = add(store).capsule
    overwrite(loose(store)[digest], content)
    with Store(store.path) as fresh:
        add(fresh)
        whole(fresh, digest)
        sound(fresh)


def test_a_damaged_object_heals_by_adding_another_capsule_that_shares_it(store, add, whole):
    recorded = add(store)
    environment = decode_mapping(recorded.environment, store.read)
    overwrite(loose(store)[recorded.environment], b"")
    with Store(store.path) as fresh:
        record(fresh, Surroundings(environment=environment), Description(title="another"))
        whole(fresh, recorded.capsule)


def test_a_missing_object_comes_back_by_adding_what_needs_it(store, add, sound, whole):
    digest = add(store).capsule
    for name, path in loose(store).items():
        if store.read(name).kind != "commit":
            path.unlink()
    with Store(store.path) as fresh:
        add(fresh)
        whole(fresh, digest)
        sound(fresh)


def test_a_damaged_commit_stops_adding_and_leaves_the_shelf_as_it_was(store, add):
    add(store)
    tip = Path(store.path, "refs/heads/main").read_text()
    overwrite(loose(store)[Digest.parse(tip.strip())], b"")
    with Store(store.path) as fresh, pytest.raises(CapsuleError) as caught:
        add(fresh, "another")
    assert caught.value.exit_code == 4
    assert Path(store.path, "refs/heads/main").read_text() == tip


@pytest.mark.parametrize("content", ["", "\n", "dear sir\n", "0" * 40 + "\n", "\xe9"])
def test_a_damaged_ref_is_an_error_and_stays(store, add, content):
    add(store)
    main = Path(store.path, "refs/heads/main")
    main.write_text(content)
    with Store(store.path) as fresh, pytest.raises(DamagedObject):
        add(fresh, "another")
    assert main.read_text() == content


def test_an_object_that_may_not_be_read_is_an_unreadable_store(store, add):
    name = add(store).capsule
    loose(store)[name].chmod(0)
    reads = (
        "import sys; from capsulestore.store import Store; from capsulestore.model.digest import Digest\n"
        "with Store(sys.argv[1]) as store: store.read(Digest.parse(sys.argv[2]))"
    )
    # Permissions hold for root too, without its capabilities.
    bound = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
    command = [*bound, sys.executable, "-c", reads, store.path, str(name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert f"StoreUnreadable: cannot read object {name} of the store" in done.stderr


def test_an_object_that_is_a_directory_is_refused(store, add):
    name = add(store).capsule
    path = loose(store)[name]
    path.unlink()
    path.mkdir()
    assert answer(store, name) is None
