"""Who may ask for what: scopes of requests, tokens, and the names by which a server may be called."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from capsulestore.errors import UsageError
from capsulestore.serving.access.tokens import Scope, Tokens

__all__ = ["Access", "Caller", "needed_scope"]

_HEALTH: Final = "/api/health"
_GIT: Final = "/git/"
_RECEIVE: Final = b"git-receive-pack"
_READING: Final = frozenset({"GET", "HEAD"})
_NAME_CHARACTERS: Final = 253


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: the name of their token and its scope, or None and what everybody may."""

    name: str | None
    scope: Scope | None

    def may(self, needed: Scope | None) -> bool:
        """Whether that is enough for a request that needs this scope; None is what needs nothing."""
        return needed is None or self.scope in {needed, "write"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a server is reached: its tokens, whether reading needs one, and the names by which clients may call it."""

    tokens: Tokens
    reading_is_open: bool
    hosts: frozenset[str]
    """Host names, lower case. An IP address is always good: only a name can be made to mean another machine."""

    @classmethod
    def on_loopback(cls, store: str, hosts: Iterable[str] = ()) -> Access:
        """Return the access of a server that only this machine reaches: whoever is on it may read."""
        return cls(tokens=Tokens(store), reading_is_open=True, hosts=_with_own(hosts))

    @classmethod
    def by_token(cls, store: str, hosts: Iterable[str] = ()) -> Access:
        """Return the access of a server that other machines reach: by token only."""
        return cls(tokens=Tokens(store), reading_is_open=False, hosts=_with_own(hosts))

    @property
    def anybody(self) -> Caller:
        """Who comes without a token."""
        return Caller(None, "read" if self.reading_is_open else None)

    def holder(self, token: str) -> Caller | None:
        """Return who has a token of this text, None where nobody has; raise `StoreUnreadable`."""
        found = self.tokens.holder(token)
        return None if found is None else Caller(found.name, found.scope)

    def is_ours(self, host: str) -> bool:
        """Whether a client that wrote this `Host`, `NAME` or `NAME:PORT`, meant this server (RFC 9110, 7.2)."""
        name = _without_port(host)
        return name in self.hosts or _is_address(name)


def needed_scope(method: str, path: str, query: bytes) -> Scope | None:
    """Return what a request needs; None where everybody is answered. What is not known to only read needs `write`."""
    if method in _READING:
        if path == _HEALTH:
            return None
        # Whatever the server of git would understand by it.
        is_push = path.startswith(_GIT) and _RECEIVE in unquote_to_bytes(query)
        return "write" if is_push else "read"
    # Both are sent something large to answer, and keep nothing of it.
    reads = path == f"{_GIT}git-upload-pack" or (path.startswith("/api/") and path.endswith("/environment-verify"))
    return "read" if method == "POST" and reads else "write"


def _with_own(hosts: Iterable[str]) -> frozenset[str]:
    """Return host names with those that this machine has by itself; raise `UsageError` for what is no host name."""
    own = socket.gethostname().lower()
    return frozenset({"localhost", own, own.partition(".")[0], *map(_checked, hosts)}) - {""}


def _checked(host: str) -> str:
    name = host.lower().removesuffix(".").removeprefix("[").removesuffix("]")
    if not _is_name(name) and not _is_address(name):
        raise UsageError(f"`{host}` is no host name", hint=_hint(_without_port(name)))
    return name


def _hint(name: str) -> str:
    with suppress(UnicodeError):
        if not name.isascii() and _is_name(written := name.encode("idna").decode()):
            return f"clients ask for it in ASCII (punycode, RFC 3492): write `{written}`"
    return "write it as `capsules.example.org`, without a port, and in ASCII (`xn--...`, RFC 3492)"


def _is_name(name: str) -> bool:
    is_name = name.isascii() and name.replace("-", "").replace(".", "").replace("_", "").isalnum()
    return is_name and len(name) <= _NAME_CHARACTERS


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
