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
    ├── RemoteProblem                 5  another store, and something in between; says which
    │   ├── RemoteUnreachable         5  no connection to it, or one that ended too early
    │   ├── RemoteRefused             5  it answered, and said no
    │   ├── RemoteMisbehaved          5  it sent what no sound store sends
    │   └── NoCapsuleStore            5  what answers there is no store, or none that can be joined
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
    "NoCapsuleStore",
    "NoStore",
    "NotStarted",
    "RemoteMisbehaved",
    "RemoteProblem",
    "RemoteRefused",
    "RemoteUnreachable",
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


class RemoteProblem(CapsuleError):
    """Something that went wrong between this store and another; both are as they were.

    The message begins with which: `remote` as `capsulestore.sync.remote.describe` puts it, then the `reason`.
    """

    code = "remote"
    exit_code = 5

    def __init__(self, remote: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{remote}: {reason}", hint=hint)
        self.remote = remote
        self.reason = reason


class RemoteUnreachable(RemoteProblem):
    """A remote that does not answer, or a connection to it that ended before it had said all."""

    code = "remote_unreachable"


class RemoteRefused(RemoteProblem):
    """A remote that answered and said no: permission, a hook, a ref that may not move, a password that it asks for."""

    code = "remote_refused"


class RemoteMisbehaved(RemoteProblem):
    """What a remote sent breaks the protocol, the limits or the formats; nothing of it was kept."""

    code = "remote_misbehaved"


class NoCapsuleStore(RemoteProblem):
    """What answers is no store, or none that can be joined: of SHA-1 objects, or with a part of its history only."""

    code = "no_capsule_store"


class NotStarted(CapsuleError):
    """A command that was to be run never ran. The exit status is the one of env(1)."""

    code = "not_started"
    exit_code = 126


class CommandNotFound(NotStarted):
    """A command that was to be run is not there, or what its `#!` line names is not."""

    code = "command_not_found"
    exit_code = 127
