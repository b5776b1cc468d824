"""From a captured environment to a registered capsule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from capsulestore.capture.artifacts import Artifact, recorded_path
from capsulestore.capture.environment import Capture
from capsulestore.errors import InvalidValue
from capsulestore.model.canonical import Json
from capsulestore.model.capsule import Capsule
from capsulestore.model.digest import Digest
from capsulestore.model.layers import LayerState
from capsulestore.model.manifest import SCHEMA, Manifest
from capsulestore.model.mapping import encode_mapping
from capsulestore.store import Store

__all__ = ["Description", "Recorded", "Surroundings", "record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """An environment and its context as mappings, and what is known of how they were captured."""

    environment: Mapping[str, Json]
    context: Mapping[str, Json] = field(default_factory=dict)
    layers: Mapping[str, LayerState] | None = None
    python: str | None = None
    chosen_by: str | None = None

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
    def from_document(cls, document: Json) -> Surroundings:
        """Return the environment in a JSON document: what `capsule capture --json` prints, or the bare mapping.

        Raise `InvalidValue` where there is none, or not the one whose digest the document names.
        """
        if not isinstance(document, Mapping):
            raise InvalidValue("an environment is a mapping of layers")
        if "environment_digest" not in document:
            return cls(environment=_layers(document))
        environment = _layers(document.get("environment"), "environment")
        context = document.get("context") or {}
        if not isinstance(context, Mapping):
            raise InvalidValue("is no mapping of layers", ("context",))
        if str(encode_mapping(environment).id) != document["environment_digest"]:
            raise InvalidValue("is not the digest of the environment beside it", ("environment_digest",))
        return cls(environment=environment, context=context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What people say of an analysis: its title, and what else a manifest has a key for."""

    title: str
    inputs: Sequence[Artifact] = ()
    outputs: Sequence[Artifact] = ()
    parameters: Mapping[str, Json] = field(default_factory=dict)
    labels: Mapping[str, Json] = field(default_factory=dict)
    parents: Sequence[Digest] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """A capsule that is in the store: its digest, its environment's, and whether it was new there."""

    capsule: Digest
    environment: Digest
    new: bool

    def as_dict(self) -> dict[str, Json]:
        """Return the answer as `--json` has it."""
        return {
            "capsule_id": str(self.capsule),
            "environment_digest": str(self.environment),
            "registered": self.new,
        }


def record(store: Store, surroundings: Surroundings, description: Description) -> Recorded:
    """Register a capsule of an environment; the same facts a second time are the same capsule, and nothing new.

    Raise `InvalidValue` with its path for what JSON cannot hold. When this returns, the capsule is durable.
    """
    environment = encode_mapping(surroundings.environment)
    context = encode_mapping(surroundings.context) if surroundings.context else None
    capsule = Capsule(
        manifest=Manifest.parse(_manifest(environment.id, surroundings, description, store.root)),
        environment=environment.id,
        context=context.id if context else None,
    ).encode(environment, context)
    new = store.add(capsule, description.title)
    return Recorded(capsule.id, environment.id, new)


def _manifest(environment: Digest, surroundings: Surroundings, description: Description, root: str) -> dict[str, Json]:
    layers = surroundings.layers
    optional: dict[str, Json] = {
        "layers": {name: state.as_json() for name, state in layers.items()} if layers is not None else {},
        "target": _target(surroundings, root),
        "parameters": dict(description.parameters),
        "labels": dict(description.labels),
        "inputs": [artifact.as_dict() for artifact in description.inputs],
        "outputs": [artifact.as_dict() for artifact in description.outputs],
        "parents": [str(parent) for parent in description.parents],
    }
    required: dict[str, Json] = {
        "schema": SCHEMA,
        "title": description.title,
        "environment_digest": str(environment),
    }
    return required | {key: value for key, value in optional.items() if value}


def _target(surroundings: Surroundings, root: str) -> dict[str, Json]:
    if surroundings.python is None:
        return {}
    return {"python": recorded_path(surroundings.python, root), "chosen_by": surroundings.chosen_by}


def _layers(value: Json, *path: str) -> Mapping[str, Json]:
    """Return a mapping of at least one layer, each itself a mapping."""
    if not isinstance(value, Mapping) or not value:
        raise InvalidValue("is no mapping of layers, as `capsule capture --json` prints it", path)
    for name, layer in value.items():
        if not isinstance(layer, Mapping):
            raise InvalidValue("a layer is a mapping", (*path, name))
    return value
