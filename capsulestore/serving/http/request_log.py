"""One line a request, for who runs a server; and what went wrong in it unexpectedly, which no client is told.

    2026-03-01T09:30:00Z GET /api/capsules 200 5120 3.4ms ada
    2026-03-01T09:30:01Z POST /git/git-receive-pack 507 61 2.1ms ada: cannot write to the store ...

Time (UTC), method, path, status, bytes of the body, how long it took, and the name of the token or `-`; then the reason
where the application gives one, as `said` in the state of the scope. No query, no header and no body is told, and no
token wherever it stands. The status is `-` where the client left unanswered.
"""

from __future__ import annotations

import asyncio
import re
import time
import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from capsulestore.model.redaction.tokens import redact_tokens
from capsulestore.serving.problems import Problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["RequestLog"]

_PLAIN: Final = re.compile(r"(?:/(?:[a-z-]{1,20}|[0-9a-f]{64}))+")
"""Paths that hold nothing to redact or escape, as most do: to look for that takes longer than the rest of a line."""

_NO_WORD: Final = re.compile(r"[^\x21-\x7e]|\\")
"""What may have to be escaped: of letters beyond ASCII only those that cannot be printed, or stand for no text."""

_NO_TEXT: Final = "\ufffd"
"""What stands in a path where its bytes are no UTF-8."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST"})
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")
_PATH_CHARACTERS: Final = 1000
_FAILED: Final = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal",
    "something went wrong in the server",
    "whoever runs it finds in its output what that was",
)


class RequestLog:
    """An ASGI application around another: `write` is given each line, without a line break.

    What the application raises ends here: it is written with its traceback, and the client is told 500 where it was
    told nothing yet.
    """

    def __init__(self, app: ASGIApp, write: Callable[[str], None]) -> None:
        self._app = app
        self._write = write
        self._second = 0
        self._time = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, and write the line when it has ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, self._noting(send))
            return
        began = time.perf_counter()
        status: int | None = None
        sent = 0

        async def count(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            elif scope["method"] != "HEAD":
                sent += len(message.get("body", b""))
            await send(message)
            if message.get("more_body"):
                # Where the other side takes all at once, or is gone, nothing else makes a stream let others go on.
                await asyncio.sleep(0)

        try:
            await self._app(scope, receive, count)
        except Exception as error:
            self._write_lines("".join(traceback.format_exception(error)))
            if status is None:
                await _FAILED.response()(scope, receive, count)
        finally:
            taken = (time.perf_counter() - began) * 1000
            line = f"{self._now()} {_asked(scope)} {status or '-'} {sent} {taken:.1f}ms {_name(scope)}"
            self._write(line + _said(scope))

    def _noting(self, send: Send) -> Send:
        """Return what passes on what an application says of its start, and writes why it did not."""

        async def note(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                self._write_lines(message.get("message", ""))
            await send(message)

        return note

    def _write_lines(self, text: str) -> None:
        for line in redact_tokens(text).splitlines():
            self._write(_UNPRINTABLE.sub(_escaped, line))

    def _now(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._time = second, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
        return self._time


def _asked(scope: Scope) -> str:
    path = scope["path"]
    if scope["method"] in _METHODS and _PLAIN.fullmatch(path):
        return f"{scope['method']} {path}"
    path = redact_tokens(path)
    if len(path) > _PATH_CHARACTERS:
        path = f"{path[:_PATH_CHARACTERS]}..."
    return f"{redact_tokens(scope['method'])} {_NO_WORD.sub(_in_a_word, path)}"


def _name(scope: Scope) -> str:
    caller: Any = scope.get("state", {}).get("caller")
    return caller.name or "-" if caller else "-"


def _said(scope: Scope) -> str:
    said: str = scope.get("state", {}).get("said", "")
    return f": {_UNPRINTABLE.sub(_escaped, redact_tokens(said))}" if said else ""


def _in_a_word(match: re.Match[str]) -> str:
    letter = match[0]
    return letter if not letter.isascii() and letter.isprintable() and letter != _NO_TEXT else _escaped(match)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 2**8 else match[0].encode("unicode_escape").decode("ascii")
