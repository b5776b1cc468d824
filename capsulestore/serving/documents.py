"""What is immutable, as the bytes that are sent: capsules and environments, by digest."""

from __future__ import annotations

import os

import orjson

from capsulestore.errors import InvalidValue, StoreUnreadable
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.mapping import decode_mapping, layer_digests
from capsulestore.serving.memory import Memory
from capsulestore.store import Store

__all__ = ["Documents", "capsule_document", "environment_document", "surroundings_document"]


class Documents:
    """Answers that are kept, as bytes, for as long as the store at a path is the same one and has not forgotten more.

    To know that takes a look at two files for each answer.
    """

    def __init__(self, store: str, most_bytes: int) -> None:
        self._objects = os.path.join(store, "objects")
        self._forgotten = os.path.join(store, "refs", "capsules", "forgotten")
        self._kept = Memory[bytes](most_bytes, len)
        self._stamp = self._now()

    def get(self, key: str) -> bytes | None:
        """Return what is kept by a key, None where nothing is."""
        if (stamp := self._now()) != self._stamp:
            self._kept.forget()
            self._stamp = stamp
        return self._kept.get(key)

    def keep(self, key: str, data: bytes) -> None:
        """Keep what a key stands for, now and for ever."""
        self._kept.keep(key, data)

    def _now(self) -> tuple[object, ...]:
        # A directory's times change with whatever is added.
        objects, forgotten = _status(self._objects), _status(self._forgotten)
        return objects and (objects.st_dev, objects.st_ino), forgotten and (forgotten.st_ino, forgotten.st_mtime_ns)


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def capsule_document(store: Store, digest: Digest) -> bytes:
    """Return a capsule with its manifest; raise what `Store.capsule` raises."""
    capsule = store.capsule(digest)
    return orjson.dumps(
        {
            "capsule_id": str(digest),
            "environment_digest": str(capsule.environment),
            "layers": _layers(store, capsule.environment),
            "manifest": capsule.manifest.value,
        }
    )


def surroundings_document(store: Store, digest: Digest) -> bytes:
    """Return a capsule's environment and context, as `capsule add --environment` takes them."""
    capsule = store.capsule(digest)
    states = capsule.manifest.layers
    return orjson.dumps(
        _environment(store, capsule.environment)
        | {
            "context": _mapping(store, capsule.context) if capsule.context else {},
            "states": None if states is None else {layer: state.as_json() for layer, state in states.items()},
        }
    )


def environment_document(store: Store, digest: Digest) -> bytes:
    """Return an environment."""
    return orjson.dumps(_environment(store, digest))


def _environment(store: Store, digest: Digest) -> dict[str, Json]:
    return {
        "environment_digest": str(digest),
        "layers": _layers(store, digest),
        "environment": _mapping(store, digest),
    }


def _mapping(store: Store, tree: Digest) -> dict[str, Json]:
    try:
        return decode_mapping(tree, store.read)
    except InvalidValue as error:
        raise StoreUnreadable(f"{tree} is nothing that this release can read: {error}") from error


def _layers(store: Store, environment: Digest) -> dict[str, Json]:
    try:
        return {layer: str(digest) for layer, digest in layer_digests(environment, store.read).items()}
    except InvalidValue as error:
        raise StoreUnreadable(f"{environment} is no environment that this release can read: {error}") from error
