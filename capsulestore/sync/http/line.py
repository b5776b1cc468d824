"""A connection to a web server, direct or by a proxy, with TLS where its place asks for it."""

from __future__ import annotations

import http.client
import io
import select
import socket
import ssl
from collections.abc import Mapping
from typing import IO, Any, Final, cast

from capsulestore.errors import RemoteRefused, RemoteUnreachable
from capsulestore.sync.http.place import Place
from capsulestore.sync.http.proxy import Proxy
from capsulestore.sync.limits import Limits

__all__ = ["Line", "TooMuch", "connected", "trusted"]

_HEAD_BYTES: Final = 2**18
"""How much may come before an answer begins or the next piece of it is there, with what is read ahead: provisional
answers before it, and after its last piece what ends it, have no end of their own.
"""
_BUFFER_BYTES: Final = 2**16
_SENT_BYTES: Final = 2**14
"""How much is sent at a time: a record of TLS, for which there is room where there is any."""


class TooMuch(Exception):
    """More came before an answer, or between two pieces of one, than anybody may send."""


class Line:
    """As much of a socket as `http.client` uses, which would close it on its own; whoever made the line hangs up.

    Methods raise `OSError`, `TimeoutError` and `ssl.SSLError` among them.
    """

    def __init__(self, connection: socket.socket, seconds: float, proxy: Proxy | None = None) -> None:
        self._connection = connection
        self._seconds = seconds
        self.proxy = proxy
        self._left = _HEAD_BYTES
        self._in_head = False
        self._early: bytes | None = None
        connection.settimeout(seconds)

    def sendall(self, data: bytes | memoryview) -> None:
        """Send all."""
        self._connection.sendall(data)

    def send_until_answered(self, data: bytes) -> memoryview:
        """Send until something comes back, and return what is unsent then; nothing where all is sent."""
        rest = memoryview(data)
        while rest:
            if not self._wait(select.POLLIN | select.POLLOUT, self._seconds):
                raise TimeoutError
            if self.has_answered():
                break
            if self._wait(select.POLLOUT, self._seconds):
                rest = rest[self._connection.send(rest[:_SENT_BYTES]) :]
        return rest

    def makefile(self, _mode: str) -> IO[bytes]:
        """Return what reads from the line, for one answer."""
        return io.BufferedReader(_Incoming(self), _BUFFER_BYTES)

    def close(self) -> None:
        """Do nothing: it is `http.client` that asks."""

    def expect_head(self) -> None:
        """Limit what comes until `expect_piece`; an end that comes before is too early."""
        self._left, self._in_head = _HEAD_BYTES, True

    def expect_piece(self) -> None:
        """Limit what comes until this is called again: one piece of a body, which may be its end."""
        self._left, self._in_head = _HEAD_BYTES, False

    def receive_into(self, buffer: Any) -> int:
        """Read what there is; raise `TooMuch` beyond the limit."""
        if self._early is None:
            count = self._connection.recv_into(buffer)
        else:
            count = min(len(buffer), len(self._early))
            buffer[:count] = self._early[:count]
            # At the end of all, there is no more than none.
            self._early = self._early[count:] or (None if count else b"")
        if self._in_head and not count and len(buffer):
            # `http.client` would take what has come for all of the head.
            raise ConnectionResetError
        self._left -= count
        if self._left < 0:
            raise TooMuch
        return count

    def has_answered(self) -> bool:
        """Whether something has come that nobody read, an end included; TLS's own messages are not meant."""
        if self._early is None:
            if not self._wait(select.POLLIN, 0):
                return False
            self._connection.settimeout(0)
            try:
                self._early = self._connection.recv(_BUFFER_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            finally:
                self._connection.settimeout(self._seconds)
        return True

    def hang_up(self) -> None:
        """Close the socket."""
        self._connection.close()

    def _wait(self, events: int, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._connection, events)
        return bool(poll.poll(seconds * 1000))


class _Incoming(io.RawIOBase):
    def __init__(self, line: Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._line.receive_into(buffer)


def connected(place: Place, proxy: Proxy | None, trust: ssl.SSLContext | None, remote: str, limits: Limits) -> Line:
    """Return a line to a place; raise `OSError`, `ssl.SSLError` among them, and `RemoteProblem` for a proxy's answer.

    `trust` says which certificates are believed, for a place whose scheme is `https`.
    """
    host, port = (proxy.host, proxy.port) if proxy else (place.host, place.port)
    try:
        connection = socket.create_connection((host, port), timeout=limits.connect_seconds)
    except TimeoutError:
        reason = f"it does not take a connection within {limits.connect_seconds:g} seconds"
        raise RemoteUnreachable(remote, reason) from None
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if trust is not None:
            if proxy:
                _through(proxy, Line(connection, limits.connect_seconds), place, remote)
            safe = trust.wrap_socket(connection, server_hostname=place.host, do_handshake_on_connect=False)
            connection = safe
            safe.do_handshake()
    except BaseException:
        connection.close()
        raise
    # In a tunnel nobody is told of the proxy any more.
    return Line(connection, limits.idle_seconds, None if trust is not None else proxy)


def trusted(environ: Mapping[str, str], remote: str) -> ssl.SSLContext:
    """Return what certificates are believed: the system's authorities, or those that variables name instead.

    `GIT_SSL_CAINFO` as git has it, else `SSL_CERT_FILE` and `SSL_CERT_DIR` as OpenSSL has them.
    """
    file = environ.get("GIT_SSL_CAINFO") or environ.get("SSL_CERT_FILE")
    directory = None if environ.get("GIT_SSL_CAINFO") else environ.get("SSL_CERT_DIR")
    try:
        return ssl.create_default_context(cafile=file or None, capath=directory or None)
    except OSError as error:
        raise RemoteUnreachable(
            remote,
            f"no certificate can be checked: `{file or directory}` cannot be read ({error.strerror or error})",
            hint="see the variables `GIT_SSL_CAINFO` and `SSL_CERT_FILE`",
        ) from None


def _through(proxy: Proxy, line: Line, place: Place, remote: str) -> None:
    """Ask a proxy for a tunnel (RFC 9110, 9.3.6)."""
    host = f"[{place.host}]" if ":" in place.host else place.host
    target = f"{host}:{place.port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    lines += [f"{name}: {value}" for name, value in proxy.headers.items()]
    line.expect_head()
    line.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    answer = http.client.HTTPResponse(cast("Any", line), method="CONNECT")
    try:
        answer.begin()
    finally:
        answer.close()
    if answer.status == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        raise RemoteRefused(
            remote,
            f"the proxy `{proxy.host}` asks for a password, or does not take the one that it was given",
            hint="`https_proxy=http://USER:PASSWORD@HOST:PORT`",
        )
    if answer.status != http.HTTPStatus.OK:
        raise RemoteUnreachable(remote, f"the proxy `{proxy.host}` does not lead to it ({answer.status})")
