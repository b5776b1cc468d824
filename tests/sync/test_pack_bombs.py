"""Packs small on the wire and huge unpacked: refused before they cost memory or time.

Each is received by a process that may not have more memory, or take longer, than any sound pack of its length needs.
"""

from __future__ import annotations

import subprocess
import sys
import zlib
from dataclasses import replace

import pytest
from pack_making import BY_PLACE, copy, delta, delta_by_place, finished, head, insert, pack, whole

from capsulestore.model.objects import GitObject
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.packs.received import BadPack, read_pack

GIB = 2**30
RECEIVE = """
import json, resource, sys
from dataclasses import replace

from capsulestore.sync.limits import LIMITS
from capsulestore.sync.packs.received import BadPack, read_pack

def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

path, directory, limits, seconds = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
before = used()
try:
    with open(path, "rb") as file:
        received = read_pack(iter(lambda: file.read(65515), b""), directory, replace(LIMITS, **json.loads(limits)))
    said = f"taken: {sum(len(received.read(name).data) for name in received.ids)} bytes"
except BadPack as problem:
    said = problem.reason
print(used() - before, said)
"""


@pytest.fixture
def receive(tmp_path):
    """Receive a pack in a process with so many seconds of CPU time; return what memory it took, and what it says."""

    def receive(data: bytes, limits: str = "{}", seconds: int = 2) -> tuple[int, str]:
        path = tmp_path / "bomb"
        path.write_bytes(data)
        directory = tmp_path / "incoming"
        directory.mkdir()
        command = [sys.executable, "-c", RECEIVE, str(path), str(directory), limits, str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.partition(" ")[2].startswith("taken") or list(directory.iterdir()) == []
        memory, _, said = done.stdout.strip().partition(" ")
        return int(memory), said

    return receive


def zeros(size: int) -> bytes:
    """A blob of so many zeros, deflated as small as can be."""
    stream = zlib.compressobj(9)
    packed = b"".join(stream.compress(bytes(2**20)) for _ in range(size // 2**20))
    return head(3, size) + packed + stream.flush()


def test_an_object_that_says_it_is_huge_is_refused_by_its_word(receive):
    memory, said = receive(pack(head(3, 10 * GIB) + zlib.compress(b"little")))
    assert said == f"the object at byte 12 unpacks to {10 * GIB} bytes; {LIMITS.object_bytes} is the most that is taken"
    assert memory < 2**23


@pytest.fixture(scope="module")
def huge() -> bytes:
    """A zlib stream of 128 KiB, of a thousand times as many zeros."""
    return zeros(2**27)[len(head(3, 2**27)) :]


def test_an_object_that_is_larger_than_it_says_is_unpacked_no_further(receive, huge):
    memory, said = receive(pack(head(3, 100) + huge))
    assert "is larger than the 100 bytes it says" in said
    assert memory < 2**23


def test_a_stream_of_much_that_holds_nothing_is_followed_no_further(receive):
    """Whoever reads the object would go through all of it each time."""
    stream = b"\x78\x01" + b"\0\0\0\xff\xff" * 2**20 + zlib.compress(b"x", 0)[2:]
    assert zlib.decompress(stream) == b"x"
    assert receive(pack(head(3, 1) + stream))[1].endswith("bytes for 1")


def test_a_delta_that_is_larger_than_it_says_is_unpacked_no_further(receive, huge):
    base = whole(GitObject("blob", b"base"))
    memory, said = receive(pack(base, head(BY_PLACE, 100) + bytes([len(base)]) + huge))
    assert "is larger than the 100 bytes it says" in said
    assert memory < 2**23


def test_a_delta_that_makes_gigabytes_of_a_little_is_refused_by_its_word(receive):
    """203 bytes of it once took a gigabyte of memory from others."""
    base = whole(GitObject("blob", bytes(2**16)))
    bomb = delta(2**16, 2**31, *[copy(0, 2**16)] * 29)
    memory, said = receive(pack(base, delta_by_place(len(base), bomb)))
    assert f"unpacks to {2**31} bytes" in said
    assert memory < 2**24


def test_a_delta_that_makes_more_than_it_says_is_followed_no_further(receive):
    base = whole(GitObject("blob", bytes(2**23)))
    bomb = delta(2**23, 100, *[copy(0, 2**23)] * 1000)
    memory, said = receive(pack(base, delta_by_place(len(base), bomb)))
    assert said == "a delta that takes what is not there, or makes more than it says"
    assert memory < 2**25


def test_many_objects_that_are_too_much_together_are_refused(receive):
    data = pack(*[zeros(2**20)] * 100)
    assert len(data) < 2**17
    memory, said = receive(data, '{"unpacked_bytes": 67108864}')
    assert said == "a pack that unpacks to more than 67108864 bytes"
    assert memory < 2**23


def test_a_chain_of_deltas_is_followed_as_far_as_the_limit(receive):
    entries = [whole(GitObject("blob", b""))]
    for size in range(60):
        entries.append(
            delta_by_place(len(entries[-1]), delta(size, size + 1, *([copy(0, size)] if size else []), insert(b"x")))
        )
    assert receive(pack(*entries), '{"delta_depth": 59}')[1] == "an object behind more than 59 deltas"


@pytest.mark.parametrize(
    ("limit", "said"), [("pack_bytes", "a pack of more than 50 bytes"), ("objects", "a pack of 51 ob")]
)
def test_what_is_too_much_is_refused_while_it_still_comes(tmp_path, limit, said):
    taken = []

    def endless():
        for chunk in (b"PACK\0\0\0\2\0\0\0\x33", *[bytes(20)] * 1000):
            taken.append(chunk)
            yield chunk

    with pytest.raises(BadPack, match=said):
        read_pack(endless(), str(tmp_path), replace(LIMITS, **{limit: 50}))
    assert len(taken) < 4


@pytest.mark.slow
def test_millions_of_instructions_in_a_few_bytes_are_not_followed_to_their_end(receive):
    """Each makes one byte, and all together are deflated to nothing."""
    base = whole(GitObject("blob", b"x"))
    size = 10 * 2**20
    stream = zlib.compress(delta(1, size, insert(b"x") * size), 9)
    bomb = head(BY_PLACE, len(delta(1, size)) + 2 * size) + bytes([len(base)]) + stream
    data = pack(base, bomb)
    assert len(data) < 2**17
    memory, said = receive(data, seconds=2)
    assert said == "deltas of more instructions than a pack of that length has"
    assert memory < 2**28


@pytest.mark.slow
def test_bases_that_are_large_and_many_are_not_unpacked_for_each_of_many_deltas(receive):
    """Each delta goes back to another base than the one before, and there are more than can be kept at hand."""
    bases = [zeros(2**22 + (number << 20)) for number in range(4)]
    body = b"PACK\0\0\0\2" + (4 + 4000).to_bytes(4, "big")
    places = []
    for base in bases:
        places.append(len(body))
        body += base
    for number in range(4000):
        making = delta((4 + number % 4) << 20, 4, insert(number.to_bytes(4, "big")))
        body += delta_by_place(len(body) - places[number % 4], making)
    memory, said = receive(finished(body), '{"object_bytes": 7340032}', seconds=10)
    assert said == "deltas that go back to each other in a way that takes too long to follow"
    assert memory < 6 * 7340032


@pytest.mark.slow
def test_a_large_sound_pack_takes_no_more_memory_than_its_largest_objects(receive):
    blobs = [GitObject("blob", bytes([number]) * 2**20) for number in range(60)]
    memory, said = receive(pack(*map(whole, blobs)), seconds=20)
    assert said == f"taken: {60 * 2**20} bytes"
    assert memory < 2**24
