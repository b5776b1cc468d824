"""Pkt-lines: how git frames what two sides say to each other (git's documentation, `gitprotocol-common`).

A packet is four hex digits, the length of the whole, then its data; `0000` is a flush, the end of a section. Within
side-bands (`gitprotocol-pack`) a packet's first byte says whether it is data (1), text for people (2) or the remote's
last words (3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from capsulestore.errors import InvalidValue, RemoteMisbehaved, RemoteRefused, RemoteUnreachable
from capsulestore.sync.limits import Limits

__all__ = ["FLUSH", "MAX_DATA_BYTES", "PacketReader", "encode", "reading"]

FLUSH: Final = b"0000"
MAX_DATA_BYTES: Final = 65_516
"""The most data that one packet has."""

_HEADER_BYTES: Final = 4
_LENGTH: Final = re.compile(rb"[0-9a-fA-F]{4}")
_ERROR: Final = b"ERR "
_DATA, _SAID, _FATAL = 1, 2, 3
_BLANK: Final = " \t\r\n\0"
"""What stands around words and says nothing; git ends its last ones with a zero."""
_MAX_WORDS: Final = 1_000
"""Bytes of a remote's last words that an error repeats."""


def encode(data: bytes) -> bytes:
    """Return data as one packet; raise `InvalidValue` for more than `MAX_DATA_BYTES`."""
    if len(data) > MAX_DATA_BYTES:
        raise InvalidValue(f"a packet of {len(data)} bytes; the protocol has room for {MAX_DATA_BYTES}")
    return b"%04x%s" % (len(data) + _HEADER_BYTES, data)


def reading(chunks: Iterable[bytes]) -> Callable[[int], bytes]:
    """Return a function that reads chunks as a stream: at most so many bytes at a time, none at the end."""
    source = iter(chunks)
    rest = memoryview(b"")

    def read(size: int) -> bytes:
        nonlocal rest
        while not rest:
            try:
                rest = memoryview(next(source))
            except StopIteration:
                return b""
        taken, rest = rest[:size], rest[size:]
        return bytes(taken)

    return read


class PacketReader:
    """Reads what a remote says, a packet at a time, and never a byte more than that.

    `read(n)` returns at least one byte and at most n, none where the connection has ended. `remote` is how errors name
    the other side. Methods raise `RemoteUnreachable` where the connection ends too early, `RemoteRefused` where the
    remote says that something went wrong (`ERR`), `RemoteMisbehaved` for what is no packet or is beyond the limits.
    """

    def __init__(self, read: Callable[[int], bytes], limits: Limits, remote: str) -> None:
        self._read = read
        self._next: list[bytes | None] = []
        self.limits = limits
        self.remote = remote

    def put_back(self, packet: bytes | None) -> None:
        """Have a packet be the next one again: it was read to see what it is."""
        self._next.append(packet)

    def packet(self) -> bytes | None:
        """Return the data of the next packet; None for a flush."""
        if self._next:
            return self._next.pop()
        header = self._exactly(_HEADER_BYTES)
        if not _LENGTH.fullmatch(header):
            raise RemoteMisbehaved(
                self.remote,
                "it answers with something that is not git's protocol",
                hint="does the address lead to a web page, or does the login there print a greeting?",
            )
        size = int(header, 16)
        if size == 0:
            return None
        if not _HEADER_BYTES <= size <= self.limits.line_bytes:
            raise RemoteMisbehaved(self.remote, f"it sent a packet with the length {size}")
        data = self._exactly(size - _HEADER_BYTES)
        if data.startswith(_ERROR):
            raise RemoteRefused(self.remote, _words(data.removeprefix(_ERROR)))
        return data

    def line(self) -> bytes | None:
        """Return the next packet as a line of text, without the newline that may end it; None for a flush."""
        data = self.packet()
        return None if data is None else data.removesuffix(b"\n")

    def lines(self, limit_bytes: int) -> Iterator[bytes]:
        """Yield the lines up to the next flush, of so many bytes together at most, framing included."""
        seen = 0
        while (line := self.line()) is not None:
            seen += _HEADER_BYTES + len(line)
            if seen > limit_bytes:
                raise RemoteMisbehaved(self.remote, f"it does not come to an end: more than {limit_bytes} bytes")
            yield line

    def data(self, said: Callable[[bytes], None], limit_bytes: int) -> Iterator[bytes]:
        """Yield the data in side-bands up to the flush, of so many bytes at most; give `said` the text for people.

        Raise `RemoteRefused` with the remote's last words, where it has such.
        """
        received = idle = 0
        while (packet := self._banded()) is not None:
            band, content = packet[0], packet[1:]
            if band == _FATAL:
                raise RemoteRefused(self.remote, _words(content))
            if band == _DATA and content:
                received += len(content)
                if received > limit_bytes:
                    raise RemoteMisbehaved(self.remote, f"it does not come to an end: more than {limit_bytes} bytes")
                yield content
            elif band in {_DATA, _SAID}:
                # Signs of life count too, or they could go on for ever.
                idle += _HEADER_BYTES + len(packet)
                if idle > self.limits.said_bytes:
                    raise RemoteMisbehaved(self.remote, "it talks on and on")
                if content:
                    said(content)
            else:
                raise RemoteMisbehaved(self.remote, f"it sent a packet in the side-band {band}")

    def _banded(self) -> bytes | None:
        packet = self.packet()
        if packet == b"":
            raise RemoteMisbehaved(self.remote, "it sent a packet without a side-band")
        return packet

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._read(size)
            if not part:
                raise RemoteUnreachable(self.remote, "the connection ended before it had said all")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def _words(said: bytes) -> str:
    words = said[:_MAX_WORDS].decode("utf-8", "replace").strip(_BLANK)
    return f"it says: {words}" if words else "it says that something went wrong, but not what"
