"""The one family of errors: what went wrong, as a code and in words, and what to do next.

    CapsuleError                      6  anything that failed here
    ├── InvalidValue                  2  a value that the format has no place for; carries its path
    ├── UsageError                    2  a request that makes no sense as it stands
    ├── NameProblem                   3
    │   ├── UnknownName               3  no such digest, tag or path
    │   ├── AmbiguousName             3  a prefix of more than one; carries the candidates
    │   └── MalformedName             3  no digest, prefix or tag can look like this
    ├── NoStore                       3  no `.capsules` here or above
    ├── FileProblem                   6  a file that was named cannot be read
    ├── StoreUnreadable               4  a store of another format or a newer schema
    ├── DamagedObject                 4  an object whose bytes are not what its name says
    ├── MissingObject                 4  an object that another one needs is not here
    ├── StoreBusy                     6  another process held the store for too long
    ├── StoreUnwritable               6  the store cannot be written: permission, space
    ├── InterpreterProblem            6  the target interpreter did not answer
    └── NotStarted                  126  a command that was to be run cannot be run
        └── CommandNotFound         127  there is no such command

The number is the exit status of a command that ends with that error.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AmbiguousName",
    "CapsuleError",
    "CommandNotFound",
    "DamagedObject",
    "FileProblem",
    "InterpreterProblem",
    "InvalidValue",
    "MalformedName",
    "MissingObject",
    "NameProblem",
    "NoStore",
    "NotStarted",
    "StoreBusy",
    "StoreUnreadable",
    "StoreUnwritable",
    "TagExists",
    "UnknownName",
    "UsageError",
]


class CapsuleError(Exception):
    """Something that capsulestore cannot do: a message in one line, and a hint where there is a next step."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 6

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:
            # For whom a traceback is shown.
            self.add_note(f"hint: {hint}")

    def as_dict(self) -> dict[str, object]:
        """Return the error as the command line's and the server's JSON have it."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class InvalidValue(CapsuleError):
    """A value that a format cannot represent, and where in the whole it stands.

    `path` holds keys and list indexes from the outermost inwards; the message begins with it
    (`python/packages/numpy/tags[0]: ...`).
    """

    code = "invalid_value"
    exit_code = 2

    def __init__(self, reason: str, path: tuple[str | int, ...] = ()) -> None:
        self.reason = reason
        self.path = path
        super().__init__(f"{format_path(path)}: {reason}" if path else reason)

    def under(self, *outer: str | int) -> InvalidValue:
        """Return the same error, seen from the value that holds this one."""
        return InvalidValue(self.reason, (*outer, *self.path))


def format_path(path: tuple[str | int, ...]) -> str:
    """Return a path in a value as people write it: `python/packages/numpy/tags[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f"/{part}" if text else part
    return text


class UsageError(CapsuleError):
    """A request that makes no sense as it stands, whatever the store or the machine."""

    code = "usage"
    exit_code = 2


class NameProblem(CapsuleError):
    """A name that does not lead to one object."""

    code = "name"
    exit_code = 3


class UnknownName(NameProblem):
    """Nothing in the store has this name, or nothing lies at that path."""

    code = "unknown_name"


class AmbiguousName(NameProblem):
    """A prefix that begins more than one digest; `candidates` are those digests."""

    code = "ambiguous_name"

    def __init__(self, message: str, *, candidates: tuple[str, ...], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.candidates = candidates

    def as_dict(self) -> dict[str, object]:
        """Return the error with all candidates, of which the message names only some."""
        return super().as_dict() | {"candidates": list(self.candidates)}


class MalformedName(NameProblem):
    """A text that is no digest, no prefix of four digits or more, and no tag."""

    code = "malformed_name"


class TagExists(CapsuleError):
    """A tag is there already and points elsewhere, or stands in the way of another."""

    code = "tag_exists"


class NoStore(CapsuleError):
    """No store where one was looked for."""

    code = "no_store"
    exit_code = 3


class FileProblem(CapsuleError):
    """A file that a command was told of cannot be read."""

    code = "file"


class StoreUnreadable(CapsuleError):
    """A repository that is no store of ours, or one of a schema this release does not know."""

    code = "store_unreadable"
    exit_code = 4


class DamagedObject(CapsuleError):
    """An object's bytes do not hash to its name, or are not what an object of its place must be."""

    code = "damaged_object"
    exit_code = 4


class MissingObject(CapsuleError):
    """An object that a ref or another object names is not in the store."""

    code = "missing_object"
    exit_code = 4


class StoreBusy(CapsuleError):
    """Another process held the store's lock for longer than anybody should."""

    code = "store_busy"


class StoreUnwritable(CapsuleError):
    """The store's directory refused what had to be written; nothing was registered."""

    code = "store_unwritable"


class InterpreterProblem(CapsuleError):
    """The target interpreter is not there, is no Python 3, or did not answer."""

    code = "interpreter"


class NotStarted(CapsuleError):
    """A command that was to be run never ran. The exit status is the one of env(1)."""

    code = "not_started"
    exit_code = 126


class CommandNotFound(NotStarted):
    """A command that was to be run is not there, or what its `#!` line names is not."""

    code = "command_not_found"
    exit_code = 127
