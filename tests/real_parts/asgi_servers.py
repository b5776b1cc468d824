"""The real server in a thread of this process, with any application and limits, and clients that are bare sockets."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from capsulestore.serving.http.listening import listening
from capsulestore.serving.http.server import Server
from capsulestore.serving.limits import LIMITS, Limits

__all__ = ["Client", "Served", "head", "served"]

PATIENCE = 60
"""Seconds after which a test has failed that waits for what should happen soon."""


@dataclass(frozen=True)
class Served:
    """A server that runs, and the lines that it logged."""

    server: Server
    host: str
    port: int
    url: str
    lines: list[str]
    thread: threading.Thread

    def client(self) -> Client:
        return Client(socket.create_connection((self.host, self.port), timeout=PATIENCE))

    def get(self, path: str = "/", *headers: str) -> tuple[int, Any]:
        """Ask on a connection of its own; return the status and the JSON of the answer."""
        with self.client() as client:
            client.send(head(f"GET {path}", *headers))
            return client.answer()


class Client:
    """A client that does just what it is told."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.come = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def rest(self) -> bytes:
        """Return what comes until the server ends the connection, by whatever means."""
        with suppress(ConnectionError):
            while data := self.connection.recv(2**20):
                self.come += data
        return self.come

    def answer(self) -> tuple[int, Any]:
        """Return the status and the JSON of the next answer."""
        while b"\r\n\r\n" not in self.come:
            self._receive()
        headers, _, self.come = self.come.partition(b"\r\n\r\n")
        (length,) = re.findall(rb"content-length: (\d+)", headers)
        while len(self.come) < int(length):
            self._receive()
        body, self.come = self.come[: int(length)], self.come[int(length) :]
        return int(headers.split()[1]), json.loads(body)

    def _receive(self) -> None:
        data = self.connection.recv(2**20)
        assert data, f"the connection ended after {self.come!r}"
        self.come += data

    def sends_until_it_cannot(self, data: bytes, pause: float) -> None:
        """Send the same again and again, with pauses of so many seconds, until the server has ended the connection."""
        self.connection.settimeout(pause)
        with suppress(ConnectionError):
            while True:
                self.connection.sendall(data)
                with suppress(TimeoutError):
                    if not self.connection.recv(2**16):
                        return


def head(asked: str, *headers: str) -> bytes:
    """Return the line and headers of a request: `head("GET /")`."""
    return "\r\n".join([f"{asked} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


@contextmanager
def served(app: Any, limits: Limits = LIMITS, host: str = "127.0.0.1") -> Iterator[Served]:
    """Serve an application; at the end the server is asked to stop, and must."""
    started: SimpleQueue[str | BaseException] = SimpleQueue()
    lines: list[str] = []

    def run() -> None:
        try:
            server.run(started.put)
        except BaseException as error:
            started.put(error)

    with listening(host, 0) as bound:
        server = Server(app, bound, limits=limits, log=lines.append)
        thread = threading.Thread(target=run)
        thread.start()
        try:
            url = started.get(timeout=PATIENCE)
            if isinstance(url, BaseException):
                raise url
            yield Served(server, host, bound.port, url, lines, thread)
        finally:
            server.stop()
            thread.join(PATIENCE)
        assert not thread.is_alive(), "the server did not end"
