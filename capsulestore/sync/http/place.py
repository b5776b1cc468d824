"""A place on a web server, and where a redirect may lead from it."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from capsulestore.model.redaction import redact_url

__all__ = ["GIT_PATH", "Place", "is_loopback"]

GIT_PATH: Final = "/git"
"""Where a server of capsules has its repository, below its url."""

_LEFT_AS_IT_IS: Final = "/%:@!$&'()*+,;=~"


class Place(NamedTuple):
    """Where a repository is: `http` or `https`, a host (an address or an ASCII name), a path fit for a request."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Place:
        """Read a url without its query; raise `ValueError` for one that names no place on a web server."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("no url of a web server")
        host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, host, port, quote(parts.path.rstrip("/"), safe=_LEFT_AS_IT_IS))

    @property
    def authority(self) -> str:
        """Host and port, as a request names them: the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The url, fit to be printed."""
        return redact_url(f"{self.scheme}://{self.authority}{self.path}")[0]

    def redirected(self, location: str, tail: str) -> Place | None:
        """Return the place that a redirect of this one's `tail` names; None where it leads to something else.

        As git has it (`http.followRedirects`), the repository's place is what stands before the same tail.
        """
        try:
            url = urljoin(f"{self.scheme}://{self.authority}{self.path}{tail}", location)
            return Place.parse(url.removesuffix(tail)) if url.endswith(tail) else None
        except ValueError:
            return None

    def may_lead_to(self, other: Place) -> bool:
        """Whether a redirect to another place is followed: on the same server, or to the same host over TLS."""
        upgraded = self.scheme == "http" and other.scheme == "https"
        return self.host == other.host and (upgraded or (self.scheme, self.port) == (other.scheme, other.port))


def is_loopback(host: str) -> bool:
    """Whether what is sent to a host never leaves this machine."""
    import ipaddress  # noqa: PLC0415

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
