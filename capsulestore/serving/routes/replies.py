"""Answers as they are sent: JSON that orjson writes, and what a digest names with its ETag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from capsulestore.model.canonical import Json

__all__ = ["immutable_reply", "json_reply"]

_FOR_EVER: Final = "private, max-age=31536000, immutable"
_ASK_AGAIN: Final = "private, no-cache"


def json_reply(value: Mapping[str, Json], *, status: int = 200, keep: str = "no-store", **headers: str) -> Response:
    """Return an answer of this moment; `keep` is its Cache-Control. A large one takes long: make it in a thread."""
    data = orjson.dumps(value)
    return Response(data, status, {"Cache-Control": keep, **headers}, "application/json")


def immutable_reply(request: Request, data: bytes, digest: str, *, by_digest: bool) -> Response:
    """Return what a digest names, or that the client has it already (RFC 9110, section 13.1.2).

    Asked for by its digest it is the same for ever; by another name, which may come to stand for something else, the
    client has to ask again.
    """
    etag = f'"{digest}"'
    headers = {"ETag": etag, "Cache-Control": _FOR_EVER if by_digest else _ASK_AGAIN}
    wanted = request.headers.get("if-none-match")
    if wanted is not None and _names(wanted, etag):
        return Response(status_code=304, headers=headers)
    return Response(data, 200, headers, "application/json")


def _names(wanted: str, etag: str) -> bool:
    """Whether a list of entity tags has this one, compared weakly."""
    return wanted.strip() == "*" or any(one.strip().removeprefix("W/") == etag for one in wanted.split(","))
