"""A real server of a store on the loopback, in a thread of this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from capsulestore.api import create_app
from capsulestore.serving.access.tokens import Tokens
from capsulestore.serving.http.listening import listening
from capsulestore.serving.http.server import Server
from capsulestore.serving.limits import LIMITS, Limits

__all__ = ["Answer", "CapsuleServer", "environment_of", "serving"]


@dataclass(frozen=True)
class Answer:
    """What a server answered; the names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The only error that it tells."""
        (error,) = self.json["errors"]
        return error


@dataclass(frozen=True)
class CapsuleServer:
    """Where a server listens, and the lines that it has logged."""

    port: int
    store: str
    log: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, name: str = "a writer", scope: str = "write") -> str:
        """Make a token of its store."""
        return Tokens(self.store).create(name, scope)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request, on a connection of its own; a body that is no bytes is sent as JSON."""
        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, sent)
            found = connection.getresponse()
            return Answer(found.status, {key.lower(): value for key, value in found.getheaders()}, found.read())
        finally:
            connection.close()

    def get(self, path: str, **how: Any) -> Answer:
        return self.ask("GET", path, **how)


def environment_of(**versions: str) -> dict[str, Any]:
    """An environment that somebody wrote, with packages of these versions."""
    packages = {name: {"version": version} for name, version in versions.items()}
    return {"python": {"rules": 1, "interpreter": {"version": "3.11.7"}, "packages": packages}}


@contextmanager
def serving(store: str | Path, *, limits: Limits = LIMITS, **how: Any) -> Iterator[CapsuleServer]:
    """Serve a store; `how` are arguments of `create_app`. At the end, what was begun is finished."""
    app = create_app(str(store), limits=limits, **how)
    log: list[str] = []
    started = threading.Event()
    with listening("127.0.0.1", 0) as bound:
        server = Server(app, bound, limits=limits, log=log.append)
        thread = threading.Thread(target=server.run, args=(lambda _: started.set(),))
        thread.start()
        try:
            assert started.wait(60), "the server did not start"
            yield CapsuleServer(bound.port, str(store), log)
        finally:
            server.stop()
            thread.join()
