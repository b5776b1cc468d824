"""The environment that a program registers: one that it hands over, or the one that is captured when it asks."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from capsulestore.capture.cache import users_cache
from capsulestore.capture.environment import Capture, capture
from capsulestore.capture.target import of_caller
from capsulestore.errors import UsageError
from capsulestore.recording.arguments import texts
from capsulestore.recording.capsule import Surroundings

__all__ = ["surroundings"]


def surroundings(
    given: Capture | Mapping[str, Any] | None, python: str | os.PathLike[str] | None, layers: Collection[str] | None
) -> Surroundings:
    """Return what is given, else what is captured: of `python` or the running interpreter, all or some `layers`.

    Raise `InvalidValue` with the path of what is no environment, `InterpreterProblem`, and `UsageError` where both are
    given, or nothing would be recorded.
    """
    if given is None:
        found = capture(
            of_caller(python), layers=None if layers is None else texts("layers", layers), cache=users_cache()
        )
    elif python is not None or layers is not None:
        raise UsageError("`environment_capture` says what to register; `python` and `layers` look for it here")
    elif isinstance(given, Capture):
        found = given
    else:
        return Surroundings.from_document(given)
    if not found.environment:
        raise UsageError(
            "of the environment nothing would be recorded",
            hint='name a layer of the environment among `layers`, as `"python"`',
        )
    return Surroundings.of(found)
