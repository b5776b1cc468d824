"""The tokens of a store's server: who may read and who may write, kept in the store's `capsulestore/tokens.json`.

Of a token its SHA-256 is kept, and never the text: that is 256 random bits, so no slower hash is needed. The file,
mode 0600, is `{"schema": 1, "tokens": [{"name", "scope", "created_at", "sha256"}, ...]}` in the order of creation; it
is replaced whole and durably, by one process after the other. It never leaves with a push.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final, Literal

from capsulestore.errors import StoreUnreadable, UnknownName, UsageError
from capsulestore.store.durable import move_into_place, new_file, unwritable
from capsulestore.store.queue import queue

__all__ = ["BEGINNING", "Scope", "Token", "Tokens", "check_name"]

Scope = Literal["read", "write"]
"""What a token is good for; whoever may write may read."""

BEGINNING: Final = "capsule_"
"""How every token begins, so that it is known for one wherever it turns up (`capsulestore.model.redaction.tokens`)."""

_RANDOM_BYTES: Final = 32
_SCHEMA: Final = 1
_MAX_FILE_BYTES: Final = 2**20
_SCOPES: Final = frozenset({"read", "write"})
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_NAME_CHARACTERS: Final = 100
_UNTIL_MENDED: Final = "nobody has a token until it is mended or removed; removed, there are none"
_SETTLED_NANOSECONDS: Final = 2 * 10**9
"""A file that was changed so long ago cannot be changed again without a change of its stamp."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of one token: whose it is, what for, since when (ISO 8601, UTC), and the SHA-256 of its text."""

    name: str
    scope: Scope
    created_at: str
    sha256: str

    @classmethod
    def parse(cls, value: Any) -> Token:
        """Return what an entry of the file says; raise `ValueError` for what is none."""
        fields = [value[key] for key in ("name", "scope", "created_at", "sha256")] if isinstance(value, dict) else []
        if not fields or not all(isinstance(field, str) for field in fields):
            raise ValueError("not a token")
        token = cls(*fields)
        if token.scope not in _SCOPES or not _SHA256.fullmatch(token.sha256) or _wrong_in_name(token.name):
            raise ValueError("not a token")
        return token


class Tokens:
    """The tokens of the store at a path, as its file has them at the time of each call.

    Every method raises `StoreUnreadable` where the file is there and cannot be read or understood: then nobody has a
    token. What was read is kept for as long as the file is the same one.
    """

    def __init__(self, store: str) -> None:
        self._store = store
        self._path = os.path.join(store, "capsulestore", "tokens.json")
        self._read: tuple[Token, ...] = ()
        self._stamp: tuple[int, ...] | None = None

    def listed(self) -> tuple[Token, ...]:
        """Return all of them, in the order of creation."""
        stamp = self._now()
        if stamp is None:
            return ()
        if stamp != self._stamp:
            # In this order: what is put in place meanwhile is read again.
            self._stamp = None
            self._read = self._parsed()
            if time.time_ns() - stamp[0] > _SETTLED_NANOSECONDS:
                self._stamp = stamp
        return self._read

    def holder(self, text: str) -> Token | None:
        """Return the token that has this text, None where none has; how long that takes tells nothing of any."""
        digest = _digest(text)
        found = None
        for token in self.listed():
            if hmac.compare_digest(token.sha256, digest):
                found = token
        return found

    def create(self, name: str, scope: Scope) -> str:
        """Make a token, durably, and return its text, which nobody can find out again.

        Raise `UsageError` for what is no name or another token's, `StoreBusy`, `StoreUnwritable`.
        """
        from datetime import UTC, datetime  # noqa: PLC0415
        from secrets import token_urlsafe  # noqa: PLC0415

        check_name(name)
        text = BEGINNING + token_urlsafe(_RANDOM_BYTES)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        with self._change() as tokens:
            if any(token.name == name for token in tokens):
                raise UsageError(
                    f"there is a token `{name}` already",
                    hint="give this one another name, or revoke that one with `capsule token revoke NAME`",
                )
            tokens.append(Token(name, scope, created, _digest(text)))
        return text

    def revoke(self, name: str) -> None:
        """Make the token of a name count for nothing, at once; raise `UnknownName`, `StoreBusy`, `StoreUnwritable`."""
        with self._change() as tokens:
            left = [token for token in tokens if token.name != name]
            if left == tokens:
                raise UnknownName(f"no token `{name}`", hint="`capsule token list` has those that there are")
            tokens[:] = left

    def _now(self) -> tuple[int, ...] | None:
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._not_read(error) from None
        return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size

    def _parsed(self) -> tuple[Token, ...]:
        try:
            with open(self._path, "rb") as file:
                data = file.read(_MAX_FILE_BYTES + 1)
            document: Any = json.loads(data) if len(data) <= _MAX_FILE_BYTES else None
            schema = document["schema"]
            tokens = tuple(map(Token.parse, document["tokens"])) if schema == _SCHEMA else ()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._not_read(error) from None
        except (ValueError, LookupError, TypeError, RecursionError):
            raise self._unreadable("it is damaged") from None
        if schema != _SCHEMA:
            raise self._unreadable("it is of another release")
        return tokens

    def _not_read(self, error: OSError) -> StoreUnreadable:
        reason = error.strerror or "no answer"
        if isinstance(error, PermissionError):
            return self._unreadable(reason, "nobody has a token until the user who runs the server may read it")
        return self._unreadable(reason)

    def _unreadable(self, reason: str, hint: str = _UNTIL_MENDED) -> StoreUnreadable:
        return StoreUnreadable(f"cannot read the tokens of the store, `{self._path}`: {reason}", hint=hint)

    @contextmanager
    def _change(self) -> Iterator[list[Token]]:
        """Give the tokens to change, while no other process changes them; an error leaves the file as it was."""
        with unwritable(self._store), queue(f"{self._path}-lock"):
            self._stamp = None
            tokens = [*self.listed()]
            yield tokens
            document = {"schema": _SCHEMA, "tokens": [asdict(token) for token in tokens]}
            # What a process that is killed leaves there is tidied away by git's own gc.
            with new_file(os.path.join(self._store, "objects"), mode=0o600) as (file, draft):
                file.write(json.dumps(document, indent=2).encode() + b"\n")
            move_into_place(draft, self._path)


def check_name(name: str) -> None:
    """Raise `UsageError` where a token cannot have this name: it becomes an author's, and is printed."""
    if wrong := _wrong_in_name(name):
        raise UsageError(f"the name of a token {wrong}")


def _wrong_in_name(name: str) -> str | None:
    if not name.strip() or name != name.strip():
        return "is a word or more, with no space around it"
    if len(name) > _NAME_CHARACTERS:
        return f"has {_NAME_CHARACTERS} characters at most"
    if not name.isprintable() or set("<>") & set(name):
        return "holds no `<`, no `>` and nothing that cannot be printed"
    return "is not a token itself" if BEGINNING in name else None


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
