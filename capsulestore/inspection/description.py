"""What a name stands for, with all that is known of it: as `capsule show` tells it."""

from __future__ import annotations

from typing import Final

from capsulestore.errors import CapsuleError, InvalidValue, StoreUnreadable
from capsulestore.model.canonical import Json
from capsulestore.model.capsule import decode_files
from capsulestore.model.commit import iso_time
from capsulestore.model.digest import Digest
from capsulestore.model.mapping import decode_mapping, layer_digests
from capsulestore.store import Store
from capsulestore.store.history import Registration
from capsulestore.store.index import Registered

__all__ = ["describe"]

_SAID: Final = ("result", "verdict", "failedTests")
"""What a list of statements repeats of what each says."""


def describe(store: Store, name: str) -> dict[str, Json]:
    """Return what a name stands for, as `capsule show --json` has it; `kind` says what it is.

    A capsule comes with its manifest, environment, context, children, statements and registrations, an environment
    with its layers, anything else with its digest and value. Raise what `Store.resolve` raises, `StoreUnreadable` for
    what no release before this one has written.
    """
    named = store.resolve(name)
    try:
        if named.kind == "capsule":
            return _capsule(store, named.digest)
        if named.kind == "statement":
            return {"kind": "statement", "digest": str(named.digest), "value": store.statement(named.digest).value}
        value = named.value(store.read)
        if named.kind != "environment":
            return {"kind": named.kind, "digest": str(named.digest), "value": value}
        return {
            "kind": "environment",
            "environment_digest": str(named.digest),
            "layers": _layers(store, named.digest),
            "environment": value,
        }
    except InvalidValue as error:
        raise StoreUnreadable(f"`{name}` is nothing that this release can read: {error}") from error


def _capsule(store: Store, digest: Digest) -> dict[str, Json]:
    capsule = store.capsule(digest)
    return {
        "kind": "capsule",
        "capsule_id": str(digest),
        "environment_digest": str(capsule.environment),
        "layers": _layers(store, capsule.environment),
        "manifest": capsule.manifest.value,
        "environment": decode_mapping(capsule.environment, store.read),
        "context": decode_mapping(capsule.context, store.read) if capsule.context else {},
        "files": [*decode_files(capsule.files, store.read)] if capsule.files else [],
        "children": [str(child) for child in store.index.children(digest)],
        "tags": sorted(tag for tag, tagged in store.tags.all().items() if tagged == digest),
        "statements": [_statement(store, found) for found in store.index.statements(digest)],
        "registrations": [_registration(found) for found in store.index.registrations(digest)],
    }


def _layers(store: Store, environment: Digest) -> dict[str, Json]:
    return {layer: str(digest) for layer, digest in layer_digests(environment, store.read).items()}


def _statement(store: Store, registered: Registered) -> dict[str, Json]:
    """Return a statement in a list; one that cannot be read with its `problem`, and without what it says."""
    listed: dict[str, Json] = {
        "statement_id": str(registered.digest),
        "author": registered.author,
        "registered_at": iso_time(registered.time),
    }
    try:
        statement = store.statement(registered.digest)
    except CapsuleError as error:
        return listed | {"predicate_type": None} | dict.fromkeys(_SAID) | {"problem": error.message}
    said = {key: statement.predicate.get(key) for key in _SAID}
    return listed | {"predicate_type": statement.predicate_type} | said


def _registration(registration: Registration) -> dict[str, Json]:
    commit = registration.commit
    return {
        "commit": str(registration.id),
        "author": str(commit.author),
        "registered_at": iso_time(commit.time),
        "title": commit.message,
    }
