"""Registers capsules, finds them again, and tells whether they still hold.

    recorded = register_capsule("first fit", outputs=["fit.csv"], parameters={"alpha": 0.1})
    verify_capsule(recorded["capsule_id"])["verdict"]

Where a function takes a `capsule_id`, any name will do: a prefix, a tag, `@`. Without `store`, the store is found as
the commands find it. Every answer is JSON.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, cast

from capsulestore import lineage
from capsulestore.attestation import attest
from capsulestore.capture.artifacts import digest_inputs
from capsulestore.capture.cache import users_cache
from capsulestore.capture.environment import Capture, capture
from capsulestore.capture.files import path_text
from capsulestore.capture.target import of_caller
from capsulestore.inspection import describe
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.recordable import recordable
from capsulestore.recording import Description, Surroundings
from capsulestore.recording import record as record_capsule
from capsulestore.store import Place, Store, opened
from capsulestore.verification import verify

__all__ = [
    "ancestors",
    "children",
    "descendants",
    "get_capsule",
    "list_capsules",
    "parents",
    "register_capsule",
    "verify_capsule",
]

_LOGGER: Final = logging.getLogger("capsulestore")

_Path = str | os.PathLike[str]


def register_capsule(  # noqa: PLR0913  (each is another key of the manifest)
    title: str,
    *,
    environment_capture: Capture | Mapping[str, Any] | None = None,
    description: str | None = None,
    command: Sequence[str] | None = None,
    entry_point: _Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    labels: Mapping[str, Any] | None = None,
    inputs: Sequence[_Path] = (),
    outputs: Sequence[_Path] = (),
    parents: Sequence[str] = (),
    status: str | None = None,
    python: _Path | None = None,
    layers: Collection[str] | None = None,
    store: Place = None,
) -> dict[str, Json]:
    """Register a capsule of an analysis that has ended; the same facts a second time are the same capsule.

    `environment_capture` is what `capture_environment` or `capture_python_environment` gave, or what `capsule capture
    --json` prints; without it, the environment of `python` is captured, of the running interpreter where none is named,
    or of it the `layers`. `inputs` and `outputs` are paths, directories and patterns. What JSON cannot hold of
    `parameters` and `labels` becomes a text, which is logged. `parents` are names of capsules that it derives from.

    The answer: `capsule_id`, `environment_digest`, and whether it was `registered` now; by then it is durable. Raise
    `InvalidValue` with the path of what is no environment, `FileProblem` for what cannot be read, `NameProblem`,
    `NoStore`, and what else keeps a store from being written: the store is then as it was.
    """
    given: dict[str, Json | None] = {
        "description": description,
        "command": None if command is None else list(map(path_text, command)),
        "entry_point": None if entry_point is None else path_text(os.fspath(entry_point)),
        "status": status,
    }
    with opened(store) as opened_store:
        surroundings = _surroundings(environment_capture, python, layers)
        recorded = record_capsule(
            opened_store,
            surroundings,
            Description(
                title=title,
                inputs=digest_inputs([os.fspath(path) for path in inputs], root=opened_store.root),
                outputs=digest_inputs([os.fspath(path) for path in outputs], root=opened_store.root),
                parameters=_mapping("parameters", parameters),
                labels=_mapping("labels", labels),
                parents=[opened_store.resolve_capsule(name) for name in parents],
                observed={key: value for key, value in given.items() if value is not None},
            ),
        )
    return recorded.as_dict()


def verify_capsule(  # noqa: PLR0913  (each says another thing of what is asked)
    capsule_id: str,
    *,
    python: _Path | None = None,
    layers: Collection[str] | None = None,
    strict: bool = False,
    loaded: bool = False,
    record: bool = False,
    store: Place = None,
) -> dict[str, Json]:
    """Tell whether the environment here, and the capsule's code, inputs and outputs, are what it recorded.

    The environment is matched as `verify_environment_match` matches it, of `python` or of the running interpreter; with
    `loaded`, by what the analysis imported alone. The answer has that function's keys and `capsule_id`, `code` and
    `files` with their states, and `failures`: a code, a subject and a reason in words for each thing that is not as
    recorded; none means that all is. With `record` it is kept in the store as a statement about the capsule, whose
    digest is `statement_id`; so the verifications of many machines add up, and `get_capsule` lists them.

    Raise `NameProblem`, `NoStore`, `InterpreterProblem`, `UsageError` for what was not recorded or is no layer, and
    `StoreUnreadable` or `DamagedObject` for a store in which it cannot be read.
    """
    with opened(store) as opened_store:
        answer = verify(
            opened_store,
            capsule_id,
            of_caller(python),
            layers=layers,
            strict=strict,
            loaded=loaded,
            cache=users_cache(),
        )
        statement = {"statement_id": str(attest(opened_store, answer))} if record else {}
        return answer.as_dict() | statement


def get_capsule(capsule_id: str, *, store: Place = None) -> dict[str, Json]:
    """Return all that is known of a capsule, as `capsule show --json` has it; raise `NameProblem`."""
    with opened(store) as opened_store:
        return describe(opened_store, str(opened_store.resolve_capsule(capsule_id)))


def list_capsules(*, limit: int | None = None, store: Place = None) -> list[dict[str, Json]]:
    """Return the capsules, newest first and each once, as `capsule log --json` has them."""
    with opened(store) as opened_store:
        return [found.as_dict() for found in opened_store.index.capsules(limit)]


def parents(capsule_id: str, *, store: Place = None) -> list[dict[str, Json]]:
    """Return what a capsule derives from; of one that is not in the store, `capsule_id` alone is known."""
    return _related(lineage.parents, capsule_id, store)


def children(capsule_id: str, *, store: Place = None) -> list[dict[str, Json]]:
    """Return the capsules that derive from one, earliest first."""
    return _related(lineage.children, capsule_id, store)


def ancestors(capsule_id: str, *, store: Place = None) -> list[dict[str, Json]]:
    """Return the parents of a capsule, their parents, and so on: nearest first, each once."""
    return _related(lineage.ancestors, capsule_id, store)


def descendants(capsule_id: str, *, store: Place = None) -> list[dict[str, Json]]:
    """Return the children of a capsule, their children, and so on: nearest first, each once."""
    return _related(lineage.descendants, capsule_id, store)


def _related(
    relatives: Callable[[Store, Digest], list[lineage.Relative]], capsule_id: str, store: Place
) -> list[dict[str, Json]]:
    with opened(store) as opened_store:
        return [
            relative.registered.as_dict() if relative.registered else {"capsule_id": str(relative.digest)}
            for relative in relatives(opened_store, opened_store.resolve_capsule(capsule_id))
        ]


def _surroundings(
    given: Capture | Mapping[str, Any] | None, python: _Path | None, layers: Collection[str] | None
) -> Surroundings:
    if given is None:
        return Surroundings.of(capture(of_caller(python), layers=layers, cache=users_cache()))
    return Surroundings.of(given) if isinstance(given, Capture) else Surroundings.from_document(given)


def _mapping(name: str, given: Mapping[str, Any] | None) -> Mapping[str, Json]:
    plain, converted = recordable(dict(given or {}))
    for place in converted:
        _LOGGER.warning("%s/%s: JSON has no form for it; recorded as a text", name, place)
    return cast("Mapping[str, Json]", plain)
