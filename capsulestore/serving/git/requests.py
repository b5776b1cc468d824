"""What a client of git asks over HTTP (git's documentation, `gitprotocol-http`), checked before any git is started.

    GET  /info/refs?service=SERVICE     which refs there are
    POST /SERVICE                       what is wanted, or sent

where SERVICE is `git-upload-pack` (fetches and clones) or `git-receive-pack` (pushes). There is nothing else: the files
of the repository, which the older protocol reads, are not served.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from starlette.types import Scope

__all__ = ["GitProblem", "GitRequest", "bounded", "inflated", "parse_request"]

Service = Literal["git-upload-pack", "git-receive-pack"]

_SERVICES: Final[tuple[Service, ...]] = ("git-upload-pack", "git-receive-pack")
_REFS: Final = "/info/refs"
_VERSION: Final = re.compile(r"(?:^|:)version=([012])(?:$|:)")
_DIGITS: Final = re.compile(r"[0-9]{1,18}")
_GZIP: Final = 16 + zlib.MAX_WBITS
_PIECE_BYTES: Final = 2**16


class GitProblem(Exception):
    """What a client is told in place of what it asked for: a status, and a line that git shows to its user.

    Where the line tells of the store's path, that is not told.
    """

    def __init__(self, status: int, said: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(said)
        self.status = status
        self.said = said
        self.headers = headers or {}


class GitRequest(NamedTuple):
    """A sound request: `version` is the version of the protocol that the client speaks, `length` that of the body."""

    service: Service
    asks_refs: bool
    version: str | None
    gzipped: bool
    length: int | None


def parse_request(scope: Scope) -> GitRequest:
    """Return what is asked; raise `GitProblem` with 404, 405, 411 or 415 for what is no such request."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    headers: dict[str, str] = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    found = _VERSION.search(headers.get("git-protocol", ""))
    asks_refs = path == _REFS
    service = _named(scope["query_string"]) if asks_refs else path.removeprefix("/")
    known = next((known for known in _SERVICES if known == service), None)
    if known is None:
        raise GitProblem(HTTPStatus.NOT_FOUND, "there is nothing here but what git asks for when it clones or pushes")
    methods = ("GET", "HEAD") if asks_refs else ("POST",)
    if scope["method"] not in methods:
        allowed = {"Allow": ", ".join(methods)}
        raise GitProblem(HTTPStatus.METHOD_NOT_ALLOWED, f"this is asked for by {methods[0]}", allowed)
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if not asks_refs:
        expected = f"application/x-{known}-request"
        if headers.get("content-type", "").strip().lower() != expected:
            raise GitProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the body has to be `{expected}`")
        if encoding not in {"identity", "gzip", "x-gzip"}:
            raise GitProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body may be compressed by gzip only")
    length = headers.get("content-length", "")
    return GitRequest(
        service=known,
        asks_refs=asks_refs,
        version=found[1] if found else None,
        gzipped=not asks_refs and encoding != "identity",
        length=int(length) if _DIGITS.fullmatch(length) else None,
    )


async def bounded(pieces: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """Yield the pieces of a body; raise `GitProblem` with 413 where they come to more bytes."""
    left = most
    async for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise GitProblem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than the {most} bytes that are taken at a time"
            )
        yield piece


async def inflated(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what gzipped pieces hold (RFC 1952), little at a time; raise `GitProblem` with 400 where that is not all.

    However much it comes to, no more of it is unpacked than is taken.
    """
    stream = zlib.decompressobj(_GZIP)
    try:
        async for piece in pieces:
            found = stream.decompress(piece, _PIECE_BYTES)
            while found:
                yield found
                found = stream.decompress(stream.unconsumed_tail, _PIECE_BYTES)
            if stream.unused_data:
                raise GitProblem(HTTPStatus.BAD_REQUEST, "there is more after the gzipped body")
    except zlib.error:
        raise GitProblem(HTTPStatus.BAD_REQUEST, "the body is not gzipped, though it says so") from None
    if not stream.eof:
        raise GitProblem(HTTPStatus.BAD_REQUEST, "the gzipped body is not whole")


def _named(query: bytes) -> str | None:
    """Return the one service that a query names."""
    services = parse_qs(query.decode("latin-1")).get("service", [])
    return services[0] if len(services) == 1 else None
