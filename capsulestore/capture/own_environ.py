"""The variables that an analysis would be started with beside this process."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["own_environ"]

_COERCED_TO: Final = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
_STARTED_WITH: Final = "/proc/self/environ"


def own_environ() -> dict[str, str]:
    """Return `os.environ`, but Python's own variables as they were when this process was started.

    An interpreter looks at those once: what is changed in them later is for others to be started. The `LC_CTYPE` that
    Python gives itself in the locale C (PEP 538) is none.
    """
    environ = dict(os.environ)
    started_with = _started_with()
    if started_with is None:
        return environ
    if environ.get("LC_CTYPE") in _COERCED_TO and "LC_CTYPE" not in started_with:
        del environ["LC_CTYPE"]
    for name in {*environ, *started_with}:
        if name.startswith("PYTHON") and environ.get(name) != started_with.get(name):
            environ.pop(name, None)
            if name in started_with:
                environ[name] = started_with[name]
    return environ


def _started_with() -> dict[str, str] | None:
    """Return the variables of this process's start, None where the kernel does not tell them (proc_pid_environ(5))."""
    try:
        with open(_STARTED_WITH, "rb") as file:
            given = file.read().split(b"\0")
    except OSError:
        return None
    pairs = (os.fsdecode(variable).partition("=") for variable in given if variable)
    return {name: value for name, _, value in pairs}
