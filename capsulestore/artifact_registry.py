"""Registers capsules, finds them again, and tells whether they still hold.

    recorded = register_capsule("first fit", outputs=["fit.csv"], parameters={"alpha": 0.1})
    verify_capsule(recorded["capsule_id"])["verdict"]

Where a function takes a `capsule_id`, any name will do: a prefix, a tag, `@`. Without `store`, the store is found as
the commands find it. Every answer is JSON.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from capsulestore.capture.artifacts import digest_inputs
from capsulestore.capture.cache import users_cache
from capsulestore.capture.environment import Capture
from capsulestore.capture.target import of_caller
from capsulestore.errors import MalformedName, UsageError
from capsulestore.inspection import lineage
from capsulestore.inspection.description import describe
from capsulestore.model.digest import Digest
from capsulestore.recording import arguments
from capsulestore.recording.capsule import Description
from capsulestore.recording.capsule import record as record_capsule
from capsulestore.recording.given import surroundings
from capsulestore.recording.redacted import said_of_redaction
from capsulestore.store import Place, Store, opened
from capsulestore.verification.attestation import attest
from capsulestore.verification.capsule import verify

if TYPE_CHECKING:
    from capsulestore.capture.integrity import Integrity
    from capsulestore.capture.interpreter import Interpreter

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
) -> dict[str, Any]:
    """Register a capsule of an analysis that has ended; the same facts a second time are the same capsule.

    `environment_capture` is what `capture_environment` or `capture_python_environment` gave, or what `capsule capture
    --json` prints; without it, the environment of `python` is captured, of the running interpreter where none is named,
    or of it the `layers`. `inputs` and `outputs` are paths, directories and patterns. What JSON cannot hold of
    `parameters` and `labels` becomes a text, and what looks like credentials is not recorded: both are logged.
    `parents` are names of capsules that it derives from; `status` is `completed` or `failed`.

    The answer: `capsule_id`, `environment_digest`, and whether it was `registered` now; by then it is durable. Raise
    `InvalidValue` with the path of what is no environment, `FileProblem` for what cannot be read, `NameProblem`,
    `NoStore`, `UsageError` for an argument that makes no sense, and what else keeps a store from being written: the
    store is then as it was.
    """
    title = arguments.title(title)
    observed = arguments.observed(description, command, entry_point, status)
    with opened(store) as opened_store:
        root = opened_store.root
        told = Description(
            title=title,
            inputs=digest_inputs(arguments.paths("inputs", inputs), root=root),
            outputs=digest_inputs(arguments.paths("outputs", outputs), root=root),
            parameters=arguments.mapping("parameters", parameters),
            labels=arguments.mapping("labels", labels),
            parents=[_capsule(opened_store, name) for name in arguments.several("parents", parents)],
            observed=observed,
        )
        recorded = record_capsule(opened_store, surroundings(environment_capture, python, layers), told)
    if said := said_of_redaction(recorded):
        _LOGGER.warning("%s", said)
    return recorded.as_dict()


def verify_capsule(  # noqa: PLR0913  (each says another thing of what is asked)
    capsule_id: str,
    *,
    python: _Path | None = None,
    layers: Collection[str] | None = None,
    strict: bool = False,
    loaded: bool = False,
    deep: bool = False,
    record: bool = False,
    store: Place = None,
) -> dict[str, Any]:
    """Tell whether the environment here, and the capsule's code, inputs and outputs, are what it recorded.

    The environment is matched as `verify_environment_match` matches it, of `python` or of the running interpreter; with
    `loaded`, by what the analysis imported alone. The answer has that function's keys and `capsule_id`, `code` and
    `files` with their states, and `failures`: a code, a subject and a reason in words for each thing that is not as
    recorded; none means that all is. With `record` it is kept in the store as a statement about the capsule, whose
    digest is `statement_id`; so the verifications of many machines add up, and `get_capsule` lists them.

    With `deep` every installed file is compared with what its installer wrote down of it, and `deep` says which are
    `changed`, `missing`, `unreadable` (these are failures too) or `unowned`, and of which nothing could be compared.

    Raise `NameProblem`, `NoStore`, `InterpreterProblem`, `UsageError` for what was not recorded or is no layer, and
    `StoreUnreadable` or `DamagedObject` for a store in which it cannot be read.
    """
    if record and (layers is not None or loaded):
        part = "layers" if layers is not None else "loaded"
        raise UsageError(f"`record` keeps a verdict on the whole, and `{part}` looks at a part")
    if deep and loaded:
        raise UsageError("`deep` compares all installed files, and `loaded` counts what was imported alone")
    with opened(store) as opened_store:
        answer = verify(
            opened_store,
            _name(capsule_id),
            of_caller(python),
            layers=_layers(layers),
            strict=strict,
            loaded=loaded,
            deep=_deep(layers) if deep else None,
            cache=users_cache(),
        )
        statement = {"statement_id": str(attest(opened_store, answer))} if record else {}
        return answer.as_dict() | statement


def get_capsule(capsule_id: str, *, store: Place = None) -> dict[str, Any]:
    """Return all that is known of a capsule, as `capsule show --json` has it; raise `NameProblem`."""
    with opened(store) as opened_store:
        return describe(opened_store, str(_capsule(opened_store, capsule_id)))


def list_capsules(*, limit: int | None = None, store: Place = None) -> list[dict[str, Any]]:
    """Return the capsules, newest first and each once, as `capsule log --json` has them: the `limit` newest of them."""
    if limit is not None and (type(limit) is not int or not 0 <= limit <= sys.maxsize):
        raise UsageError(f"`limit` is a number of capsules, not `{limit!r}`")
    with opened(store) as opened_store:
        return [found.as_dict() for found in opened_store.index.capsules(limit)]


def parents(capsule_id: str, *, store: Place = None) -> list[dict[str, Any]]:
    """Return what a capsule derives from; of one that is not in the store, `capsule_id` alone is known."""
    return _related(lineage.parents, capsule_id, store)


def children(capsule_id: str, *, store: Place = None) -> list[dict[str, Any]]:
    """Return the capsules that derive from one, earliest first."""
    return _related(lineage.children, capsule_id, store)


def ancestors(capsule_id: str, *, store: Place = None) -> list[dict[str, Any]]:
    """Return the parents of a capsule, their parents, and so on: nearest first, each once."""
    return _related(lineage.ancestors, capsule_id, store)


def descendants(capsule_id: str, *, store: Place = None) -> list[dict[str, Any]]:
    """Return the children of a capsule, their children, and so on: nearest first, each once."""
    return _related(lineage.descendants, capsule_id, store)


def _related(
    relatives: Callable[[Store, Digest], list[lineage.Relative]], capsule_id: str, store: Place
) -> list[dict[str, Any]]:
    with opened(store) as opened_store:
        return [
            relative.registered.as_dict() if relative.registered else {"capsule_id": str(relative.digest)}
            for relative in relatives(opened_store, _capsule(opened_store, capsule_id))
        ]


def _deep(layers: Collection[str] | None) -> Callable[[Interpreter], Integrity]:
    from capsulestore.capture.integrity import check_installed, users_index  # noqa: PLC0415  (seldom)

    return partial(check_installed, layers=_layers(layers), cache=users_cache(), index=users_index())


def _layers(given: Collection[str] | None) -> list[str] | None:
    return None if given is None else arguments.texts("layers", given)


def _capsule(store: Store, name: str) -> Digest:
    return store.resolve_capsule(_name(name))


def _name(given: str) -> str:
    if not isinstance(given, str):
        raise MalformedName(f"`{given!r}` is no text, and so no name", hint="a capsule's digest is its `capsule_id`")
    return given
