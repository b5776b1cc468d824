"""Reads the `nix` layer: the closure of the store paths that an interpreter runs from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from capsulestore.capture.files import path_text
from capsulestore.capture.layer import LayerCapture
from capsulestore.capture.nix.database import Unreadable, read_closures
from capsulestore.capture.python.keys import entry_key
from capsulestore.capture.watch import noticed, noticed_more_than_files
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState

__all__ = ["read_layer"]


def read_layer(store: str, roots: Sequence[str], rules: int) -> LayerCapture:
    """Return the layer of an interpreter that runs from these paths of a store, each `<hash>-<name>`.

    It rests on the paths themselves: nix registers one anew only after it has deleted it, or replaced it in a repair.
    """
    # Where nix keeps its database unless told otherwise.
    database = os.path.join(os.path.dirname(store), "var/nix/db/db.sqlite")
    try:
        closures = read_closures(database, store, roots)
    except Unreadable as problem:
        noticed_more_than_files()
        reason = f"the nix database `{path_text(database)}` {problem}"
        return LayerCapture(LayerState("unknown", reason))
    paths = {path: told for closure in closures.values() for path, told in closure.items()}
    for path in paths:
        noticed(os.path.join(store, path))
    return LayerCapture(
        state=LayerState("captured"),
        environment={"rules": rules, "paths": {entry_key(path): paths[path] for path in sorted(paths)}},
        context={"rules": rules, "roots": _outermost(closures)},
    )


def _outermost(closures: Mapping[str, Mapping[str, str]]) -> list[Json]:
    """Return the roots that no other root needs: an environment of packages needs its interpreter."""
    return [
        root for root in closures if not any(root in closure for other, closure in closures.items() if other != root)
    ]
