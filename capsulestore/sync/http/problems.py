"""What can go wrong with a web server, in words: its status, its certificate, the connection."""

from __future__ import annotations

import http
import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from capsulestore.errors import NoCapsuleStore, RemoteMisbehaved, RemoteProblem, RemoteRefused, RemoteUnreachable
from capsulestore.sync.http.line import TooMuch
from capsulestore.sync.http.told import Told
from capsulestore.sync.limits import Limits

__all__ = ["in_words", "of_status", "of_told"]

_STATUSES: Final[Mapping[int, tuple[type[RemoteProblem], str, str | None]]] = {
    403: (RemoteRefused, "it forbids that (403)", "may that account read or write there? A store may be read-only"),
    404: (NoCapsuleStore, "there is no repository at that address (404)", "some servers say so to who has no access"),
    407: (RemoteRefused, "the proxy asks for a password (407)", "`http_proxy=http://USER:PASSWORD@HOST:PORT`"),
    410: (NoCapsuleStore, "there is no repository at that address any more (410)", None),
    411: (
        RemoteRefused,
        "it takes only what says beforehand how long it is (411)",
        "a bundle, or fewer capsules at a time, may get through",
    ),
    413: (
        RemoteRefused,
        "it does not take so much at a time (413)",
        "push fewer capsules at a time, or raise the server's limit (nginx: `client_max_body_size`)",
    ),
    429: (RemoteRefused, "it was asked too often (429)", "try again later"),
}
_CERTIFICATES: Final[Mapping[int, tuple[str, str]]] = {
    9: ("is not valid yet", "is the clock of this machine right?"),
    10: ("has expired", "whoever runs the server can renew it; is the clock of this machine right?"),
    18: ("is signed by itself, by no authority", "if you trust it, name it in the variable `GIT_SSL_CAINFO`"),
    62: ("is another host's", "is the address right?"),
    64: ("is another host's", "is the address right?"),
}
"""By OpenSSL's number of why a certificate does not hold (openssl-verify(1))."""
_UNKNOWN_AUTHORITY: Final = (
    "is signed by an authority that is not known here",
    "if you trust that authority, name the file of its certificate in the variable `GIT_SSL_CAINFO`",
)
_UNKNOWN_AUTHORITIES: Final = frozenset({2, 19, 20, 21})


def of_status(status: int, remote: str, said: str = "") -> RemoteProblem:
    """Return the problem that a status is which is none of success (RFC 9110, 15), and what the server `said` of it."""
    problem, reason, hint = _STATUSES.get(status) or _of_other(status)
    if said.rstrip(".").lower() == http.client.responses.get(status, "").lower():
        # What many a proxy says: no more than the status does.
        said = ""
    if said and (status == http.HTTPStatus.FORBIDDEN or status >= http.HTTPStatus.INTERNAL_SERVER_ERROR):
        return problem(remote, f"it answers {status}: {said}", hint="that is for whoever runs the server to change")
    return problem(remote, f"{reason}: {said}" if said else reason, hint=hint)


def of_told(status: int, told: Told, remote: str) -> RemoteProblem:
    """Return the problem that a server of ours tells with such a status, in its words."""
    unfinished = RemoteUnreachable if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR else RemoteRefused
    return unfinished(remote, told.message, hint=told.hint)


def _of_other(status: int) -> tuple[type[RemoteProblem], str, str | None]:
    words = http.client.responses.get(status)
    told = f"`{status} {words}`" if words else f"`{status}`"
    if status >= 500:
        return RemoteUnreachable, f"something is wrong with it: {told}", "try again later; its log says more"
    return RemoteRefused, f"it answers {told}", None


@contextmanager
def in_words(remote: str, limits: Limits) -> Iterator[None]:
    """Turn what the standard library raises into a `RemoteProblem`."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise _of_certificate(error, remote) from None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError, BrokenPipeError, http.client.IncompleteRead):
        # A server that hangs up without an answer is among them (`http.client.RemoteDisconnected`).
        raise RemoteUnreachable(remote, "the connection ended before it had said all") from None
    except ssl.SSLError as error:
        raise RemoteUnreachable(
            remote, f"no safe connection to it: {_reason(error)}", hint="does it speak `https` at that port?"
        ) from None
    except TimeoutError:
        raise RemoteUnreachable(remote, f"nothing came from it for {limits.idle_seconds:g} seconds") from None
    except (socket.gaierror, UnicodeError):
        # The second is of a name that cannot be asked for: a part of it is empty, or too long.
        raise RemoteUnreachable(
            remote, "the name of its host is not known", hint="is the name right, and is there a network?"
        ) from None
    except (http.client.HTTPException, TooMuch, ValueError):
        raise RemoteMisbehaved(remote, "it does not answer as a web server does") from None
    except OSError as error:
        raise RemoteUnreachable(
            remote, f"no connection to it: {error.strerror or error}", hint="does a web server run there, at that port?"
        ) from None


def _of_certificate(error: ssl.SSLCertVerificationError, remote: str) -> RemoteProblem:
    number = error.verify_code
    what, hint = _CERTIFICATES.get(number, (f"does not hold: {error.verify_message}", None))
    if number in _UNKNOWN_AUTHORITIES:
        what, hint = _UNKNOWN_AUTHORITY
    return RemoteUnreachable(remote, f"its certificate {what}", hint=hint)


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or "TLS failed").replace("_", " ").lower()
