"""Asks a server one thing by HTTP, until a deadline and for so many bytes, whatever it does.

Loaded by those who ask, when they do: what it needs of the standard library takes longer to load than to ask.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import IO, Any, cast

from capsulestore.capture.container.answers import parse
from capsulestore.capture.container.deadline import Deadline
from capsulestore.capture.container.limits import Limits
from capsulestore.capture.container.source import NoAnswer

__all__ = ["Connect", "get_json", "over_tls", "over_unix_socket"]

Connect = Callable[[Deadline], socket.socket]
"""Returns a socket to the server; raises `OSError`, `TimeoutError` among them."""


def get_json(connect: Connect, path: str, headers: Mapping[str, str], deadline: Deadline, limits: Limits) -> Any:
    """Return what a GET answers in JSON where its status is 200, else the status.

    Nothing is followed: a redirect is a status like any other. Raise `NoAnswer` for what is no answer, for more than
    `limits.answer_bytes`, headers included, and for what is not all there by the deadline.
    """
    line: socket.socket | None = None
    try:
        line = connect(deadline)
        connection = http.client.HTTPConnection("localhost")
        connection.sock = cast("Any", _Line(line, deadline, limits.answer_bytes))
        connection.request("GET", path, headers={"Accept": "application/json", "Connection": "close", **headers})
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            return response.status
        # Without a number, room would be made for as many bytes as the server says there are.
        return parse(response.read(limits.answer_bytes))
    except TimeoutError:
        raise NoAnswer("did not answer in time") from None
    except _TooMuch:
        raise NoAnswer(f"answers with more than {limits.answer_bytes} bytes") from None
    except ssl.SSLCertVerificationError:
        raise NoAnswer("has a certificate that the service account's authority does not vouch for") from None
    except ssl.SSLError:
        raise NoAnswer("does not speak TLS") from None
    except (http.client.HTTPException, ConnectionResetError, BrokenPipeError, ValueError):
        raise NoAnswer("does not answer as a server of HTTP would") from None
    except OSError as error:
        raise NoAnswer(f"cannot be asked ({error.strerror or error})") from None
    finally:
        if line is not None:
            line.close()


def over_unix_socket(path: str) -> Connect:
    """Return what connects to the server that listens on a socket in the file system (unix(7))."""

    def connect(deadline: Deadline) -> socket.socket:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.settimeout(deadline.left())
            line.connect(path)
        except BaseException:
            line.close()
            raise
        return line

    return connect


def over_tls(address: str, port: int, authorities: str) -> Connect:
    """Return what connects to the server at an IP address whose certificate one of `authorities` (PEM) vouches for.

    No variable has a say in it: neither a proxy, which would get to know who asks, nor a file for the keys.
    """

    def connect(deadline: Deadline) -> socket.socket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cadata=authorities)
        except (ssl.SSLError, ValueError):
            raise NoAnswer("cannot be asked (the service account has no certificate of an authority)") from None
        line = socket.create_connection((address, port), timeout=deadline.left())
        try:
            line = context.wrap_socket(line, server_hostname=address, do_handshake_on_connect=False)
            line.settimeout(deadline.left())
            line.do_handshake()
        except BaseException:
            line.close()
            raise
        return line

    return connect


class _TooMuch(Exception):
    """There were more bytes than anybody may send."""


class _Line:
    """As much of a socket as `http.client` uses; whoever made it closes it, since a response is read to its end."""

    def __init__(self, line: socket.socket, deadline: Deadline, most: int) -> None:
        self._line = line
        self._deadline = deadline
        self._most = most

    def sendall(self, data: bytes) -> None:
        # The time is that of the whole, however it is split.
        self._line.settimeout(self._deadline.left())
        self._line.sendall(data)

    def makefile(self, _mode: str) -> IO[bytes]:
        return io.BufferedReader(_Received(self._line, self._deadline, self._most))

    def close(self) -> None:
        pass


class _Received(io.RawIOBase):
    """What comes in, each piece with what is left of the time; a byte too many raises `_TooMuch`."""

    def __init__(self, line: socket.socket, deadline: Deadline, most: int) -> None:
        self._line = line
        self._deadline = deadline
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._line.settimeout(self._deadline.left())
        count = self._line.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise _TooMuch
        return count
