"""From a captured environment to a registered capsule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from capsulestore.capture.artifacts import Artifact, recorded_path
from capsulestore.capture.environment import Capture
from capsulestore.errors import InvalidValue
from capsulestore.model.canonical import MAX_DEPTH, Json
from capsulestore.model.capsule import Capsule, encode_files
from capsulestore.model.commit import Person
from capsulestore.model.digest import Digest
from capsulestore.model.layers import LayerState
from capsulestore.model.manifest import SCHEMA, Manifest
from capsulestore.model.mapping import encode_mapping
from capsulestore.model.redaction import redact_text, redact_value
from capsulestore.store import Store

__all__ = ["Description", "Recorded", "Surroundings", "record"]

_TYPED: Final = ("title", "description", "command", "entry_point", "parameters", "labels")
"""The manifest's keys that hold what people type, secrets included."""

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Surroundings(NamedTuple):
    """An environment and its context as mappings, and what is known of how they were captured.

    One that was `handed_over` may hold anything; one that was captured here holds no secret but in a url.
    """

    environment: Mapping[str, Json]
    context: Mapping[str, Json] = _NOTHING
    layers: Mapping[str, LayerState] | None = None
    python: str | None = None
    chosen_by: str | None = None
    handed_over: bool = False

    @classmethod
    def of(cls, captured: Capture) -> Surroundings:
        """Return what a capture found."""
        return cls(
            environment=captured.environment,
            context=captured.context,
            layers=captured.layers,
            python=captured.target.python,
            chosen_by=captured.target.chosen_by,
        )

    @classmethod
    def unknown(cls, reason: str) -> Surroundings:
        """Return what there is to say where no interpreter could be looked at."""
        return cls(environment={}, layers={"python": LayerState("unknown", reason)})

    @classmethod
    def from_document(cls, document: object) -> Surroundings:
        """Return the environment in a document (`Document`): what `capsule capture --json` prints, or a bare mapping.

        Raise `InvalidValue` where there is none, not the one whose digest the document names, or one that holds a
        secret: of a context it can be taken out, of an environment nothing can (I7).
        """
        # Most of what records has captured what it records.
        from capsulestore.model.document import Document  # noqa: PLC0415
        from capsulestore.recording.handed_over import clean_states, refuse_secrets  # noqa: PLC0415

        found = Document.read(document)
        environment = _layers(found.environment, *([] if found.is_bare else ["environment"]))
        refuse_secrets(environment, () if found.is_bare else ("environment",))
        context = _layers(found.context, "context") if found.context else _NOTHING
        layers = clean_states(found.states) if found.states is not None else None
        return cls(environment=environment, context=context, layers=layers, handed_over=True)


class Description(NamedTuple):
    """What is said of an analysis, by people or by who saw it run: its title, and what else a manifest has a key for.

    `observed` are the manifest's keys of a run that was seen (`command`, `code`, `run`, ...), each fit to be recorded.
    `kept` are files to be kept whole, by relative path.
    """

    title: str
    inputs: Sequence[Artifact] = ()
    outputs: Sequence[Artifact] = ()
    parameters: Mapping[str, Json] = _NOTHING
    labels: Mapping[str, Json] = _NOTHING
    parents: Sequence[Digest] = ()
    observed: Mapping[str, Json] = _NOTHING
    kept: Mapping[str, bytes] = _NOTHING


class Recorded(NamedTuple):
    """A capsule that is in the store: its digest, its environment's, and whether it was new there.

    `redacted` names what held secrets, which are not recorded: keys of the manifest, and `context`.
    """

    capsule: Digest
    environment: Digest
    new: bool
    redacted: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Json]:
        """Return the answer as `--json` has it."""
        return {
            "capsule_id": str(self.capsule),
            "environment_digest": str(self.environment),
            "registered": self.new,
        }


def record(
    store: Store, surroundings: Surroundings, description: Description, *, author: Person | None = None
) -> Recorded:
    """Register a capsule of an environment; the same facts a second time are the same capsule, and nothing new.

    Of what people typed, and of the urls of a context captured elsewhere, no secret is recorded (I7). Raise
    `InvalidValue` with its path for what JSON cannot hold. `author` is who registers it, git's identity unless given.
    When this returns, the capsule is durable.
    """
    environment = encode_mapping(surroundings.environment)
    if surroundings.handed_over:
        from capsulestore.recording.handed_over import clean_context  # noqa: PLC0415

        told = clean_context(surroundings.context)
    else:
        told = {layer: _without_urls_secrets(found) for layer, found in surroundings.context.items()}
    context = encode_mapping(told) if told else None
    files = encode_files(description.kept) if description.kept else None
    manifest, redacted = _without_secrets(_manifest(environment.id, surroundings, description, store.root))
    capsule = Capsule(
        manifest=manifest,
        environment=environment.id,
        context=context.id if context else None,
        files=files.id if files else None,
    ).encode(environment, context, files)
    new = store.add(capsule, manifest.title, author=author)
    redacted += ("context",) if told != surroundings.context else ()
    return Recorded(capsule.id, environment.id, new, redacted)


def _manifest(environment: Digest, surroundings: Surroundings, description: Description, root: str) -> dict[str, Json]:
    layers = surroundings.layers
    optional: dict[str, Json] = {
        "layers": {name: state.as_json() for name, state in layers.items()} if layers is not None else {},
        "target": _target(surroundings, root),
        "parameters": dict(description.parameters),
        "labels": dict(description.labels),
        "inputs": [artifact.as_dict() for artifact in description.inputs],
        "outputs": [artifact.as_dict() for artifact in description.outputs],
        "parents": list(dict.fromkeys(map(str, description.parents))),
        **description.observed,
    }
    required: dict[str, Json] = {
        "schema": SCHEMA,
        "title": description.title,
        "environment_digest": str(environment),
    }
    return required | {key: value for key, value in optional.items() if value or key in description.observed}


def _without_secrets(manifest: Mapping[str, Json]) -> tuple[Manifest, tuple[str, ...]]:
    """Return a manifest of what was typed without its secrets, and the keys that held some."""
    clean = {key: redact_value(manifest[key]) for key in _TYPED if key in manifest}
    redacted = tuple(key for key, (_, taken) in clean.items() if taken)
    return Manifest.parse({**manifest, **{key: value for key, (value, _) in clean.items()}}), redacted


def _without_urls_secrets(value: Json, depth: int = 0) -> Json:
    """Return a context that was captured here, whose variables are those of a list, with no secrets in its urls."""
    if isinstance(value, str):
        return redact_text(value)[0] if "://" in value else value
    if depth == MAX_DEPTH:
        return value
    if isinstance(value, list):
        return [_without_urls_secrets(member, depth + 1) for member in value]
    if isinstance(value, dict):
        return {key: _without_urls_secrets(member, depth + 1) for key, member in value.items()}
    return value


def _target(surroundings: Surroundings, root: str) -> dict[str, Json]:
    if surroundings.python is None:
        return {}
    return {"python": recorded_path(surroundings.python, root), "chosen_by": surroundings.chosen_by}


def _layers(value: Mapping[str, Json], *path: str) -> Mapping[str, Json]:
    """Return a mapping of at least one layer, each itself a mapping."""
    if not value:
        raise InvalidValue("is no mapping of layers, as `capsule capture --json` prints it", path)
    for name, layer in value.items():
        if not isinstance(layer, Mapping):
            raise InvalidValue("a layer is a mapping", (*path, name))
    return value
