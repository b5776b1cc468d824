"""What this very process has imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Final

from capsulestore.capture.imports.observed import Traced, still_there

__all__ = ["imported_here"]

_OUR_OWN: Final = frozenset({"capsulestore", "capsulestore_cli"})


def imported_here() -> Traced:
    """Return the modules that this process holds, by the files they are in; none of the standard library.

    Ours are not among them, but what these import is: that the analysis does not use it cannot be told. A module that
    waits to be used (`importlib.util.LazyLoader`) was not imported. Not seen is what was imported and is held no more
    (`del sys.modules[...]`), and what other processes import.
    """
    library = os.path.dirname(os.__file__) + os.sep
    modules = {name: found for name, module in sys.modules.copy().items() if (found := _globals(module))}
    paths = {path for name, known in modules.items() if _package(name) not in _OUR_OWN and (path := _file(known))}
    files = frozenset(
        path for path in still_there(paths) if not path.startswith(library) or f"{os.sep}site-packages{os.sep}" in path
    )
    return Traced(interpreters=frozenset({sys.prefix}), site_directories=frozenset(), files=files)


def _globals(module: object) -> dict[str, Any] | None:
    """Return a module's globals without asking the module itself, which may run code; None where it was not run."""
    try:
        found = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return None
    kind = type(module)
    is_waiting = kind.__name__ == "_LazyModule" and kind.__module__ == "importlib.util"
    return found if type(found) is dict and not is_waiting else None


def _file(known: Mapping[str, Any]) -> str | None:
    path = known.get("__file__")
    if not isinstance(path, str) or "\0" in path:
        return None
    try:
        return os.path.abspath(path)
    except OSError:
        # A relative path, and the working directory was removed.
        return None


def _package(name: str) -> str:
    return name.partition(".")[0]
