"""capsulestore: records the environment an analysis ran in, content-addressed, in a local git-like store.

    from capsulestore import Store, capture_environment, record

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from capsulestore.agent import record
    from capsulestore.capture.environment import capture_environment
    from capsulestore.store import Store

__all__ = ["Store", "__version__", "capture_environment", "record"]

__version__ = "0.1.0"

_HOMES = {
    "Store": "capsulestore.store",
    "capture_environment": "capsulestore.capture.environment",
    # What IPython calls for `%load_ext capsulestore`, and nobody else.
    "load_ipython_extension": "capsulestore.notebook",
    "record": "capsulestore.agent",
    "unload_ipython_extension": "capsulestore.notebook",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
