"""What is no pack is refused, whatever byte of it is wrong, and leaves nothing; git says what is one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pack_making import copy, delta, delta_by_id, delta_by_place, finished, git_index, insert, pack, pieces, whole

from capsulestore.model.objects import EMPTY_TREE, GitObject
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.packs.received import BadPack, ReceivedPack, read_pack

BASE = GitObject("blob", b"the base of all that follows")
MADE = GitObject("blob", b"the base, and more")
MAKING = delta(len(BASE.data), len(MADE.data), copy(0, 8), insert(b", and more"))


@pytest.fixture
def incoming(tmp_path) -> Path:
    directory = tmp_path / "incoming"
    directory.mkdir()
    return directory


@pytest.fixture
def receive(incoming) -> Callable[..., ReceivedPack]:
    """Receive the bytes of a pack, in small pieces."""
    return lambda data, **limits: read_pack(pieces(data), str(incoming), replace(LIMITS, **limits))


SMALL = pack(whole(BASE), delta_by_place(len(whole(BASE)), MAKING), delta_by_id(BASE, delta(28, 1, copy(0, 1))))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_pack_cut_after_any_byte_is_refused_and_leaves_nothing(incoming, size):
    assert len(read_pack(pieces(SMALL, size), str(incoming), LIMITS).ids) == 3
    for file in incoming.iterdir():
        file.unlink()
    for end in range(len(SMALL)):
        with pytest.raises(BadPack):
            read_pack(pieces(SMALL[:end], size), str(incoming), LIMITS)
        assert os.listdir(incoming) == []


def test_a_pack_with_any_bit_flipped_is_refused_and_leaves_nothing(receive, incoming):
    for place in range(len(SMALL)):
        for bit in range(8):
            flipped = bytearray(SMALL)
            flipped[place] ^= 1 << bit
            with pytest.raises(BadPack):
                receive(bytes(flipped))
    assert os.listdir(incoming) == []


@pytest.mark.slow
def test_a_pack_made_with_a_byte_flipped_and_the_right_checksum_is_taken_where_git_takes_it(
    receive, incoming, tmp_path
):
    """By git, or refused by both: whoever means harm makes the checksum right."""
    taken = 0
    for place in range(len(SMALL) - 32):
        for flip in (0x01, 0x80):
            changed = bytearray(SMALL[:-32])
            changed[place] ^= flip
            data = finished(bytes(changed))
            expected = git_index(data, tmp_path)
            try:
                received = receive(data)
            except BadPack:
                assert expected is None
            else:
                assert Path(received.index_path).read_bytes() == expected
                taken += 1
            for file in incoming.iterdir():
                file.unlink()
    assert taken > 0


REFUSED = {
    "nothing at all": b"",
    "something else": finished(b"GIF89a\0\0\0\0\0\0"),
    "another version": finished(b"PACK\0\0\0\4\0\0\0\0"),
    "fewer objects than it says": pack(whole(BASE), count=2),
    "more objects than it says": pack(whole(BASE), whole(EMPTY_TREE), count=1),
    "a byte after the last object": finished(pack(whole(BASE))[:-32] + b"\0"),
    "a byte after the checksum": pack(whole(BASE)) + b"\0",
    "the same object twice": pack(whole(BASE), whole(EMPTY_TREE), whole(BASE)),
    "the same object twice, once as a delta": pack(whole(BASE), whole(MADE), delta_by_id(BASE, MAKING)),
    "an object larger than it says": pack(whole(BASE, size=27)),
    "an object smaller than it says": pack(whole(BASE, size=29)),
    "an object of kind 0": pack(b"\x00" + whole(BASE)[1:]),
    "an object of kind 5": pack(b"\x50" + whole(BASE)[1:]),
    "a size without an end": pack(b"\xbf" + b"\xff" * 100),
    "a delta of itself": pack(whole(BASE), delta_by_place(0, MAKING)),
    "a delta of the middle of an object": pack(whole(BASE), delta_by_place(len(whole(BASE)) - 1, MAKING)),
    "a delta of what lies before the pack": pack(whole(BASE), delta_by_place(10**6, MAKING)),
    "a delta of what is not in the pack": pack(delta_by_id(BASE, MAKING)),
    "two deltas of each other": pack(delta_by_id(MADE, delta(18, 28, insert(BASE.data))), delta_by_id(BASE, MAKING)),
    "a delta of a base of another size": pack(whole(BASE), delta_by_id(BASE, delta(29, 1, copy(0, 1)))),
    "a delta that makes more than it says": pack(whole(BASE), delta_by_id(BASE, delta(28, 1, copy(0, 2)))),
    "a delta that makes less than it says": pack(whole(BASE), delta_by_id(BASE, delta(28, 3, copy(0, 2)))),
    "a delta that copies beyond its base": pack(whole(BASE), delta_by_id(BASE, delta(28, 2, copy(27, 2)))),
    "a delta that inserts beyond its end": pack(whole(BASE), delta_by_id(BASE, delta(28, 9, b"\x09only"))),
    "a delta cut in an instruction": pack(whole(BASE), delta_by_id(BASE, delta(28, 9, b"\x91"))),
    "a delta with the instruction 0": pack(whole(BASE), delta_by_id(BASE, delta(28, 0, b"\0"))),
    "a delta of nothing": pack(whole(BASE), delta_by_id(BASE, b"")),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_is_no_pack_of_git_s_is_refused_and_leaves_nothing(receive, incoming, tmp_path, data):
    assert git_index(data, tmp_path) is None
    with pytest.raises(BadPack) as refused:
        receive(data)
    assert refused.value.reason == str(refused.value) != ""
    assert os.listdir(incoming) == []


@given(
    st.binary(max_size=200).map(finished)
    | st.binary(max_size=200).map(pack)
    | st.binary(max_size=30).map(lambda delta: pack(whole(BASE), delta_by_id(BASE, b"\x1c" + delta)))
)
@example(SMALL)
def test_whatever_bytes_come_are_a_pack_or_are_refused(tmp_path_factory, data):
    directory = tmp_path_factory.mktemp("incoming")
    try:
        received = read_pack(pieces(data, 50), str(directory), LIMITS)
    except BadPack:
        assert os.listdir(directory) == []
    else:
        assert all(received.read(name).id == name for name in received.ids)
