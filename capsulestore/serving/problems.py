"""How what goes wrong is told over HTTP: a status, and `{"errors": [{"code", "message", "hint"}]}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from starlette.responses import JSONResponse

from capsulestore.errors import (
    AmbiguousName,
    CapsuleError,
    DamagedObject,
    InvalidValue,
    MalformedName,
    MissingObject,
    NoStore,
    StoreBusy,
    StoreUnreadable,
    StoreUnwritable,
    TagExists,
    UnknownName,
    UsageError,
)

__all__ = ["Problem", "Refused", "problem_of"]

_STATUSES: Final[Mapping[type[CapsuleError], HTTPStatus]] = {
    InvalidValue: HTTPStatus.UNPROCESSABLE_ENTITY,
    UsageError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownName: HTTPStatus.NOT_FOUND,
    AmbiguousName: HTTPStatus.CONFLICT,
    MalformedName: HTTPStatus.UNPROCESSABLE_ENTITY,
    TagExists: HTTPStatus.CONFLICT,
    NoStore: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreUnreadable: HTTPStatus.SERVICE_UNAVAILABLE,
    DamagedObject: HTTPStatus.SERVICE_UNAVAILABLE,
    MissingObject: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreUnwritable: HTTPStatus.INSUFFICIENT_STORAGE,
}
"""Errors of other kinds are about this machine, as an interpreter that does not answer: 503."""

_RETRY: Final = {"Retry-After": "5"}

_OVER_HTTP: Final = {"`capsule log`": "`GET /api/capsules`", "`capsule add`": "`POST /api/capsules`"}
"""What does over HTTP what a command does that a hint names."""

_LITERAL: Final = re.compile(r"`[^`]*`|\S+")
_LITERAL_CHARACTERS: Final = 100
_TEXT_CHARACTERS: Final = 1000
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """What a client is told in place of what it asked for; `more` are further members of the error's object."""

    status: int
    code: str
    message: str
    hint: str | None = None
    more: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> JSONResponse:
        """Return the answer, which nobody keeps."""
        hint = self.hint and _in_short(self.hint)
        error = {"code": self.code, "message": _in_short(self.message), "hint": hint, **self.more}
        headers = {"Cache-Control": "no-store", **self.headers}
        return JSONResponse({"errors": [error]}, status_code=self.status, headers=headers)


class Refused(Exception):
    """A request that is not answered, but with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def problem_of(error: CapsuleError, store: str) -> Problem:
    """Return how an error is told; where the store at that path lies is nobody's business, and is left out.

    Hints name what is there over HTTP. What is wrong with the server itself cannot be mended by who asks: no hint.
    """
    status = next(
        (_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES), HTTPStatus.SERVICE_UNAVAILABLE
    )
    told = error.as_dict()
    message = error.message.replace(store, ".capsules")
    hint = error.hint if status < HTTPStatus.INTERNAL_SERVER_ERROR else None
    for command, request in _OVER_HTTP.items():
        hint = hint and hint.replace(command, request)
    more = {key: value for key, value in told.items() if key not in {"code", "message", "hint"}}
    return Problem(status, error.code, message, hint, more, _RETRY if isinstance(error, StoreBusy) else {})


def _in_short(text: str) -> str:
    """Return a text in which what may be repeated of a request is not long, nor anything but text in one line."""
    text = _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
    return _cut(_LITERAL.sub(lambda found: _cut(found[0], _LITERAL_CHARACTERS), text), _TEXT_CHARACTERS)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 2]}…{text[-1]}"
