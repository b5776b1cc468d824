"""A conversation with git over HTTP, where each turn is a request of its own (git's documentation, `gitprotocol-http`).

GET  PLACE/info/refs?service=SERVICE      the advertisement
POST PLACE/SERVICE                        the request, and its answer
"""

from __future__ import annotations

import http
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Final, NamedTuple

from capsulestore.errors import NoCapsuleStore, RemoteProblem, RemoteRefused
from capsulestore.sync.address import Address
from capsulestore.sync.http.connection import Answer, HttpConnection
from capsulestore.sync.http.credentials import Login
from capsulestore.sync.http.place import GIT_PATH, Place
from capsulestore.sync.http.problems import of_status, of_told
from capsulestore.sync.http.told import JSON, json_object, told
from capsulestore.sync.limits import Limits
from capsulestore.sync.remote import Surroundings
from capsulestore.sync.wire.advertisement import read_service
from capsulestore.sync.wire.channel import Channel, Open, Service
from capsulestore.sync.wire.packet import FLUSH, PacketReader, reading

__all__ = ["HttpChannel", "opener"]

_SENT_WHOLE_BYTES: Final = 2**20
"""A request up to this size is sent with its length, a larger one in chunks (git: `http.postBuffer`)."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS: Final = 5
_SCHEME: Final = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]*)(?=\s|,|$)(?!\s*=)")
"""A way to say who asks, among those that `WWW-Authenticate` lists with their parameters (RFC 9110, 11.6.1)."""
_MAX_WORDS: Final = 300
_ERROR_BYTES: Final = 2**16
_PIECE_BYTES: Final = 2**12
_SAID: Final = frozenset({JSON, "text/plain"})


def opener(address: Address, surroundings: Surroundings, remote: str, limits: Limits) -> Open:
    """Return what begins conversations with the repository at an address; they share what let the first one in."""
    try:
        start = Place.parse(address.text)
    except ValueError:
        raise NoCapsuleStore(remote, "no web server can have that address") from None
    logins: dict[Place, Login] = {}

    def visit(place: Place) -> Visit:
        login = logins.setdefault(place, Login(place, address.user, surroundings, remote))
        return Visit(HttpConnection(place, surroundings.environ, remote, limits), login)

    @contextmanager
    def open_channel(service: Service) -> Iterator[Channel]:
        channel = HttpChannel(start, visit, service, remote, limits)
        try:
            yield channel
        finally:
            channel.leave()

    return open_channel


class Visit(NamedTuple):
    """A connection to a place, and what is said there of who asks."""

    connection: HttpConnection
    login: Login


class HttpChannel:
    """A `Channel` of at most two requests, besides those that it takes to be let in and to be led to the place."""

    def __init__(
        self, start: Place, visit: Callable[[Place], Visit], service: Service, remote: str, limits: Limits
    ) -> None:
        self._visit = visit
        self._connection, self._login = visit(start)
        self._service = service
        self._remote = remote
        self._limits = limits

    def opening(self) -> Callable[[int], bytes]:
        """Ask for the advertisement, follow redirects on the same host, and return what reads it."""
        tail = f"/info/refs?service={self._service}"
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._let_in(lambda headers: self._connection.ask("GET", tail, headers))
            if answer.status not in _REDIRECTS:
                break
            self._follow(answer, tail)
        else:
            raise RemoteRefused(
                self._remote,
                "it redirects from one address to the next, without an end",
                hint="what does a browser show at that address?",
            )
        read = self._body(answer, "advertisement")
        read_service(PacketReader(read, self._limits, self._remote), self._service)
        return read

    def ask(self, request: Iterable[bytes]) -> Callable[[int], bytes]:
        """Send the request, with its length where it is small, and return what reads the answer."""
        pieces = iter(request)
        first = list(_first(pieces, _SENT_WHOLE_BYTES))
        rest = next(pieces, None)
        tail = f"/{self._service}"
        if rest is None:
            answer = self._post(tail, b"".join(first))
        else:
            # What is sent in chunks cannot be sent again, so whether it would be let in is found out before.
            self._body(self._post(tail, FLUSH), "result")
            headers = {**self._types(), **self._headers()}
            answer = self._connection.stream(tail, headers, chain(first, [rest], pieces))
        return self._body(answer, "result")

    def leave(self) -> None:
        """Close the connection: a server expects nothing more."""
        self._connection.close()

    def explained(self, problem: RemoteProblem) -> RemoteProblem:
        """Return the problem: nothing more is known."""
        return problem

    def _post(self, tail: str, body: bytes) -> Answer:
        return self._let_in(lambda headers: self._connection.ask("POST", tail, {**self._types(), **headers}, body))

    def _let_in(self, send: Callable[[Mapping[str, str]], Answer]) -> Answer:
        """Send a request until the server is content with who asks."""
        while (answer := send(self._headers())).status == http.HTTPStatus.UNAUTHORIZED:
            asked = ", ".join(answer.headers.get_all("WWW-Authenticate", []))
            self._login.refused({scheme.lower() for scheme in _SCHEME.findall(asked)})
        if answer.status == http.HTTPStatus.OK:
            self._login.taken()
        return answer

    def _headers(self) -> dict[str, str]:
        from capsulestore import __version__  # noqa: PLC0415

        # Some forges know a git by this name only, and have a page for everybody else.
        return {"User-Agent": f"git/capsulestore-{__version__}", "Pragma": "no-cache", **self._login.headers()}

    def _types(self) -> dict[str, str]:
        kind = f"application/x-{self._service}"
        return {"Content-Type": f"{kind}-request", "Accept": f"{kind}-result"}

    def _follow(self, answer: Answer, tail: str) -> None:
        here = self._connection.place
        place = here.redirected(answer.getheader("Location") or "", tail)
        if place is None:
            raise NoCapsuleStore(
                self._remote, f"it redirects to something else ({answer.status})", hint="does it ask for a login?"
            )
        if not here.may_lead_to(place):
            raise RemoteRefused(
                self._remote,
                f"it redirects to `{place.shown}`, which is not followed to another host or without TLS",
                hint="if that is the store, give that address",
            )
        self._connection.close()
        self._connection, self._login = self._visit(place)

    def _body(self, answer: Answer, kind: str) -> Callable[[int], bytes]:
        """Return what reads the body of an answer that is what was asked for; else raise `RemoteProblem`."""
        content = answer.headers.get_content_type()
        read = reading(self._connection.read(answer))
        if answer.status != http.HTTPStatus.OK:
            raise self._problem(answer.status, content, read)
        if content != f"application/x-{self._service}-{kind}":
            raise NoCapsuleStore(
                self._remote,
                f"it does not answer as git does over HTTP, but with `{content[:_MAX_WORDS]}`",
                hint="the address of a repository, not of its page, is wanted; plain files are not enough",
            )
        return read

    def _problem(self, status: int, content: str, read: Callable[[int], bytes]) -> RemoteProblem:
        """Return the problem that a status tells, in the server's words where it has any."""
        data = b"".join(_first(iter(lambda: read(_PIECE_BYTES), b""), _ERROR_BYTES)) if content in _SAID else b""
        said = told(json_object(data)) if content == JSON else None
        if said is None:
            words = data[:_MAX_WORDS].decode("utf-8", "replace").strip() if content != JSON else ""
            return of_status(status, self._remote, words.partition("\n")[0])
        if status != http.HTTPStatus.NOT_FOUND:
            return of_told(status, said, self._remote)
        place = self._connection.place
        if place.path.endswith(GIT_PATH):
            return NoCapsuleStore(self._remote, "that server leaves out git's transport (404)", hint="see `--no-git`")
        return NoCapsuleStore(
            self._remote,
            "there is a server of capsules at that address, and its repository is below it (404)",
            hint=f"add `{GIT_PATH}`: `{place.shown}{GIT_PATH}`",
        )


def _first(pieces: Iterator[bytes], size_bytes: int) -> Iterator[bytes]:
    """Yield pieces until there are so many bytes of them."""
    while size_bytes >= 0 and (piece := next(pieces, None)) is not None:
        size_bytes -= len(piece)
        yield piece
