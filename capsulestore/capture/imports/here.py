"""What this very process has imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final

from capsulestore.capture.imports.observed import Traced, still_there

__all__ = ["imported_here"]

_OUR_OWN: Final = "capsulestore"
_NEEDED_TO_RECORD: Final = ("dulwich", "orjson", "rfc8785", "threadpoolctl")
"""The packages that are imported in order to record, and perhaps by the analysis too."""

_KNOWN_BY_MODULE: Final = (type, FunctionType, BuiltinFunctionType)


def imported_here() -> Traced:
    """Return the modules that this process holds, by the files they are in; none of the standard library.

    Ours are not among them, nor what was imported for them alone: what was there before, and what another module has
    among its globals, is the analysis's too. A module that waits to be used (`importlib.util.LazyLoader`) was not
    imported. Not seen is what was imported and is held no more (`del sys.modules[...]`), and what other processes
    import.
    """
    library = os.path.dirname(os.__file__) + os.sep
    modules = {name: found for name, module in sys.modules.copy().items() if (found := _globals(module))}
    apart = {_OUR_OWN, *_for_us_alone(modules)}
    paths = {path for name, known in modules.items() if _package(name) not in apart and (path := _file(known))}
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


def _for_us_alone(modules: Mapping[str, dict[str, Any]]) -> Collection[str]:
    """Return those of the packages we need that the analysis does not use, as far as can be told."""
    names = list(modules)
    before = {_package(name) for name in names[: names.index(_OUR_OWN)]} if _OUR_OWN in modules else set()
    ours = {name for name in _NEEDED_TO_RECORD if name in modules} - before
    if not ours:
        return ours
    owners: dict[int, str] = {}
    for name, known in modules.items():
        if (package := _package(name)) in ours:
            owners[id(sys.modules.get(name))] = package
            owners |= {id(value): package for value in known.values() if _is_of(value, package)}
    apart, ids = {_OUR_OWN, *_NEEDED_TO_RECORD}, owners.keys()
    for name, known in modules.items():
        if _package(name) not in apart and not ids.isdisjoint(held := [*map(id, known.copy().values())]):
            ours -= {owners[one] for one in held if one in owners}
    return ours


def _is_of(value: object, package: str) -> bool:
    """Whether a module, class or function is of a package, whoever has it among its globals."""
    if isinstance(value, ModuleType):
        return _package(value.__name__) == package
    return isinstance(value, _KNOWN_BY_MODULE) and _package(str(value.__module__)) == package


def _package(name: str) -> str:
    return name.partition(".")[0]
