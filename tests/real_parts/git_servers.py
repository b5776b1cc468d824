"""A real server of stores, as `capsule serve` has it below `/git`, in a process of its own: each repository is a store.

This file is also the program of that process: `python git_servers.py DIRECTORY DESCRIPTOR LIMITS`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from git_peers import Way

from capsulestore.serving.git.transport import GitTransport
from capsulestore.serving.http.listening import Listening
from capsulestore.serving.http.server import Server
from capsulestore.serving.limits import Limits

__all__ = ["STORE", "GitServer", "git_server"]

STORE = {"capsulestore__schema": "1"}
"""What makes a store of a repository of git's."""

_UNTIL_THE_TESTS_END = (shutil.which("setpriv") or "setpriv", "--pdeathsig", "TERM")


@dataclass(frozen=True)
class GitServer:
    """The process that serves the stores in a directory, each below `/NAME/git`."""

    process: subprocess.Popen[bytes]
    directory: Path
    port: int

    def way(self) -> Way:
        return Way("served", self.directory, lambda path: f"http://127.0.0.1:{self.port}/{path.name}/git", config=STORE)


@contextmanager
def git_server(directory: Path, **limits: float) -> Iterator[GitServer]:
    """Serve the stores in a directory, within limits that differ from the usual ones; at the end it is asked to end."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        command = [sys.executable, __file__, str(directory), str(listening.fileno()), json.dumps(limits)]
        process = subprocess.Popen(
            [*_UNTIL_THE_TESTS_END, *command],
            pass_fds=[listening.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        port = listening.getsockname()[1]
    with process:
        assert process.stdout
        assert process.stdout.readline() == b"started\n"
        try:
            yield GitServer(process, directory, port)
        finally:
            process.terminate()


def main(directory: str, descriptor: int, limits: dict[str, Any]) -> None:
    chosen = Limits(**limits)
    served: dict[str, GitTransport] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for what in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{what}.complete"})
            return
        name = scope["path"].split("/")[1]
        if name not in served:
            served[name] = GitTransport(os.path.join(directory, name), chosen)
        await served[name]({**scope, "root_path": f"/{name}/git"}, receive, send)

    bound = Listening("127.0.0.1", (socket.socket(fileno=descriptor),))
    Server(app, bound, limits=chosen, log=lambda _line: None).run(lambda _url: print("started", flush=True))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
