"""Requests to one place on a web server, one after the other, over a connection that is kept while the server keeps it.

HTTP/1.1 (RFC 9112) by the standard library's `http.client`.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, cast

from capsulestore.sync.http.line import Line, TooMuch, connected, trusted
from capsulestore.sync.http.place import Place
from capsulestore.sync.http.problems import in_words
from capsulestore.sync.http.proxy import proxy_for
from capsulestore.sync.limits import Limits

__all__ = ["Answer", "HttpConnection"]

Answer = http.client.HTTPResponse

_PIECE_BYTES: Final = 2**16
_LEFT_BYTES: Final = 2**14
"""How much of an answer that nobody wanted is read for the sake of its connection."""
_LAST_CHUNK: Final = b"0\r\n\r\n"


class HttpConnection:
    """One connection at a time to a place. Methods raise `RemoteProblem` for what goes wrong on the way.

    A status is for the caller to judge. An answer is to be read before the next request; what is left of it is lost.
    """

    def __init__(self, place: Place, environ: Mapping[str, str], remote: str, limits: Limits) -> None:
        self.place = place
        self._environ = environ
        self._remote = remote
        self._limits = limits
        self._trust: ssl.SSLContext | None = None
        self._line: Line | None = None
        self._reusable = True
        self._answer: Answer | None = None

    def ask(self, method: str, tail: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send a request whose body is here, and return the answer once its head has come, as `stream` does."""
        length = {"Content-Length": str(len(body))} if method == "POST" else {}
        with self._in_words():
            kept = self._kept()
            try:
                return self._ask(kept or self._new(), method, tail, {**headers, **length}, body)
            except ConnectionError:
                if kept is None:
                    raise
                # The server hung up meanwhile, as it may.
                return self._ask(self._new(), method, tail, {**headers, **length}, body)

    def stream(self, tail: str, headers: Mapping[str, str], pieces: Iterable[bytes]) -> Answer:
        """Send a POST in chunks as pieces come, and return the answer, which may come before all is sent.

        The rest is not sent to a server that answers early with anything but success.
        """
        with self._in_words():
            line = self._kept() or self._new()
            request = self._begin(line, "POST", tail, {**headers, "Transfer-Encoding": "chunked"})
        # Of a request that was cut short the server cannot tell where the next one begins.
        self._reusable = False
        for chunk in _chunks(pieces):
            with self._in_words():
                if not self._send(line, request, chunk):
                    break
        else:
            self._reusable = True
        with self._in_words():
            return self._answer or self._head(line, request)

    def read(self, answer: Answer) -> Iterator[bytes]:
        """Yield the body of an answer as it comes."""
        while True:
            with self._in_words():
                if self._line:
                    self._line.expect_piece()
                piece = answer.read1(_PIECE_BYTES)
            if not piece:
                return
            yield piece

    def close(self) -> None:
        """Close the connection; the next request makes another."""
        if self._answer is not None:
            self._answer.close()
            self._answer = None
        if self._line is not None:
            self._line.hang_up()
            self._line = None

    def _in_words(self) -> AbstractContextManager[None]:
        return in_words(self._remote, self._limits)

    def _kept(self) -> Line | None:
        """Return the line of the last request where it is fit for another."""
        if self._line is None or self._answer is None or self._answer.will_close or not self._reusable:
            return None
        try:
            self._line.expect_piece()
            self._answer.read(_LEFT_BYTES)
            if not self._answer.isclosed() or self._line.has_answered():
                return None
        except (OSError, http.client.HTTPException, TooMuch):
            return None
        return self._line

    def _new(self) -> Line:
        self.close()
        if self._trust is None and self.place.scheme == "https":
            self._trust = trusted(self._environ, self._remote)
        proxy = proxy_for(self.place, self._environ, self._remote)
        self._line = connected(self.place, proxy, self._trust, self._remote, self._limits)
        self._reusable = True
        return self._line

    def _ask(self, line: Line, method: str, tail: str, headers: Mapping[str, str], body: bytes) -> Answer:
        request = self._begin(line, method, tail, headers)
        if body:
            # Who is not let in, or sends too much, is often told so before all is sent.
            self._reusable = self._send(line, request, body)
        return self._answer or self._head(line, request)

    def _begin(self, line: Line, method: str, tail: str, headers: Mapping[str, str]) -> http.client.HTTPConnection:
        self._answer = None
        request = http.client.HTTPConnection(self.place.host)
        request.sock = cast("Any", line)
        target = f"{self.place.path}{tail}"
        if line.proxy:
            target = f"{self.place.scheme}://{self.place.authority}{target}"
            headers = {**headers, **line.proxy.headers}
        request.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": self.place.authority, "Accept-Encoding": "identity", **headers}.items():
            request.putheader(name, value)
        request.endheaders()
        return request

    def _send(self, line: Line, request: http.client.HTTPConnection, chunk: bytes) -> bool:
        """Send a piece of a body; return whether the server wants another."""
        try:
            rest: bytes | memoryview = chunk
            if self._answer is None:
                rest = line.send_until_answered(chunk)
                if rest and self._head(line, request).status != http.HTTPStatus.OK:
                    return False
            line.sendall(rest)
        except (BrokenPipeError, ConnectionResetError):
            # It takes no more. What it says may tell why.
            return False
        return True

    def _head(self, line: Line, request: http.client.HTTPConnection) -> Answer:
        line.expect_head()
        self._answer = request.getresponse()
        return self._answer


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if piece:
            yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield _LAST_CHUNK
