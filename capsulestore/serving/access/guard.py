"""Lets a request in or tells why not, before anything else looks at it.

The names are checked against DNS rebinding and requests that a page of another site makes a browser send: such a page
can make a name of its own mean this machine, and then write to a server here as its user.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from capsulestore.errors import CapsuleError
from capsulestore.serving.access.rules import Access, Caller, needed_scope
from capsulestore.serving.problems import Problem, Refused, problem_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Send
    from starlette.types import Scope as Request

    from capsulestore.serving.access.tokens import Scope

__all__ = ["Guard"]

_GIT: Final = "/git"
_CROSS_SITE: Final = b"cross-site"
"""Of `Sec-Fetch-Site` (Fetch Metadata Request Headers, W3C): browsers send no `Origin` for an image or a link."""
_REALM: Final = 'realm="capsulestore"'
_HOSTS_KEPT: Final = 256
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Guard:
    """An ASGI middleware; who was let in is `scope["state"]["caller"]`, a `Caller`.

    Answered here: 401 (no token where one is needed, or one that counts for nothing; RFC 6750, below `/git` also RFC
    7617 with the token as password), 403 (a token that is not good for this, a page of another site), 421 (a name that
    is not ours), 422 (a path with a control character in it, which nothing has) and 503 (the tokens cannot be read).
    Where nothing is needed, no token is looked at.
    """

    def __init__(self, app: ASGIApp, access: Access, store: str) -> None:
        self._app = app
        self._access = access
        self._store = store
        self._anybody = access.anybody
        self._is_ours = lru_cache(_HOSTS_KEPT)(access.is_ours)

    async def __call__(self, scope: Request, receive: Receive, send: Send) -> None:
        """Pass on a request that may be made."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            scope.setdefault("state", {})["caller"] = self._caller(scope)
        except Refused as refused:
            problem = refused.problem
        except CapsuleError as error:
            problem = problem_of(error, self._store)
        else:
            await self._app(scope, receive, send)
            return
        await problem.response()(scope, receive, send)

    def _caller(self, request: Request) -> Caller:
        host = origin = site = authorization = None
        for name, value in request["headers"]:
            if name == b"host":
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"sec-fetch-site":
                site = value
            elif name == b"authorization":
                # Of two, neither counts.
                authorization = value if authorization is None else b""
        if host is not None and not self._is_ours(host.decode("latin-1")):
            raise Refused(_NOT_OURS)
        if site == _CROSS_SITE or (origin is not None and not _is_same(origin, host)):
            raise Refused(_FOREIGN)
        path: str = request["path"]
        if _CONTROL.search(path):
            raise Refused(_malformed(path))
        needed = needed_scope(request["method"], path, request["query_string"])
        caller = self._anybody
        if needed is not None and authorization is not None:
            holder = self._access.holder(_token(authorization, path))
            if holder is None:
                raise Refused(_unauthorized(path, "the token counts for nothing: it is wrong, or was revoked", needed))
            caller = holder
        if caller.may(needed):
            return caller
        if caller.name is None:
            message = "this needs a token" + " of scope `write`" * (needed == "write")
            raise Refused(_unauthorized(path, message, needed))
        raise Refused(_TOO_SMALL)


_NOT_OURS: Final = Problem(
    HTTPStatus.MISDIRECTED_REQUEST,
    "unknown_host",
    "this server does not go by the host name that was asked for",
    "start it with `capsule serve --allow-host NAME`",
)
_FOREIGN: Final = Problem(HTTPStatus.FORBIDDEN, "foreign_origin", "pages of other sites may ask for nothing here")
_TOO_SMALL: Final = Problem(
    HTTPStatus.FORBIDDEN,
    "scope",
    "the token is good for reading only",
    "make one that may write with `capsule token create NAME --scope write`",
)


def _malformed(path: str) -> Problem:
    name = next(part for part in path.split("/") if _CONTROL.search(part))
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "malformed_name", f"`{name}` cannot be a name")


def _unauthorized(path: str, message: str, needed: Scope | None) -> Problem:
    schemes = f"Basic {_REALM}, Bearer {_REALM}" if _is_git(path) else f"Bearer {_REALM}"
    create = "capsule token create NAME" + " --scope write" * (needed == "write")
    hint = f"send one as `Authorization: Bearer TOKEN`; where the server runs, `{create}` makes it"
    return Problem(HTTPStatus.UNAUTHORIZED, "unauthorized", message, hint, headers={"WWW-Authenticate": schemes})


def _token(authorization: bytes, path: str) -> str:
    """Return the token that a request carries, an empty text where it carries something else."""
    scheme, _, rest = authorization.decode("latin-1").partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() == "basic" and _is_git(path):
        try:
            return a2b_base64(rest, strict_mode=True).decode().partition(":")[2]
        except ValueError:
            return ""
    return ""


def _is_git(path: str) -> bool:
    return path == _GIT or path.startswith(f"{_GIT}/")


def _is_same(origin: bytes, host: bytes | None) -> bool:
    """Whether an `Origin` (RFC 6454, 7) is the place that was asked, by either scheme: a proxy may speak TLS."""
    scheme, _, place = origin.decode("latin-1").lower().partition("://")
    default = {"http": ":80", "https": ":443"}.get(scheme)
    if default is None or host is None:
        return False
    return place.removesuffix(default) == host.decode("latin-1").lower().removesuffix(default)
