"""Bodies of requests: JSON, so long and no longer, each byte of it accounted for."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request

from capsulestore.model.json_text import parse_sent
from capsulestore.serving.limits import Limits
from capsulestore.serving.problems import Problem, Refused

__all__ = ["parsed", "received"]

_JSON: Final = "application/json"
_CHARACTER_SETS: Final = frozenset({"", "utf-8"})


async def received(request: Request, limits: Limits) -> bytes:
    """Return the bytes of a body; raise `Refused` for another type than JSON, an encoding, and one that is too large.

    Too large is one that says so, before it is read, and one that turns out to be. Raise `ClientDisconnect` where the
    client goes away in the middle.
    """
    _check_type(request)
    try:
        announced = int(request.headers.get("content-length", "0"))
    except ValueError:
        announced = 0
    body = bytearray()
    if announced <= limits.body_bytes:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limits.body_bytes:
                break
        else:
            return bytes(body)
    # What still comes of it is passed over: a client that was cut off would never read why.
    raise Refused(
        Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"a body has {limits.body_bytes} bytes at most")
    )


def parsed(body: bytes, limits: Limits) -> Any:
    """Return the value of a body; raise `InvalidValue`. It takes as long as the body has many values."""
    return parse_sent(body, limits.body_values)


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
