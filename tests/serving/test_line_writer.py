"""A log that is written from a thread: whole lines in order, some left out where nobody reads, and nobody held up."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager

import pytest

from capsulestore.serving.http.line_writer import LineWriter

PIPE_BYTES = 2**16
LONG = "x" * PIPE_BYTES


@contextmanager
def pipe(*, blocking=True):
    read, write = os.pipe()
    os.set_blocking(write, blocking)
    with open(read, "rb") as reader, open(write, "wb", buffering=0) as writer:
        yield reader, writer


def test_at_the_end_all_is_written_whole_and_in_order():
    written = [f"{number} \u00fc\udcff" for number in range(1000)]
    with pipe() as (reader, writer):
        with LineWriter(writer.fileno()) as lines:
            for line in written:
                lines.write(line)
        writer.close()
        assert reader.read().decode().splitlines() == [line.replace("\udcff", "\\udcff") for line in written]


@pytest.mark.parametrize("blocking", [True, False])
def test_who_stops_reading_holds_nobody_up_and_is_told_how_much_is_left_out(blocking):
    with pipe(blocking=blocking) as (reader, writer), LineWriter(writer.fileno(), most=10) as lines:
        lines.write(LONG)
        assert reader.read(1) == b"x"
        lines.write(LONG)
        for number in range(100):
            lines.write(f"{number} {LONG}")
        read = iter(lambda: reader.readline().decode(), "")
        assert [len(next(read)), len(next(read))] == [PIPE_BYTES, PIPE_BYTES + 1]
        came = []
        while not (said := re.match(r"(\d+) lines are left out here", line := next(read))):
            came.append(line)
        assert came == [f"{number} {LONG}\n" for number in range(len(came))]
        assert int(said[1]) + len(came) == 100
        lines.write("it goes on")
        assert next(read) == "it goes on\n"


def test_who_reads_nothing_is_not_waited_for_at_the_end():
    with pipe() as (reader, writer):
        with LineWriter(writer.fileno(), last_seconds=0.01) as lines:
            lines.write(LONG * 2)
        reader.close()


def test_where_nobody_can_read_nothing_is_written():
    with pipe() as (reader, writer):
        reader.close()
        with LineWriter(writer.fileno()) as lines:
            lines.write("lost")
    with LineWriter(None) as lines:
        lines.write("lost")
