"""What is immutable, as the bytes that are sent: capsules and environments, by digest."""

from __future__ import annotations

from typing import Final

import orjson

from capsulestore.errors import InvalidValue, StoreUnreadable
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.mapping import decode_mapping, layer_digests
from capsulestore.serving.memory import Memory
from capsulestore.store import Store

__all__ = ["capsule_document", "documents", "environment_document", "surroundings_document"]

_OVERHEAD_BYTES: Final = 300
"""What it takes to keep an answer, beside its bytes."""


def documents(most_bytes: int) -> Memory[bytes]:
    """Return a memory of answers, as bytes, up to so many."""
    return Memory(most_bytes, lambda data: len(data) + _OVERHEAD_BYTES)


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
