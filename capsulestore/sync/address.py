"""Where a remote lies, read as git reads it (git-fetch(1), "GIT URLS").

    /a/path   a/path   ~/path   file:///a/path                          on this machine
    ssh://[USER@]HOST[:PORT]/PATH   [USER@]HOST:PATH                    over ssh; a path `~/x` from the home directory
    http://HOST[:PORT]/PATH         https://HOST[:PORT]/PATH            over HTTP

What has a slash before its first colon is a path. Other schemes, and git's helpers (`ext::`), are not taken.
"""

from __future__ import annotations

import os
import re
from typing import Final, Literal, NamedTuple

from capsulestore.errors import UsageError

__all__ = ["Address"]

_SCHEME: Final = re.compile(r"([A-Za-z0-9+.-]*)://(.*)")
_HELPER: Final = re.compile(r"([A-Za-z0-9+.-]*)::")
_CONTROL: Final = re.compile(r"[\0-\x1f\x7f]")
_AUTHORITY: Final = re.compile(
    r"(?:(?P<user>.*)@)?(?:\[(?P<literal>[0-9A-Fa-f.]*:[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(?P<name>[^\s:@\[\]]+))"
    r"(?::(?P<port>[0-9]{0,5}))?"
)
_IN_BRACKETS: Final = re.compile(r"(?P<user>[^\[\]]*@)?\[(?P<inside>[^\[\]]*)\]:(?P<path>.*)")
_PASSWORD: Final = re.compile(r"[^/@:]+:[^/@]*@[^/]*:")
_SSH: Final = frozenset({"ssh", "git+ssh", "ssh+git"})
_HTTP: Final = frozenset({"http", "https"})
_TAKEN: Final = "a store is at a path, `file:///PATH`, `ssh://HOST/PATH`, `USER@HOST:PATH` or `https://HOST/PATH`"


class Address(NamedTuple):
    """One remote's address, and its parts with what is percent-encoded decoded (but for the path over HTTP).

    `text` is what git can be given from any working directory: as it was given, a relative path made absolute. It holds
    no password, and the name of a user only for ssh; over HTTP that is in `user` alone, as many a token is given there.
    """

    kind: Literal["path", "ssh", "http"]
    text: str
    path: str
    host: str | None = None
    port: int | None = None
    user: str | None = None

    @classmethod
    def parse(cls, text: str, *, base: str = ".") -> Address:
        """Read an address; a relative path is one from the directory `base`, links in it resolved.

        A local path that begins with `~` is left for git to expand. Raise `UsageError`, which never repeats a password:
        for what is no address; for one that has a password, a query or a fragment, since addresses are kept and
        printed; for a host or a path that a program would take for an option.
        """
        if not text or _CONTROL.search(text):
            raise UsageError("an address is empty, or has a control character in it", hint=_TAKEN)
        if helper := _HELPER.match(text):
            raise UsageError(f"no store can be reached by `{helper[1]}::`", hint=_TAKEN)
        if url := _SCHEME.match(text):
            return _of_url(text, url[1], url[2])
        if ":" in text.partition("/")[0]:
            return _of_ssh_shorthand(text)
        _check_part(text)
        path = text if text.startswith("~") else _absolute(text, base)
        return cls("path", path, path)

    @property
    def shown(self) -> str:
        """The address as it may be printed: `text`, without what looks like a token in its path."""
        from capsulestore.model.redaction.tokens import redact_tokens  # noqa: PLC0415

        return redact_tokens(self.text)


def _of_url(text: str, scheme: str, rest: str) -> Address:
    authority, slash, path = rest.partition("/")
    path = slash + path
    if scheme == "file":
        if authority not in {"", "localhost"} or not path:
            raise UsageError("a `file://` address names a path on this machine", hint="it has three: `file:///PATH`")
        return Address("path", text, _decoded(path))
    if scheme in _SSH:
        path = _decoded(path)
        return _over_ssh(
            text, *_read_authority(_decoded(authority)), path.removeprefix("/") if path.startswith("/~") else path
        )
    if scheme in _HTTP:
        if "?" in rest or "#" in rest:
            raise UsageError("the address of a store has no query and no fragment", hint="leave out `?`, `#` and more")
        host, port, user = _read_authority(authority)
        if " " in path:
            raise UsageError("the address has a space in it", hint="write it as `%20`")
        text = f"{scheme}://{authority.rpartition('@')[2]}{path}"
        return Address("http", text, path, host, port, user and _decoded(user))
    raise UsageError(f"no store can be reached by `{scheme}://`", hint=_TAKEN)


def _of_ssh_shorthand(text: str) -> Address:
    if _PASSWORD.match(text):
        raise _with_password()
    if bracketed := _IN_BRACKETS.fullmatch(text):
        # Around an IPv6 address, or around a host with a port, for which this form has no other place.
        inside, path = bracketed["inside"], bracketed["path"]
        user, at, host = inside.rpartition("@")
        authority = (bracketed["user"] or "") + user + at + (f"[{host}]" if host.count(":") > 1 else host)
    else:
        authority, _, path = text.partition(":")
    return _over_ssh(text, *_read_authority(authority), path)


def _over_ssh(text: str, host: str, port: int | None, user: str | None, path: str) -> Address:
    if not path:
        raise UsageError("the address names a host, but no path there", hint=_TAKEN)
    _check_part(path)
    return Address("ssh", text, path, host, port, user)


def _read_authority(authority: str) -> tuple[str, int | None, str | None]:
    """Return host, port and user of `[USER@]HOST[:PORT]`."""
    found = _AUTHORITY.fullmatch(authority)
    user = found["user"] if found else authority.rpartition("@")[0]
    if user and ":" in user:
        raise _with_password()
    if not found or user == "":
        raise UsageError("the address names no host, or one that cannot be", hint=_TAKEN)
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port < 2**16:
        raise UsageError(f"no port has the number {port}")
    host = found["literal"] or found["name"]
    _check_part(host)
    _check_part(user or "")
    return host, port, user


def _check_part(part: str) -> None:
    if part.startswith("-"):
        raise UsageError("a host, a user or a path that begins with `-` would be taken for an option")


def _with_password() -> UsageError:
    return UsageError(
        "the address has a password in it, which would be kept and shown with it",
        hint="leave it out: git's credential helpers, `~/.netrc` and the variable `CAPSULE_TOKEN` are asked for it",
    )


def _decoded(text: str) -> str:
    from urllib.parse import unquote_to_bytes  # noqa: PLC0415

    decoded = os.fsdecode(unquote_to_bytes(os.fsencode(text)))
    if _CONTROL.search(decoded):
        raise UsageError("an address has a control character in it", hint=_TAKEN)
    return decoded


def _absolute(path: str, base: str) -> str:
    joined = os.path.join(os.path.realpath(base), path)
    # What is before a `..` may be a link, and then leads elsewhere.
    return joined if ".." in path.split("/") else os.path.normpath(joined)
