"""The `nix` layer: the store paths that the interpreter runs from, and all that these need.

Which those are stands in the database that nix keeps beside its store, and it is read there. To ask `nix-store` would
be to let it write: wherever it finds no daemon it makes directories and locks, sets permissions and brings a database
up to its own version, also for a query. And images that nix built may have the database without the program.
"""

from __future__ import annotations

import os
from typing import Final

from capsulestore.capture.interpreter import Interpreter
from capsulestore.capture.layer import LayerCapture, Runtime
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState

__all__ = ["STORE", "NixLayer"]

STORE: Final = "/nix/store"
"""Where nix keeps its store, unless it was built for another place."""


class NixLayer:
    """The closure of an interpreter that lies in the nix store at `store`, an absolute path."""

    name = "nix"
    rules = frozenset({1})
    in_environment = True

    def __init__(self, store: str = STORE) -> None:
        self._store = store

    def capture(self, runtime: Runtime, rules: int) -> LayerCapture:
        """Capture the layer: `none` where the interpreter is not nix's, `unknown` where nix's database cannot tell.

        A store path stays as it is until it is deleted. So what was read is kept for as long as each path of the
        closure is the same file, whatever else becomes of the store.
        """
        interpreter = runtime.interpreter
        roots = self._roots(interpreter)
        if not roots:
            return LayerCapture(LayerState("none"))

        def compute() -> Json:
            from capsulestore.capture.nix.reading import read_layer  # noqa: PLC0415

            return read_layer(self._store, roots, rules).as_json()

        name = f"nix layer, rules {rules}, {self._store}, {os.path.abspath(interpreter.executable)}"
        return LayerCapture.from_json(runtime.cache.recall(name, compute, condition="\n".join(roots)))

    def _roots(self, interpreter: Interpreter) -> list[str]:
        """Return the paths that the interpreter runs from: none, and soon, where it does not lie in the store."""
        if not os.path.isdir(self._store):
            return []
        below = os.path.join(os.path.realpath(self._store), "")
        # A venv's interpreter is a link to there.
        places = {interpreter.executable, interpreter.prefix, interpreter.base_prefix}
        if not any(os.path.realpath(place).startswith(below) for place in places):
            return []
        from capsulestore.capture.nix.roots import find_roots  # noqa: PLC0415

        return find_roots(interpreter, self._store)
