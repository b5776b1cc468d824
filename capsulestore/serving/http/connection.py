"""Requests as h11 reads them, each in one form and with one end."""

from __future__ import annotations

import re
from typing import Final

import h11

__all__ = ["Connection", "UnclearEnd"]

_URL: Final = re.compile(rb"https?://(?P<host>[^/?#]*)(?P<rest>.*)", re.IGNORECASE)


class UnclearEnd(h11.RemoteProtocolError):
    """A request of which a proxy may have thought that it ends elsewhere."""


class Connection(h11.Connection):
    """Has every request ask as most do: by a path, and the host in `Host`.

    One that names the whole url (RFC 9112, 3.2.2), as to a proxy, means the host of that, whatever its `Host` says.
    """

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Return what came next; raise `UnclearEnd` where proxies take a request to end elsewhere (RFC 9112, 6.1)."""
        event = super().next_event()
        if not isinstance(event, h11.Request):
            return event
        names = {name for name, _ in event.headers}
        if b"transfer-encoding" in names and (b"content-length" in names or event.http_version < b"1.1"):
            raise UnclearEnd("Transfer-Encoding beside Content-Length, or in HTTP/1.0")
        if not (url := _URL.fullmatch(event.target)):
            return event
        headers = [(name, value) for name, value in event.headers if name != b"host"]
        return h11.Request(
            method=event.method,
            target=url["rest"] if url["rest"].startswith(b"/") else b"/" + url["rest"],
            headers=[(b"host", url["host"]), *headers],
            http_version=event.http_version,
        )
