"""Packets: what git sends reads back, and nothing that is sent reads beyond the limits."""

from __future__ import annotations

import io
import subprocess
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from capsulestore.errors import InvalidValue, RemoteMisbehaved, RemoteProblem, RemoteRefused, RemoteUnreachable
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.wire.packet import FLUSH, MAX_DATA_BYTES, PacketReader, encode, reading

DATA = st.binary(max_size=40).filter(lambda data: not data.startswith(b"ERR "))
SIZES = st.integers(min_value=1, max_value=70_000)


def reader_of(sent: bytes, limits=LIMITS) -> PacketReader:
    return PacketReader(io.BytesIO(sent).read, limits, "`origin`")


def ignore(said: bytes) -> None:
    pass


def test_a_packet_is_its_length_in_hex_and_its_data():
    assert encode(b"a\n") == b"0006a\n"


def test_the_longest_packet_is_git_s_longest():
    assert encode(b"x" * MAX_DATA_BYTES).startswith(b"fff0")
    assert reader_of(encode(b"x" * MAX_DATA_BYTES)).packet() == b"x" * MAX_DATA_BYTES


def test_more_than_fits_is_refused():
    with pytest.raises(InvalidValue):
        encode(b"x" * (MAX_DATA_BYTES + 1))


@given(st.lists(DATA | st.none()))
def test_packets_read_back(packets):
    reader = reader_of(b"".join(FLUSH if data is None else encode(data) for data in packets))
    assert [reader.packet() for _ in packets] == packets


@given(st.lists(DATA.filter(lambda data: not data.endswith(b"\n"))))
def test_lines_read_back_with_and_without_the_newline_that_may_end_them(lines):
    for end in (b"", b"\n"):
        reader = reader_of(b"".join(encode(line + end) for line in lines) + FLUSH)
        assert list(reader.lines(10_000)) == lines


def test_the_length_is_read_in_upper_case_too():
    assert reader_of(b"000Aabcdef").packet() == b"abcdef"


@given(st.lists(DATA, min_size=1), SIZES)
def test_a_connection_that_gives_a_few_bytes_at_a_time_says_the_same(packets, size):
    sent = b"".join(encode(data) for data in packets)
    reader = PacketReader(reading(sent[at : at + size] for at in range(0, len(sent), size)), LIMITS, "`origin`")
    assert [reader.packet() for _ in packets] == packets


@given(st.lists(st.binary(max_size=10)), st.lists(SIZES, min_size=1))
def test_chunks_are_read_as_one_stream(chunks, sizes):
    read = reading(chunks)
    parts = [read(sizes[number % len(sizes)]) for number in range(len(b"".join(chunks)) + 1)]
    assert b"".join(parts) == b"".join(chunks)
    assert read(1) == b""


@pytest.mark.parametrize("sent", [b"", b"00", b"0006", b"0006a"])
def test_a_connection_that_ends_too_early_says_so(sent):
    with pytest.raises(RemoteUnreachable, match=r"^`origin`: the connection ended"):
        reader_of(sent).packet()


@pytest.mark.parametrize(
    "sent", [b"0001", b"0002", b"0003", b"fff1" + b"x" * 70_000, b"HTTP/1.1 200", b"-001", b" 005"]
)
def test_what_is_no_packet_is_refused(sent):
    with pytest.raises(RemoteMisbehaved):
        reader_of(sent).packet()


def test_a_remote_that_says_that_something_went_wrong_is_quoted():
    with pytest.raises(RemoteRefused, match=r"^`origin`: it says: no such repository$"):
        reader_of(encode(b"ERR no such repository\n")).packet()


def test_lines_without_an_end_are_given_up():
    with pytest.raises(RemoteMisbehaved, match="does not come to an end"):
        list(reader_of(encode(b"x" * 96) * 11).lines(1_000))


def test_empty_lines_without_an_end_are_given_up():
    with pytest.raises(RemoteMisbehaved, match="does not come to an end"):
        list(reader_of(encode(b"") * 300).lines(1_000))


def test_side_bands_tell_data_from_text():
    said = []
    sent = encode(b"\1PA") + encode(b"\2Counting\n") + encode(b"\1") + encode(b"\1CK") + FLUSH
    assert (b"".join(reader_of(sent).data(said.append, 100)), said) == (b"PACK", [b"Counting\n"])


def test_the_last_words_of_a_remote_are_quoted_but_not_without_end():
    with pytest.raises(RemoteRefused, match="it says: disk full") as caught:
        list(reader_of(encode(b"\3disk full " + b"!" * 60_000)).data(ignore, 100))
    assert len(caught.value.message) < 2_000


@pytest.mark.parametrize("packet", [encode(b""), encode(b"\0x"), encode(b"\4x"), encode(b"NAK\n")])
def test_what_is_in_no_side_band_is_refused(packet):
    with pytest.raises(RemoteMisbehaved, match="side-band"):
        list(reader_of(packet + FLUSH).data(ignore, 100))


@pytest.mark.parametrize("packet", [encode(b"\1" + b"x" * 50), encode(b"\2" + b"x" * 50), encode(b"\1"), encode(b"\2")])
def test_a_remote_that_goes_on_for_ever_is_given_up(packet):
    limits = replace(LIMITS, said_bytes=1_000)
    source = io.BytesIO(packet * 1_000)
    with pytest.raises(RemoteMisbehaved):
        list(PacketReader(source.read, limits, "`origin`").data(ignore, 1_000))
    assert source.tell() < 1_200


@given(st.binary(max_size=300) | st.lists(DATA.map(encode) | st.just(FLUSH)).map(b"".join))
@example(b"000aERR \xff\xfe")
def test_whatever_bytes_come_nothing_but_a_problem_of_the_remote_is_raised(sent):
    for read in (PacketReader.packet, lambda reader: list(reader.lines(100)), lambda r: list(r.data(ignore, 100))):
        with suppress(RemoteProblem):
            read(reader_of(sent))


@given(st.lists(DATA.map(lambda data: b"\1" + data)), st.binary(max_size=20))
def test_what_comes_behind_a_flush_is_left_for_who_reads_next(packets, rest):
    sent = b"".join(map(encode, packets)) + FLUSH
    for read in (lambda reader: list(reader.lines(10_000)), lambda reader: list(reader.data(ignore, 10_000))):
        source = io.BytesIO(sent + rest)
        read(PacketReader(source.read, LIMITS, "`origin`"))
        assert source.read() == rest


def test_what_git_says_of_itself_is_read_to_its_last_byte(repositories):
    said = subprocess.run(
        ["git", "upload-pack", "--advertise-refs", "sha256"], cwd=repositories, capture_output=True, check=True
    ).stdout
    reader = reader_of(said)
    lines = list(reader.lines(len(said)))
    assert b"".join(encode(line + b"\n") for line in lines) + FLUSH == said
