"""Where the engines listen that may be asked of a container."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Final

from capsulestore.capture.container.source import Asked
from capsulestore.capture.finding import Finding

__all__ = ["find_sockets", "unusable"]

_NAMED_BY: Final = ("DOCKER_HOST", "CONTAINER_HOST")
"""Variables with the address of an engine (docker(1), podman(1)); only one in the file system is asked."""

_SCHEME: Final = "unix://"
_SOCKETS: Final = ("/var/run/docker.sock", "/run/podman/podman.sock")
_USERS: Final = "podman/podman.sock"


def find_sockets(asked: Asked) -> tuple[list[tuple[str, str]], list[Finding]]:
    """Return the sockets that are there, each by what it is called and its path, and what is wrong with others.

    Those that variables name, else those where docker and podman listen unless told otherwise.
    """
    named = _named(asked.runtime.environ)
    sockets: list[tuple[str, str]] = []
    faults: list[Finding] = []
    for name, place in (named or _usual(asked.runtime.environ)).items():
        path = os.path.join(asked.root, place.lstrip("/"))
        try:
            is_socket = stat.S_ISSOCK(os.stat(path).st_mode)
        except FileNotFoundError:
            if named:
                faults.append(unusable(name, "names a socket that is not there"))
        except (OSError, ValueError) as error:
            faults.append(unusable(name, f"cannot be asked ({getattr(error, 'strerror', None) or 'no path'})"))
        else:
            if is_socket:
                sockets.append((name, path))
            else:
                faults.append(unusable(name, "is no socket"))
    return sockets, faults


def unusable(name: str, message: str) -> Finding:
    """Return what is wrong with the engine at a socket."""
    return Finding("container", "engine-unusable", name, message)


def _named(environ: Mapping[str, str]) -> dict[str, str]:
    addresses = ((name, environ.get(name, "")) for name in _NAMED_BY)
    return {name: address.removeprefix(_SCHEME) for name, address in addresses if address.startswith(_SCHEME)}


def _usual(environ: Mapping[str, str]) -> dict[str, str]:
    places = {path: path for path in _SOCKETS}
    if os.path.isabs(users := environ.get("XDG_RUNTIME_DIR", "")):
        # Called so that it is the same whoever the user is.
        places[f"XDG_RUNTIME_DIR/{_USERS}"] = os.path.join(users, _USERS)
    return places
