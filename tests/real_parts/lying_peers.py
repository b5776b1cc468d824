"""Remotes that speak git's protocol wrongly, byte for byte as a test says: a program in place of ssh, a web server.

`Lie.opening` stands where the advertisement does, `Lie.answer` where the answer to a request does, and `endless` comes
after it for as long as somebody listens. What is never said is waited for in vain.
"""

import os
import re
import shlex
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from git_peers import Peer

__all__ = ["Lie", "copy", "cutting", "listening", "over_http", "over_ssh", "packet", "serving"]

_UNTIL_NOBODY_LISTENS = "import select; poll = select.poll(); poll.register(1, 0); poll.poll()"
_OPENED: bytes = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-%s-%s\r\nConnection: close\r\n\r\n"


def packet(data: bytes) -> bytes:
    """Frame data as the protocol does."""
    return b"%04x%s" % (len(data) + 4, data)


@dataclass(frozen=True)
class Lie:
    """What a remote says; `hangs` where it then says nothing more, and does not go away either."""

    opening: bytes
    answer: bytes = b""
    endless: bytes = b""
    hangs: bool = False


def over_ssh(directory: Path, lie: Lie) -> Peer:
    """Return a peer whose ssh is a program that says all at once, and ends when nobody listens any more."""
    for name, content in (("said", lie.opening + lie.answer), ("endless", lie.endless)):
        (directory / name).write_bytes(content)
    (directory / "ssh").write_text(
        f"cat {shlex.quote(str(directory / 'said'))}\n"
        + (f"while cat {shlex.quote(str(directory / 'endless'))} 2>&-; do :; done\n" if lie.endless else "")
        + (f"exec {sys.executable} -IS -c {shlex.quote(_UNTIL_NOBODY_LISTENS)}\n" if lie.hangs else "")
    )
    environ = {**os.environ, "GIT_SSH_COMMAND": f"sh {shlex.quote(str(directory / 'ssh'))}"}
    return Peer("liar.invalid:store", directory, environ)


@contextmanager
def over_http(lie: Lie, service: str) -> Iterator[Peer]:
    """Serve a lie about a service by a socket on the loopback."""
    name = service.encode()
    opening = packet(b"# service=%s\n" % name) + b"0000" + lie.opening

    def answer(request: bytes, send: Callable[[bytes], None]) -> None:
        is_first = request.startswith(b"GET ")
        send(_OPENED % (name, b"advertisement" if is_first else b"result"))
        send(opening if is_first else lie.answer)
        while lie.endless and bool(lie.answer) is not is_first:
            send(lie.endless)

    with serving(answer, hangs=lie.hangs) as url:
        yield Peer(url, Path(), os.environ)


@contextmanager
def serving(answer: Callable[[bytes, Callable[[bytes], None]], None], *, hangs: bool = False) -> Iterator[str]:
    """Serve one connection after the other: `answer(head of the request, send)`. Gives the url of a store there."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (received := connection.recv(2**16)):
            head += received
        # What is left unread would cut the answer short.
        head, _, body = head.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        while length and len(body) < int(length[1]) and (received := connection.recv(2**16)):
            body += received
        if head:
            answer(head, connection.sendall)
        if hangs:
            over.wait()

    with listening(serve) as port:
        try:
            yield f"http://127.0.0.1:{port}/store.git"
        finally:
            over.set()


@contextmanager
def cutting(url: str, *, sent: int | None = None, received: int | None = None) -> Iterator[str]:
    """Lead to what listens at a url, and cut a connection once so many bytes were sent or received through it."""
    parts = urlsplit(url)

    def serve(connection: socket.socket) -> None:
        with socket.create_connection((parts.hostname, parts.port)) as beyond:
            copying = threading.Thread(target=copy, args=(beyond, connection, received))
            copying.start()
            copy(connection, beyond, sent)
            copying.join()

    with listening(serve) as port:
        yield parts._replace(netloc=f"127.0.0.1:{port}").geturl()


def copy(source: socket.socket, target: socket.socket, most: int | None = None) -> None:
    """Copy what comes, so many bytes at most; then the connections end too."""
    left = 2**62 if most is None else most
    with suppress(OSError):
        while left and (data := source.recv(min(left, 2**16))):
            left -= len(data)
            target.sendall(data)
    for line in (source, target) if not left else (target,):
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR if not left else socket.SHUT_WR)


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve one connection after the other on the loopback; gives the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                try:
                    serve(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
