"""Captures the runtime environment, digests it, and tells whether it still is what it was.

    environment = capture_python_environment()
    compute_environment_digest(environment)
    verify_environment_match(environment)

An environment is a mapping of layers (`docs/decisions/0003-what-is-identity.md`); one that a caller made, or loaded
from JSON, is as good as one that was captured.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any, Final

from capsulestore.capture.cache import users_cache
from capsulestore.capture.environment import capture
from capsulestore.capture.target import of_caller, running
from capsulestore.model.document import Document
from capsulestore.model.mapping import encode_mapping
from capsulestore.recording.arguments import texts
from capsulestore.recording.capsule import Surroundings
from capsulestore.verification.matching import RecordedEnvironment, match_environment

__all__ = [
    "capture_container_environment",
    "capture_python_environment",
    "compute_environment_digest",
    "verify_environment_match",
]

_Python = str | os.PathLike[str] | None

_PYTHON_LAYERS: Final = frozenset({"python", "conda", "nix"})
_CONTAINER_LAYERS: Final = frozenset({"container"})


def capture_python_environment(python: _Python = None) -> dict[str, Any]:
    """Return the Python environment as layers: its interpreter and every distribution, with a digest of its content.

    Where conda or nix brought the interpreter, their packages are layers of it too. `python` names an interpreter as
    `--python` does; without it, the running one is captured. Only reads. Raise `InterpreterProblem` where it is not
    there or does not answer.
    """
    return dict(capture(of_caller(python), layers=_PYTHON_LAYERS, cache=users_cache()).environment)


def capture_container_environment() -> dict[str, Any] | None:
    """Return the container that this process runs in as a layer, by its image; None outside of one.

    An image is known by its layers where an engine's socket is mounted, else by the digest of its manifest: that of
    CAPSULE_IMAGE_DIGEST, which whoever starts it can set, or the cluster's. The mapping is empty in a container whose
    image nothing tells, and where it cannot be told whether this is one. What else is known of a container is no part
    of an environment; `capture_environment().context` has it.
    """
    found = capture(running(), layers=_CONTAINER_LAYERS, cache=users_cache())
    return None if found.layers["container"].state == "none" else dict(found.environment)


def compute_environment_digest(env: Mapping[str, Any]) -> str:
    """Return an environment's digest: the 64 hex digits of the SHA-256 that its tree of layers has in git's format.

    It depends on the values alone: not on the order of keys, the class of a mapping, the machine, or the release; an
    environment without layers has one too. `env` is a mapping of layers, or what `capsule capture --json` prints. Raise
    `InvalidValue` with the path of what has no form in JSON.
    """
    return str(encode_mapping(Document.read(env).environment).id)


def verify_environment_match(
    capsule_env: Mapping[str, Any],
    *,
    python: _Python = None,
    layers: Collection[str] | None = None,
    strict: bool = False,
) -> dict[str, Any]:
    """Capture the environment again, and tell whether it is the one that is given.

    `capsule_env` is a mapping of layers, or what `capsule capture --json` prints. Each of its layers is captured by the
    rules that it was captured by; `layers` restricts to some, `strict` counts the context's `system` and `variables`.
    The answer: `match`, `verdict` (`identical`, `different`, `not comparable`), `captured_digest`, `current_digest`,
    `layers` and `changes` with the items that `capsule verify --json` has, `context_changes`, `reasons` in words and
    the `target` that was looked at. Raise `InvalidValue` with the path of what is no environment, `InterpreterProblem`,
    and `UsageError` for a layer that there is none of.
    """
    given = Surroundings.from_document(capsule_env)
    match = match_environment(
        RecordedEnvironment.of(given.environment, given.context, given.layers),
        of_caller(python),
        layers=None if layers is None else texts("layers", layers),
        strict=strict,
        cache=users_cache(),
    )
    return match.as_dict()
