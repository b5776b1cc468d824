"""Requests to the HTTP API of another store's server (`capsule serve`), and its answers as JSON.

Unlike a repository, an API is where its address says: a redirect is told, not followed, and who asks is said at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urljoin

import orjson

from capsulestore.errors import NoCapsuleStore, RemoteMisbehaved, RemoteRefused, RemoteUnreachable, UsageError
from capsulestore.model.redaction.tokens import redact_tokens
from capsulestore.sync.address import Address
from capsulestore.sync.http.api_problems import WHICH_ADDRESS, of_answer
from capsulestore.sync.http.connection import Answer, HttpConnection
from capsulestore.sync.http.place import GIT_PATH, Place, is_loopback
from capsulestore.sync.http.told import JSON, json_object
from capsulestore.sync.limits import Limits

__all__ = ["HttpApi"]

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_ERROR_BYTES: Final = 2**20
_MAX_WORDS: Final = 200


class HttpApi:
    """A server's API at a url, which may have a path that a proxy puts before its own.

    `environ` says which proxies and certificates to use, as for any remote. The token is sent over TLS and to this
    machine only, and is in nothing that is printed; `given_as` is what people know for its place. Each request has a
    connection of its own, but within a block (`with`), which keeps one: that is for one thread. Raise `UsageError` for
    what is no address or no token.
    """

    def __init__(
        self, url: str, token: str | None, environ: Mapping[str, str], limits: Limits, *, given_as: str
    ) -> None:
        self.place = _place(url)
        self._remote = f"`{self.place.shown}`"
        self._environ = environ
        self._limits = limits
        self._kept: HttpConnection | None = None
        self._token = token
        self._given_as = given_as
        if token is not None and not _TOKEN.fullmatch(token):
            raise UsageError(
                f"the token in {given_as} is empty, or holds what no token can",
                hint="a token is of ASCII letters, digits and signs, with no space and no line break",
            )

    def __repr__(self) -> str:
        return f"HttpApi({self.place.shown!r})"

    def __enter__(self) -> Self:
        self._kept = self._connection()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def get(self, tail: str) -> dict[str, Any]:
        """Return the document that lies at a path below the url, which may have a query."""
        return self._ask("GET", tail, writes=False)

    def post(self, tail: str, document: Mapping[str, Any], *, writes: bool) -> dict[str, Any]:
        """Send a document to a path below the url, and return the one that is the answer; `writes` where it is kept.

        For this as for `get`: raise `RemoteProblem` where no answer comes, or none of such a server, and the error of
        the code that the server gives.
        """
        return self._ask("POST", tail, orjson.dumps(document), writes=writes)

    def misbehaved(self, reason: str) -> RemoteMisbehaved:
        """Return the error for an answer that no sound server gives."""
        return RemoteMisbehaved(self._remote, reason)

    def _ask(self, method: str, tail: str, body: bytes = b"", *, writes: bool) -> dict[str, Any]:
        connection = self._kept or self._connection()
        try:
            answer = connection.ask(method, tail, self._headers(body), body)
            return self._document(connection, answer, tail, writes=writes)
        except NoCapsuleStore as problem:
            if not self.place.path.endswith(GIT_PATH):
                raise
            api = self.place.shown.removesuffix(GIT_PATH)
            raise NoCapsuleStore(
                problem.remote, problem.reason, hint=f"`{GIT_PATH}` is for git: leave out `{GIT_PATH}`, as in `{api}`"
            ) from None
        finally:
            if connection is not self._kept:
                connection.close()

    def _connection(self) -> HttpConnection:
        return HttpConnection(self.place, self._environ, self._remote, self._limits)

    def _headers(self, body: bytes) -> dict[str, str]:
        from capsulestore import __version__  # noqa: PLC0415

        headers = {"User-Agent": f"capsulestore/{__version__}", "Accept": JSON}
        if body:
            headers["Content-Type"] = JSON
        if self._token and self._may_have_token():
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def _may_have_token(self) -> bool:
        return self.place.scheme == "https" or is_loopback(self.place.host)

    def _document(self, connection: HttpConnection, answer: Answer, tail: str, *, writes: bool) -> dict[str, Any]:
        if 300 <= answer.status < 400:
            raise self._redirected(answer, tail)
        is_error = answer.status >= 400
        kind = answer.headers.get_content_type()
        data = self._read(connection, answer, _ERROR_BYTES if is_error else self._limits.answer_bytes)
        document = json_object(data) if kind == JSON else None
        if is_error:
            create = "capsule token create NAME" + " --scope write" * writes
            withheld = self._token is not None and not self._may_have_token()
            raise of_answer(
                answer.status,
                document,
                self._remote,
                where_from=f"`{create}` on the server's machine makes one; it goes into {self._given_as}",
                withheld=withheld,
            )
        if kind != JSON:
            raise NoCapsuleStore(
                self._remote,
                f"it does not answer as a server of capsules does, but with `{kind[:_MAX_WORDS]}`",
                hint=f"does it ask for a login? {WHICH_ADDRESS}",
            )
        if document is None:
            raise self.misbehaved("it answers with what is no JSON object")
        return document

    def _read(self, connection: HttpConnection, answer: Answer, most: int) -> bytes:
        pieces, left = [], most
        for piece in connection.read(answer):
            left -= len(piece)
            if left < 0:
                raise self.misbehaved(f"it answers with more than {most // 2**20} MiB")
            pieces.append(piece)
        if answer.length:
            raise RemoteUnreachable(self._remote, "the connection ended before it had said all")
        return b"".join(pieces)

    def _redirected(self, answer: Answer, tail: str) -> RemoteRefused:
        place = self.place
        here = f"{place.scheme}://{place.authority}{place.path}{tail}"
        url = urljoin(here, answer.getheader("Location") or "")
        try:
            # Without its query, which may hold somebody's secret where it leads to the page of a login.
            target = Place.parse(url.partition("?")[0].removesuffix(tail.partition("?")[0])).shown[:_MAX_WORDS]
        except ValueError:
            target = "nowhere"
        return RemoteRefused(
            self._remote,
            f"it redirects to `{target}`, which is not followed ({answer.status})",
            hint="if that is the server, give that address",
        )


def _place(url: str) -> Place:
    try:
        address = Address.parse(url)
    except UsageError as error:
        raise UsageError(error.message, hint=WHICH_ADDRESS) from None
    if address.kind != "http":
        # What was taken for a path is told as it was given.
        shown = redact_tokens(url) if address.kind == "path" else address.shown
        raise UsageError(f"`{shown}` is no address of a web server", hint=WHICH_ADDRESS)
    if address.user is not None:
        raise UsageError("the address of a server has no user in it", hint=WHICH_ADDRESS)
    try:
        return Place.parse(address.text)
    except ValueError:
        raise UsageError(f"no web server can have the address `{address.shown}`", hint=WHICH_ADDRESS) from None
