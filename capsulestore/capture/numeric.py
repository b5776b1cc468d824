"""The numeric libraries that this process has loaded, and how many threads each is set to use, as threadpoolctl tells.

They are seen from within a process only. So they are context of what is recorded there, and compared with nothing that
is captured from outside.
"""

from __future__ import annotations

import os
from typing import Any, Final

from capsulestore.model.canonical import Json
from capsulestore.model.recordable import recordable

__all__ = ["numeric_libraries"]

_SET_BY_IT: Final = "KMP_DUPLICATE_LIB_OK"
"""It has OpenMP go on where two of its runtimes are loaded, instead of ending the program."""

_TOLD: Final = ("user_api", "internal_api", "version", "num_threads", "threading_layer", "architecture")


def numeric_libraries() -> dict[str, Json]:
    """Return each library by its name (`libopenblas`), with version, threads and architecture where it tells them.

    Of several of one name, the second is `libopenblas 2`. Nothing, where threadpoolctl is not installed or fails.
    """
    before = os.environ.get(_SET_BY_IT)
    try:
        from threadpoolctl import threadpool_info  # noqa: PLC0415  (it belongs to the analysis, where it is there)

        told: list[dict[str, Any]] = sorted(threadpool_info(), key=lambda one: (one["prefix"], str(one["filepath"])))
    except Exception:
        # It looks into libraries that are somebody else's.
        return {}
    finally:
        _set_back(before)
    found: dict[str, Json] = {}
    for library in told:
        name = str(library["prefix"])
        same = sum(1 for known in found if known.partition(" ")[0] == name)
        facts, _ = recordable({key: library[key] for key in _TOLD if library.get(key) is not None})
        found[f"{name} {same + 1}" if same else name] = facts
    return found


def _set_back(value: str | None) -> None:
    """Take back what importing threadpoolctl does to the variables of whoever imports it, and of all its children."""
    if value is None:
        os.environ.pop(_SET_BY_IT, None)
    else:
        os.environ[_SET_BY_IT] = value
