"""A proxy for the web on the loopback: tunnels, and requests in plain HTTP; it may ask for a password itself."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lying_peers import copy, listening

__all__ = ["Proxy", "proxying"]


@dataclass
class Proxy:
    """Its address, and the heads of what it was asked for."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)


@contextmanager
def proxying(authorization: bytes | None = None) -> Iterator[Proxy]:
    """Run a proxy until the block ends; with `authorization` it serves only who sends that."""
    proxy = Proxy()

    def serve(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (received := connection.recv(2**16)):
            head += received
        proxy.heads.append(head)
        if authorization and b"\r\nProxy-Authorization: %s\r\n" % authorization not in head:
            connection.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        method, target, rest = head.split(b" ", 2)
        is_tunnel = method == b"CONNECT"
        parts = urlsplit(b"//" + target if is_tunnel else target)
        with socket.create_connection((parts.hostname.decode(), parts.port)) as beyond:
            if is_tunnel:
                connection.sendall(b"HTTP/1.1 200 Yes\r\n\r\n")
            else:
                path = target.partition(parts.netloc)[2]
                beyond.sendall(b" ".join([method, path, rest.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)]))
            back = threading.Thread(target=copy, args=(beyond, connection))
            back.start()
            copy(connection, beyond)
            back.join()

    with listening(serve) as port:
        proxy.port = port
        yield proxy
