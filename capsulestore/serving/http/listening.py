"""The sockets that a server listens on: bound before anything is said of its address."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from capsulestore.errors import CapsuleError

__all__ = ["Listening", "listening"]

_BACKLOG: Final = 1024
_NOT_OF_THIS_MACHINE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


@dataclass(frozen=True, slots=True)
class Listening:
    """Sockets at one port, and the host as it was asked for: an address or a name, of which each address has one."""

    host: str
    sockets: tuple[socket.socket, ...]

    @property
    def port(self) -> int:
        """The port, also where any was asked for."""
        port: int = self.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """How clients reach it; where it listens on every address, how those on this machine do."""
        host = self.host
        bound = ipaddress.ip_address(_address(self.sockets[0]))
        if bound.is_unspecified:
            host = "127.0.0.1" if bound.version == 4 else "::1"
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return all(ipaddress.ip_address(_address(bound)).is_loopback for bound in self.sockets)

    def listen(self) -> None:
        """Take connections from now on: the kernel keeps them until they are asked for. Raise `CapsuleError`."""
        with _told(self.host, self.port):
            for bound in self.sockets:
                bound.listen(_BACKLOG)


@contextmanager
def listening(host: str, port: int) -> Iterator[Listening]:
    """Bind all addresses of a host to a port, 0 for any that is free; they are let go of at the end of the block.

    Nobody can connect yet. Raise `CapsuleError` where a host is not known or not this machine, a port is taken, or one
    that this user may not have.
    """
    with ExitStack() as open_sockets:
        sockets: list[socket.socket] = []
        elsewhere: OSError | None = None
        with _told(host, port):
            for family, address in _addresses(host, port):
                # By the protocol asyncio knows that small answers are to be sent at once (TCP_NODELAY).
                bound = open_sockets.enter_context(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
                # A server that has just ended leaves connections behind that keep the port for a minute.
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                taken = sockets[0].getsockname()[1] if sockets else port
                try:
                    bound.bind((address[0], taken, *address[2:]))
                except OSError as error:
                    if error.errno not in _NOT_OF_THIS_MACHINE:
                        raise
                    # A name may have an address of a family that is switched off here.
                    elsewhere = error
                else:
                    sockets.append(bound)
            if not sockets and elsewhere:
                raise elsewhere
        yield Listening(host, tuple(sockets))


def _addresses(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _address(bound: socket.socket) -> str:
    address: str = bound.getsockname()[0]
    return address


@contextmanager
def _told(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except (socket.gaierror, UnicodeError) as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else "it is no host name"
        raise CapsuleError(f"cannot listen on `{host}`: {reason}", hint="`--host` is an address or a name") from None
    except OSError as error:
        raise CapsuleError(f"cannot listen on `{host}`, port {port}: {error.strerror}", hint=_hint(error)) from None


def _hint(error: OSError) -> str | None:
    hints = {
        errno.EADDRINUSE: "another program has the port; name another with `--port`, or 0 for any that is free",
        errno.EACCES: "ports below 1024 are for root; name another with `--port`",
        errno.EADDRNOTAVAIL: "`--host` is an address of this machine",
    }
    return hints.get(error.errno or 0)
