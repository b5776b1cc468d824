"""What a server's HTTP API says in place of an answer, as the errors that its codes name.

Their form is `{"errors": [{"code", "message", "hint"}]}`. What has another form was said by something in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from capsulestore.errors import (
    AmbiguousName,
    CapsuleError,
    DamagedObject,
    InterpreterProblem,
    InvalidValue,
    MalformedName,
    MissingObject,
    NoCapsuleStore,
    NoStore,
    RemoteRefused,
    RemoteUnreachable,
    StoreBusy,
    StoreUnreadable,
    StoreUnwritable,
    UnknownName,
    UsageError,
)
from capsulestore.sync.http_problems import of_status

__all__ = ["WHICH_ADDRESS", "of_answer"]

WHICH_ADDRESS: Final = (
    "the address is the one that `capsule serve` prints, as `http://HOST:PORT` or `https://HOST/PATH`"
)

_ASKED: Final[Mapping[str, type[CapsuleError]]] = {kind.code: kind for kind in (UnknownName, MalformedName, UsageError)}
"""Errors in what was asked, wherever it is asked."""
_OF_THE_STORE: Final[Mapping[str, type[CapsuleError]]] = {
    kind.code: kind
    for kind in (
        DamagedObject,
        InterpreterProblem,
        MissingObject,
        NoStore,
        StoreBusy,
        StoreUnreadable,
        StoreUnwritable,
    )
}
"""Errors of the store and the machine there: whose they are is to be said."""

_NOTHING_THERE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE})
_MAX_TEXT: Final = 2_000
_MAX_CANDIDATES: Final = 1_000
_TOLD: Final = 3


class _Told(NamedTuple):
    """The first error of an answer; `message` tells of others too."""

    code: str
    message: str
    hint: str | None
    candidates: tuple[str, ...]


def of_answer(status: int, document: Mapping[str, Any] | None, remote: str, *, withheld: bool) -> CapsuleError:
    """Return the error that an answer with a status of 400 or more tells.

    `document` is its body, None where that is no JSON object; `withheld` says that there was a token which was not
    sent, as others could have read it on its way.
    """
    told = _told(document)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return _of_access(status, told, remote, withheld=withheld)
    if told and (error := _of_code(told, remote)):
        return error
    if status in _NOTHING_THERE:
        reason = f"there is no server of capsules at that address ({status})"
        return NoCapsuleStore(remote, reason, hint=WHICH_ADDRESS)
    if told is None:
        return of_status(status, remote)
    unfinished = RemoteUnreachable if status >= HTTPStatus.INTERNAL_SERVER_ERROR else RemoteRefused
    return unfinished(remote, told.message, hint=told.hint)


def _of_code(told: _Told, remote: str) -> CapsuleError | None:
    if told.code == AmbiguousName.code:
        return AmbiguousName(told.message, candidates=told.candidates, hint=told.hint)
    if told.code == InvalidValue.code:
        return InvalidValue(told.message)
    if kind := _ASKED.get(told.code):
        return kind(told.message, hint=told.hint)
    if kind := _OF_THE_STORE.get(told.code):
        return kind(f"{remote}: {told.message}", hint=told.hint)
    return None


def _of_access(status: int, told: _Told | None, remote: str, *, withheld: bool) -> RemoteRefused:
    said = f": {told.message}" if told else ""
    if withheld:
        return RemoteRefused(
            remote,
            f"it asks for a token ({status}), which is not sent where others can read it on its way",
            hint="use an `https://` address",
        )
    reason = "it asks for a token" if status == HTTPStatus.UNAUTHORIZED else "it forbids that"
    return RemoteRefused(
        remote,
        f"{reason} ({status}){said}",
        hint="`capsule token create` on the server's machine makes one; it goes into CAPSULE_TOKEN, or into `token=`",
    )


def _told(document: Mapping[str, Any] | None) -> _Told | None:
    """Return what the server tells, None where that has not the form in which ours do."""
    errors = (document or {}).get("errors")
    if not isinstance(errors, list) or not errors or not all(isinstance(error, dict) for error in errors):
        return None
    messages = [text for error in errors[:_TOLD] if (text := _text(error.get("message")))]
    code, hint, candidates = _text(errors[0].get("code")), _text(errors[0].get("hint")), errors[0].get("candidates")
    if not code or not messages:
        return None
    if more := len(errors) - len(messages):
        messages.append(f"and {more} more")
    names = [name for name in candidates if isinstance(name, str)] if isinstance(candidates, list) else []
    return _Told(code, "; ".join(messages), hint, tuple(names[:_MAX_CANDIDATES]))


def _text(value: object) -> str | None:
    return value[:_MAX_TEXT] if isinstance(value, str) and value else None
