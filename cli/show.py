"""`capsule show`: a capsule, an environment, a layer, an entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from capsulestore.model.digest import Digest

from .candidates import complete_name
from .command import Command, settings_options
from .context_text import context_summary
from .manifest_text import manifest_rows, relative
from .output import cell, print_json, print_lines, safe, table
from .settings import settings
from .text import layer_summary, local_time, package_rows

if TYPE_CHECKING:
    from capsulestore.store import Store


@click.command(
    cls=Command,
    examples=(
        ("capsule show", "the capsule added last"),
        ("capsule show 3f2a", "another"),
        ("capsule show @:python/packages/numpy", "one package of its environment"),
        ("capsule show @:context", "its context"),
    ),
)
@click.argument("name", default="@", shell_complete=complete_name)
@settings_options
def command(name: str) -> None:
    """Print what a name stands for.

    NAME is a digest, four or more of its digits, a tag, or @ for the capsule added last; NAME:layer/collection/entry
    reaches into its environment, NAME:context/... into its context.
    """
    from capsulestore.inspection.description import describe

    with settings().open_store() as store:
        document: dict[str, Any] = describe(store, name)
        titles = _titles(store, document) if document["kind"] == "capsule" and not settings().json else {}
    if settings().json:
        print_json(document)
        return
    print_lines(_lines(document, titles))


def _titles(store: Store, document: dict[str, Any]) -> dict[str, str]:
    """Return the titles of a capsule's parents and children, by digest; those that are in the store."""
    from capsulestore.inspection.lineage import children, parents

    capsule = Digest(document["capsule_id"])
    relatives = [*parents(store, capsule), *children(store, capsule)]
    return {str(one.digest): one.registered.title for one in relatives if one.registered}


def _lines(document: dict[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    if document["kind"] == "capsule":
        yield from table(_heading(document, titles))
        yield ""
        yield from _environment(document["environment"])
        yield from _context(document["context"])
        yield from _statements(document["statements"])
    elif document["kind"] == "environment":
        yield f"environment {document['environment_digest']}"
        yield ""
        yield from _environment(document["environment"])
    else:
        yield f"{document['kind']} {document['digest']}"
        yield from _value(document["value"])


def _heading(document: dict[str, Any], titles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    manifest = document["manifest"]
    yield "capsule", document["capsule_id"]
    yield "title", cell(manifest["title"])
    for registration in document["registrations"]:
        yield "registered", f"{local_time(registration['registered_at'])} by {safe(registration['author'])}"
    if document["tags"]:
        yield "tags", safe(", ".join(document["tags"]))
    yield "environment", document["environment_digest"]
    yield from manifest_rows(manifest, titles)
    for child in document["children"]:
        yield "children", relative(child, titles)
    for path in document["files"]:
        yield "kept", safe(path)


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


def _context(context: dict[str, Any]) -> Iterator[str]:
    summaries = [
        (safe(name), context_summary(name, layer)) for name, layer in context.items() if isinstance(layer, dict)
    ]
    if told := [row for row in summaries if row[1]]:
        yield ""
        yield "context, no part of the environment"
        yield from table(told, indent="  ")


def _statements(statements: list[dict[str, Any]]) -> Iterator[str]:
    if statements:
        yield ""
        yield "statements"
    rows = (
        (
            str(statement["statement_id"])[:12],
            local_time(statement["registered_at"]),
            _said(statement),
            f"by {safe(statement['author'])}",
        )
        for statement in statements
    )
    yield from table(rows, indent="  ")


def _said(statement: dict[str, Any]) -> str:
    """Return what a statement says in a word, and where a test failed, which."""
    word = statement.get("problem") or statement["verdict"] or statement["result"] or statement["predicate_type"]
    failed = statement["failedTests"]
    return (
        f"{cell(word)}, failed: {cell(', '.join(map(str, failed)))}"
        if isinstance(failed, list) and failed
        else cell(word)
    )


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
