"""Runs commands as `python -m capsulestore_cli` would, or as that of another program: `warm_commands.py SOCKET`.

A message on the socket has the arguments of a command, its surroundings, and the module of its program if that is
another than `capsule`; with it go its standard streams. The answer is its status, as `subprocess` has it. Each is run
in a process of its own, a fork of this one, which has imported what commands need: most of a short one's time.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pkgutil import walk_packages
from typing import NoReturn

from capsulestore_cli.__main__ import main
from capsulestore_cli.app import COMMANDS

PARTS = ("capture", "compare", "inspection", "model", "recording", "store", "sync", "verification")
OTHERS = ("csv", "difflib", "dulwich.config", "dulwich.object_store", "getpass")
NEVER_IMPORTED = "capsulestore.capture.probe"
LONGEST = 1 << 20


def import_all() -> None:
    """Import what commands import as they run: without this all would go well too, and take longer."""
    for name in (*(f"capsulestore_cli.{command}" for command in ("running", "post_process", *COMMANDS)), *OTHERS):
        import_module(name)
    for part in PARTS:
        package = import_module(f"capsulestore.{part}")
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if module.name != NEVER_IMPORTED:
                import_module(module.name)


def run(
    streams: Sequence[int],
    arguments: Sequence[str],
    directory: str,
    environ: Mapping[str, str],
    mask: int,
    program: str | None,
) -> NoReturn:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.umask(mask)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[1:] = arguments
    # As `-m` has it.
    sys.path[0] = os.getcwd()
    main(program)


def serve(channel: socket.socket) -> None:
    while True:
        message, streams, *_ = socket.recv_fds(channel, LONGEST, 3)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            channel.close()
            run(streams, **json.loads(message))
        for stream in streams:
            os.close(stream)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        channel.send(str(status).encode())


if __name__ == "__main__":
    import_all()
    # So that no fork copies what it only counts.
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
