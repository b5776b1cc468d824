"""Asks the engine that runs the container of which image it is, over its socket where that is mounted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from capsulestore.capture.container.deadline import Deadline
from capsulestore.capture.container.docker_api import image_of
from capsulestore.capture.container.engine_sockets import find_sockets, unusable
from capsulestore.capture.container.source import Asked, Found, NoAnswer
from capsulestore.capture.finding import Finding
from capsulestore.capture.watch import noticed_more_than_files
from capsulestore.model.canonical import Json

__all__ = ["from_engine"]

_ENGINES: Final = frozenset({"docker", "podman", "unknown"})
"""Runtimes whose engine may answer.

Apptainer has none. In a pod of kubernetes the id among the mounts is the sandbox's, which has an image of its own.
"""


def from_engine(asked: Asked) -> Found:
    """Return the layers of the image by the first engine that knows this container.

    The image of a container is fixed, so the answer is kept under the container's id and disk: the user's cache may lie
    in a home that containers share. That nobody answered is not kept.
    """
    if asked.engine not in _ENGINES:
        return Found()
    if asked.identity.container is None:
        return Found(why=("its mounts do not tell which container it is",))
    faults: list[Finding] = []

    def compute() -> Json:
        told = _ask(asked, faults)
        if told is None or faults:
            noticed_more_than_files()
        return told

    name = f"image of a container, rules 1, {asked.identity.container} {asked.identity.disk}"
    told = cast("Mapping[str, Any] | None", asked.runtime.cache.recall(name, compute))
    if told is not None:
        return Found({"rootfs": told["rootfs"]}, told["context"], faults=tuple(faults))
    return Found(why=() if faults else ("no socket of an engine is there",), faults=tuple(faults))


def _ask(asked: Asked, faults: list[Finding]) -> Json:
    """Return what the first engine that knows the container says of the image; what went wrong is added to `faults`."""
    sockets, broken = find_sockets(asked)
    faults += broken
    for number, (name, path) in enumerate(sockets):
        try:
            return _ask_at(path, asked, asked.deadline.share(len(sockets) - number))
        except NoAnswer as problem:
            faults.append(unusable(name, str(problem)))
    return None


def _ask_at(path: str, asked: Asked, deadline: Deadline) -> Json:
    # Loaded only where there is somebody to ask.
    from capsulestore.capture.container.bounded_http import get_json, over_unix_socket  # noqa: PLC0415

    connect = over_unix_socket(path)
    return image_of(lambda what: get_json(connect, what, {}, deadline, asked.limits), asked.identity, asked.limits)
