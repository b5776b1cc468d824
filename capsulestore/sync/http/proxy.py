"""Which proxy a request goes by, as the variables say that git's library for HTTP (curl) reads."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from capsulestore.errors import RemoteUnreachable
from capsulestore.sync.http.place import Place

__all__ = ["Proxy", "proxy_for"]


class Proxy(NamedTuple):
    """A proxy that speaks HTTP, and what it is to be told of who asks."""

    host: str
    port: int
    authorization: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What a request by this proxy has to say to it."""
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}

    def __repr__(self) -> str:
        # The last is a password.
        return f"Proxy({self.host!r}, {self.port})"


def proxy_for(place: Place, environ: Mapping[str, str], remote: str) -> Proxy | None:
    """Return the proxy for a place: `https_proxy` or `http_proxy`, else `all_proxy`, unless `no_proxy` names the host.

    Upper case is taken too, but for `HTTP_PROXY`, which a request to a CGI program could set. Raise
    `RemoteUnreachable` for a proxy of a kind that is not spoken.
    """
    if _excepted(place, environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
        return None
    names = [f"{place.scheme}_proxy", *(["HTTPS_PROXY"] if place.scheme == "https" else []), "all_proxy", "ALL_PROXY"]
    name = next((name for name in names if environ.get(name)), None)
    if name is None:
        return None
    text = environ[name]
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port or 1080
    except ValueError:
        host = None
    if not host or parts.scheme != "http":
        raise RemoteUnreachable(
            remote, f"the variable `{name}` names no proxy that speaks HTTP", hint="its form is `http://HOST:PORT`"
        )
    if parts.username is None:
        return Proxy(host, port)
    secret = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
    return Proxy(host, port, f"Basic {b64encode(secret).decode()}")


def _excepted(place: Place, listed: str) -> bool:
    """Whether a list names the host, a domain that it is in, or all."""
    for word in listed.replace(",", " ").split():
        name, colon, port = word.partition(":") if word.count(":") == 1 else (word, "", "")
        domain = name.strip("[]").lower().removeprefix("*").removeprefix(".")
        of_host = word == "*" or place.host == domain or (domain and place.host.endswith(f".{domain}"))
        if of_host and (not colon or port == str(place.port)):
            return True
    return False
