"""What this very process has imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from capsulestore.capture.imports.observed import MODULE_ENDINGS, Traced

__all__ = ["imported_here"]


def imported_here() -> Traced:
    """Return the modules that this process holds, by the files they are in; none of the standard library.

    What was imported and is held no more (`del sys.modules[...]`) is not seen, nor what other processes import.
    """
    library = os.path.dirname(os.__file__) + os.sep
    files = frozenset(
        path for path in _files() if not path.startswith(library) or f"{os.sep}site-packages{os.sep}" in path
    )
    return Traced(interpreters=frozenset({sys.prefix}), site_directories=frozenset(), files=files)


def _files() -> Iterator[str]:
    for module in list(sys.modules.values()):
        try:
            # Asking a module itself may run code: one that loads lazily, one that is an object of another class.
            path = object.__getattribute__(module, "__dict__").get("__file__")
        except AttributeError:
            continue
        if isinstance(path, str) and path.endswith(MODULE_ENDINGS):
            path = os.path.abspath(path)
            if os.path.isfile(path):
                yield path
