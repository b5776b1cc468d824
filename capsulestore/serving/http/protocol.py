"""uvicorn's protocol of HTTP/1.1, with bounds on what a client may send and on how long it may keep a connection.

Of the insides of `uvicorn.protocols.http.h11_impl.H11Protocol` this needs: that it is an `asyncio.Protocol` whose
methods of that interface may be extended; the attributes `transport`, `loop`, `server_state` (with the headers of all
answers), `connections` (the set of all that are open) and `conn`, an `h11.Connection`, which may be another one while
no client is connected; and that it calls its methods `on_response_complete` when an answer is whole,
`send_400_response` while it handles what is wrong with a request, and `shutdown` when the server ends. Of asyncio's
transport: that it reads `max_size` bytes at most at once. A connection that is aborted ends as any that a client
closes: the application is told `http.disconnect`.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from http import HTTPStatus
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from capsulestore.serving.http.connection import Connection, UnclearEnd
from capsulestore.serving.limits import Limits
from capsulestore.serving.problems import Problem

__all__ = ["BoundedProtocol", "bounded_by"]

_STEP_BYTES: Final = 4096
_READ_BYTES: Final = 2**14
"""How much is taken from a client before the others have their turn: it may be thousands of chunks of one byte."""

_SENT_AHEAD_BYTES: Final = 2**17
"""How much the kernel keeps of an answer, which it doubles (socket(7)): that a client takes some of it shows only when
there is room for more.
"""

_LINGER_SECONDS: Final = 2.0
"""How long what a client still sends is passed over, once it was told no: or it may never read that."""

_HEAD_TOO_LARGE: Final = Problem(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", "the headers of the request are too large"
)
_NO_HTTP: Final = Problem(HTTPStatus.BAD_REQUEST, "bad_request", "what was sent is no request of HTTP/1.1")
_TOO_MANY: Final = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "too_many_connections",
    "as many clients are connected as this server takes",
    "ask again in a few seconds",
    headers={"Retry-After": "5"},
)


def bounded_by(limits: Limits) -> type[BoundedProtocol]:
    """Return the protocol with these limits, as a class: uvicorn makes the instances."""
    return type("_Bounded", (BoundedProtocol,), {"limits": limits})


class BoundedProtocol(H11Protocol):
    """One connection. A single timer looks now and then for how long the client was awaited, whatever happened between.

    So a limit may be passed by as much as half of the shortest one before the connection ends.
    """

    limits: Limits

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = Connection(h11.SERVER, self.limits.head_bytes)
        self._look_again: asyncio.TimerHandle | None = None
        self._moved = self.loop.time()
        """When the client last sent something, was answered, or could not be expected to send."""
        self._answered = self._moved
        self._head_since: float | None = self._moved
        """Since when the headers of a request are awaited."""
        self._untaken = 0
        """Bytes that the client had still to take when the timer looked."""
        self._taken_at = self._moved
        """When the timer last saw that it had taken some."""
        self._closes_at: float | None = None
        """Set once the client was told no."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look at the time; tell a client that it is one too many."""
        super().connection_made(transport)
        transport.max_size = _READ_BYTES  # type: ignore[attr-defined]
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENT_AHEAD_BYTES)
        self._look()
        beyond = len(self.connections) - self.limits.connections
        if beyond > self.limits.connections:
            transport.abort()
        elif beyond > 0:
            self._end_with(_TOO_MANY)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking."""
        if self._look_again:
            self._look_again.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came: of headers in small steps, since h11 counts them once it holds all that it was given."""
        if self._closes_at is not None:
            return
        self._moved = now = self.loop.time()
        if self._head_since is None and self.conn.their_state is h11.IDLE:
            self._head_since = now
        while len(data) > _STEP_BYTES and self.conn.their_state is h11.IDLE:
            super().data_received(data[:_STEP_BYTES])
            data = data[_STEP_BYTES:]
            if self._closes_at is not None or self.transport.is_closing():
                return
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head_since = None

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._moved = self._answered = self.loop.time()
        super().on_response_complete()
        if self.conn.our_state is h11.DONE:
            self._look()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Tell a client what is wrong with its request, in our form, and end the connection."""
        error = sys.exc_info()[1]
        status = getattr(error, "error_status_hint", None)
        problem = _HEAD_TOO_LARGE if status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE else _NO_HTTP
        # An application was given all other requests whose headers are there, and waits for the rest.
        is_answering = self.conn.our_state is h11.SEND_RESPONSE and not isinstance(error, UnclearEnd)
        self._end_with(problem, is_answering=is_answering)

    def shutdown(self) -> None:
        """End when what was begun is answered."""
        if self._closes_at is None:
            super().shutdown()
        else:
            self.transport.abort()

    def _end_with(self, problem: Problem, *, is_answering: bool = False) -> None:
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            # Half an answer is on its way, which nothing can be added to.
            self.transport.abort()
            return
        response = problem.response()
        headers = [*self.server_state.default_headers, *response.raw_headers, (b"connection", b"close")]
        reason = HTTPStatus(problem.status).phrase
        for event in (
            h11.Response(status_code=problem.status, headers=headers, reason=reason),
            h11.Data(data=bytes(response.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        if is_answering:
            # So that what waits for the rest of the request is told that it will not come.
            self.transport.close()
            return
        self._closes_at = self.loop.time() + _LINGER_SECONDS
        self.transport.write_eof()
        self._look()

    def _look(self) -> None:
        """End the connection where the client was awaited for too long, else look again."""
        if self._look_again:
            self._look_again.cancel()
        limits = self.limits
        now = self.loop.time()
        left = self._deadline(now) - now
        if left <= 0:
            self._drop()
            return
        shortest = min(limits.head_seconds, limits.kept_seconds, limits.idle_seconds)
        self._look_again = self.loop.call_later(min(left, shortest / 2), self._look)

    def _deadline(self, now: float) -> float:
        """Return when the client must have done what it is awaited for."""
        if self._closes_at is not None:
            return self._closes_at
        limits = self.limits
        untaken = self._bytes_untaken()
        if untaken != self._untaken:
            self._untaken, self._taken_at = untaken, now
        if untaken:
            return self._taken_at + limits.idle_seconds
        if self.conn.their_state is not h11.IDLE:
            return self._deadline_of_request(now)
        if self._head_since is not None:
            return self._head_since + limits.head_seconds
        return self._moved + limits.kept_seconds

    def _deadline_of_request(self, now: float) -> float:
        idle_seconds = self.limits.idle_seconds
        if self.conn.their_state is not h11.SEND_BODY:
            # The request is whole: it is for the application to do something.
            return now + idle_seconds
        if self.conn.our_state is h11.DONE:
            # It was answered before it said all, and what still comes is passed over.
            return self._answered + min(_LINGER_SECONDS, idle_seconds)
        if not self.transport.is_reading() or self.conn.they_are_waiting_for_100_continue:
            self._moved = now
        return self._moved + idle_seconds

    def _drop(self) -> None:
        if self.transport.get_write_buffer_size():
            # With a reset (SO_LINGER, socket(7)): or the kernel goes on to offer it what it does not take.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        else:
            self.transport.close()

    def _bytes_untaken(self) -> int:
        """Return what the client has still to take: in our buffer and, where that is not empty, in the kernel's."""
        waiting = self.transport.get_write_buffer_size()
        if not waiting:
            return 0
        # SIOCOUTQ, tcp(7): what was not acknowledged. A slow client takes from the kernel's for long before it takes
        # of ours.
        kernels = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4))
        unacknowledged: int = struct.unpack("i", kernels)[0]
        return waiting + unacknowledged

    @property
    def _socket(self) -> socket.socket:
        found: socket.socket = self.transport.get_extra_info("socket")
        return found
