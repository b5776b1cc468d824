"""`capsule show`: a capsule, an environment, a layer, an entry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from capsulestore.errors import InvalidValue, StoreUnreadable
from capsulestore.model.digest import Digest
from capsulestore.model.mapping import decode_mapping, layer_digests
from capsulestore.store import Store

from .command import Command, settings, settings_options
from .output import cell, print_json, print_line, safe, table
from .text import layer_summary, package_rows


@click.command(
    cls=Command,
    examples=(
        ("capsule show", "the capsule added last"),
        ("capsule show 3f2a", "another"),
        ("capsule show @:python/packages/numpy", "one package of its environment"),
        ("capsule show @:context", "its context"),
    ),
)
@click.argument("name", default="@")
@settings_options
def command(name: str) -> None:
    """Print what a name stands for.

    NAME is a digest, four or more of its digits, a tag, or @ for the capsule added last; NAME:layer/collection/entry
    reaches into its environment, NAME:context/... into its context.
    """
    with settings().open_store() as store:
        try:
            document = _document(store, name)
        except InvalidValue as error:
            raise StoreUnreadable(f"`{name}` is nothing that this release can read: {error}") from error
    if settings().json:
        print_json(document)
        return
    for line in _lines(document):
        print_line(line)


def _document(store: Store, name: str) -> dict[str, Any]:
    named = store.resolve(name)
    if named.kind == "capsule":
        return _capsule(store, named.digest)
    value = named.value(store.read)
    if named.kind != "environment":
        return {"kind": named.kind, "digest": str(named.digest), "value": value}
    layers = {layer: str(digest) for layer, digest in layer_digests(named.digest, store.read).items()}
    return {
        "kind": "environment",
        "environment_digest": str(named.digest),
        "layers": layers,
        "environment": value,
    }


def _capsule(store: Store, digest: Digest) -> dict[str, Any]:
    capsule = store.capsule(digest)
    layers = layer_digests(capsule.environment, store.read)
    return {
        "kind": "capsule",
        "capsule_id": str(digest),
        "environment_digest": str(capsule.environment),
        "layers": {layer: str(of_layer) for layer, of_layer in layers.items()},
        "manifest": capsule.manifest.value,
        "environment": decode_mapping(capsule.environment, store.read),
        "context": decode_mapping(capsule.context, store.read) if capsule.context else {},
        "tags": sorted(tag for tag, tagged in store.tags().items() if tagged == digest),
        "statements": [],
        "registrations": [
            {
                "commit": str(registration.id),
                "author": str(registration.commit.author),
                "registered_at": datetime.fromtimestamp(registration.commit.time, UTC).isoformat(),
                "title": registration.commit.message,
            }
            for registration in store.registrations(digest)
        ],
    }


def _lines(document: dict[str, Any]) -> Iterator[str]:
    if document["kind"] == "capsule":
        yield from table(_heading(document))
        yield ""
        yield from _environment(document["environment"])
    elif document["kind"] == "environment":
        yield f"environment {document['environment_digest']}"
        yield ""
        yield from _environment(document["environment"])
    else:
        yield f"{document['kind']} {document['digest']}"
        yield from _value(document["value"])


def _heading(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    manifest = document["manifest"]
    yield "capsule", document["capsule_id"]
    yield "title", cell(manifest["title"])
    for registration in document["registrations"]:
        yield "registered", f"{registration['registered_at']} by {safe(registration['author'])}"
    if document["tags"]:
        yield "tags", safe(", ".join(document["tags"]))
    yield "environment", document["environment_digest"]
    for key, value in manifest.items():
        if key in {"schema", "title", "environment_digest", "layers"}:
            continue
        yield from _field(safe(key), value)


def _field(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield a manifest's key: a line for each member of a mapping or list, files with size and first digits."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield key, f"{safe(name)} = {cell(member)}"
    elif isinstance(value, list):
        for member in value:
            if isinstance(member, dict) and {"path", "sha256", "size"} <= member.keys():
                yield key, f"{cell(member['path'])}  {cell(member['sha256'])[:12]}  {member['size']} bytes"
            else:
                yield key, cell(member)
    else:
        yield key, cell(value)


def _environment(environment: dict[str, Any]) -> Iterator[str]:
    for name, layer in environment.items():
        if not isinstance(layer, dict):
            yield f"{safe(name)}: {cell(layer)}"
            continue
        yield f"{safe(name)}: {layer_summary(layer)}"
        for collection, entries in layer.items():
            if isinstance(entries, dict) and collection != "interpreter":
                yield f"  {safe(collection)}"
                yield from table(package_rows(entries), indent="    ")


def _value(value: Any) -> Iterator[str]:
    """Yield a value as indented lines, `key  value`, deeper ones below their key."""
    if not isinstance(value, dict):
        yield cell(value)
        return
    yield from table(([safe(key), cell(member)] for key, member in value.items() if not isinstance(member, dict)))
    for key, member in value.items():
        if isinstance(member, dict):
            yield safe(key)
            yield from (f"  {line}" for line in _value(member))
