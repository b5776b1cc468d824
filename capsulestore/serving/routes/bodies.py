"""Bodies of requests: JSON, so long and no longer, each byte of it accounted for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request

from capsulestore.errors import InvalidValue
from capsulestore.model.json_text import parse_sent
from capsulestore.serving.limits import Limits
from capsulestore.serving.problems import Problem, Refused

__all__ = ["Bodies"]

_JSON: Final = "application/json"
_CHARACTER_SETS: Final = frozenset({"", "utf-8"})
_SPACE: Final = re.compile(r"\s")


class Bodies:
    """Takes the bodies of requests of one kind, which together may hold so much memory and no more."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held_bytes = 0

    @asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[bytes]:
        """Give the bytes of a body, for as long as the block takes to do something with them.

        Raise `Refused` for another type than JSON, an encoding, one that is too large, or says so before it is read,
        one that comes too slowly, and where others hold all the memory there is for bodies. Raise `ClientDisconnect`
        where the client goes away in the middle.
        """
        _check_type(request)
        body = bytearray()
        try:
            if _announced(request) > self._limits.body_bytes:
                raise self._too_large()
            await self._receive(request, body)
            yield bytes(body)
        finally:
            self._held_bytes -= len(body)

    async def _receive(self, request: Request, body: bytearray) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout_at(begun + self._limits.idle_seconds) as patience:
                async for chunk in request.stream():
                    body += chunk
                    self._held_bytes += len(chunk)
                    # What still comes of it is passed over: a client that was cut off would never read why.
                    if len(body) > self._limits.body_bytes:
                        raise self._too_large()
                    if self._held_bytes > self._limits.bodies_bytes:
                        raise Refused(_TOO_MANY)
                    worth = len(body) / self._limits.slowest_bytes_per_second
                    patience.reschedule(begun + self._limits.idle_seconds + worth)
        except TimeoutError:
            raise Refused(_TOO_SLOW) from None

    def parsed(self, body: bytes) -> Any:
        """Return the value of a body; raise `InvalidValue`. It takes as long as the body has many values."""
        value = parse_sent(body, self._limits.body_values)
        if _prose(value) > self._limits.body_prose:
            raise InvalidValue(f"the texts of several words have {self._limits.body_prose} characters at most together")
        return value

    def _too_large(self) -> Refused:
        message = f"a body has {self._limits.body_bytes} bytes at most"
        return Refused(Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", message))


_TOO_SLOW: Final = Problem(
    HTTPStatus.REQUEST_TIMEOUT, "too_slow", "the body came too slowly", headers={"Connection": "close"}
)
_TOO_MANY: Final = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "too_busy",
    "others are just sending as much as this server takes at once",
    "ask again in a few seconds",
    headers={"Retry-After": "5"},
)


def _announced(request: Request) -> int:
    try:
        return int(request.headers.get("content-length", "0"))
    except ValueError:
        return 0


def _prose(value: Any) -> int:
    """Return how many characters the texts have that are more than a word, keys among them."""
    if isinstance(value, str):
        return len(value) if _SPACE.search(value) else 0
    if isinstance(value, list):
        return sum(map(_prose, value))
    if isinstance(value, dict):
        return sum(map(_prose, value)) + sum(map(_prose, value.values()))
    return 0


def _check_type(request: Request) -> None:
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    name, _, value = parameters.strip().partition("=")
    charset = value.strip('"').lower() if name.lower() == "charset" else name
    if kind.strip().lower() != _JSON or charset not in _CHARACTER_SETS:
        raise _refused("a body is JSON", f"send `Content-Type: {_JSON}`")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise _refused("a body is sent as it is, not compressed", "send it without `Content-Encoding`")


def _refused(message: str, hint: str) -> Refused:
    return Refused(Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type", message, hint))
