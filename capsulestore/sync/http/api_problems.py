"""What a server's HTTP API says in place of an answer, as the errors that its codes name."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

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
    StoreBusy,
    StoreUnreadable,
    StoreUnwritable,
    UnknownName,
    UsageError,
)
from capsulestore.sync.http.problems import of_status, of_told
from capsulestore.sync.http.told import Told, told

__all__ = ["WHICH_ADDRESS", "of_answer"]

WHICH_ADDRESS: Final = (
    "the address is the url that `capsule serve` prints, as `http://HOST:PORT` or `https://HOST/PATH`, "
    "and not the name of a remote"
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


def of_answer(
    status: int, document: Mapping[str, Any] | None, remote: str, *, where_from: str, withheld: bool
) -> CapsuleError:
    """Return the error that an answer with a status of 400 or more tells.

    `document` is its body, None where that is no JSON object; `where_from` is a hint of how to get a token that will
    do; `withheld` says that there was one which was not sent, as others could have read it on its way.
    """
    said = told(document)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return _of_access(status, said, remote, where_from, withheld=withheld)
    if said and (error := _of_code(said, remote)):
        return error
    if status in _NOTHING_THERE:
        reason = f"there is no server of capsules at that address ({status})"
        return NoCapsuleStore(remote, reason, hint=WHICH_ADDRESS)
    return of_status(status, remote) if said is None else of_told(status, said, remote)


def _of_code(said: Told, remote: str) -> CapsuleError | None:
    if said.code == AmbiguousName.code:
        return AmbiguousName(said.message, candidates=said.candidates, hint=said.hint)
    if said.code == InvalidValue.code:
        return InvalidValue(said.message)
    if kind := _ASKED.get(said.code):
        return kind(said.message, hint=said.hint)
    if kind := _OF_THE_STORE.get(said.code):
        return kind(f"{remote}: {said.message}", hint=said.hint)
    return None


def _of_access(status: int, said: Told | None, remote: str, hint: str, *, withheld: bool) -> RemoteRefused:
    if withheld:
        return RemoteRefused(
            remote,
            f"it asks for a token ({status}), which is not sent where others can read it on its way",
            hint="use an `https://` address",
        )
    reason = "it asks for a token" if status == HTTPStatus.UNAUTHORIZED else "it forbids that"
    return RemoteRefused(remote, f"{reason} ({status}){f': {said.message}' if said else ''}", hint=hint)
