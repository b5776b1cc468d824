"""How what goes wrong is told over HTTP: a status, and `{"errors": [{"code", "message", "hint"}]}`."""

from __future__ import annotations

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
        error = {"code": self.code, "message": self.message, "hint": self.hint, **self.more}
        headers = {"Cache-Control": "no-store", **self.headers}
        return JSONResponse({"errors": [error]}, status_code=self.status, headers=headers)


class Refused(Exception):
    """A request that is not answered, but with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def problem_of(error: CapsuleError, store: str) -> Problem:
    """Return how an error is told; where the store at that path lies is nobody's business, and is left out."""
    status = next(
        (_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES), HTTPStatus.SERVICE_UNAVAILABLE
    )
    told = error.as_dict()
    message, hint = (text and text.replace(store, ".capsules") for text in (error.message, error.hint))
    more = {key: value for key, value in told.items() if key not in {"code", "message", "hint"}}
    return Problem(status, error.code, message or "", hint, more, _RETRY if isinstance(error, StoreBusy) else {})
