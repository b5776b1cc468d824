"""Which paths of a nix store an interpreter runs from."""

from __future__ import annotations

import os

from capsulestore.capture.interpreter import Interpreter
from capsulestore.capture.nix.store_path import store_path

__all__ = ["find_roots"]


def find_roots(interpreter: Interpreter, store: str) -> list[str]:
    """Return each `<hash>-<name>` that the interpreter, its prefixes or what it imports from lie in, sorted.

    As they are named, and where links lead from there: a venv's interpreter is a link into the store, and a store path
    may be a link to another. What is looked for in vain is left out: PYTHONPATH may name what was deleted since.
    """
    searched = filter(os.path.exists, interpreter.path)
    places = {interpreter.executable, interpreter.prefix, interpreter.base_prefix, *searched}
    stores = {store, os.path.realpath(store)}
    found = {store_path(form, one) for place in places for form in (place, os.path.realpath(place)) for one in stores}
    return sorted(path for path in found if path)
