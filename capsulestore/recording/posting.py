"""A capsule to be registered by a server, as its HTTP API takes it: `POST /api/capsules`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from capsulestore.errors import CapsuleError, MalformedName
from capsulestore.model.canonical import Json, check
from capsulestore.model.digest import Digest
from capsulestore.model.mapping import encode_mapping
from capsulestore.model.redaction import redact_value
from capsulestore.recording.capsule import Description, Recorded, Surroundings
from capsulestore.recording.handed_over import clean_context

__all__ = ["Posting", "Server", "environment_document"]

_CAPSULES: Final = "/api/capsules"


class Server(Protocol):
    """What speaks with a server: `capsulestore.sync.http.api.HttpApi`."""

    def post(self, tail: str, document: Mapping[str, Any], *, writes: bool) -> dict[str, Any]:
        """Send a document to a path, and return the one that is the answer."""
        ...

    def misbehaved(self, reason: str) -> CapsuleError:
        """Return the error for an answer that no sound server gives."""
        ...


class Posting(NamedTuple):
    """What is sent, the digest of the environment in it, and what lost a secret before (as `Recorded.redacted`)."""

    document: dict[str, Json]
    environment: Digest
    redacted: tuple[str, ...]

    @classmethod
    def of(cls, surroundings: Surroundings, description: Description, parents: Sequence[str]) -> Posting:
        """Return what registers the same capsule as recording it here would from the environment in a file.

        `parents` are names, which the server resolves. No secret leaves this machine (I7): what `record` would take out
        is taken out. Raise `InvalidValue` with its path for what JSON cannot hold.
        """
        context = clean_context(surroundings.context)
        environment, captured = environment_document(surroundings._replace(context=context))
        typed = {"parameters": dict(description.parameters), "labels": dict(description.labels)}
        said = {"title": description.title, **_without_empty(typed), **description.observed}
        clean = {key: redact_value(value) for key, value in said.items()}
        listed = {
            "inputs": [artifact.as_dict() for artifact in description.inputs],
            "outputs": [artifact.as_dict() for artifact in description.outputs],
            "parents": list(parents),
        }
        document: dict[str, Json] = {
            **{key: value for key, (value, _) in clean.items()},
            "environment_capture": captured,
            **_without_empty(listed),
        }
        check(document)
        redacted = [key for key, (_, taken) in clean.items() if taken]
        redacted += ["context"] if context != surroundings.context else []
        return cls(document, environment, tuple(redacted))

    def register(self, server: Server) -> Recorded:
        """Have a server register it; raise what asking it raises, and for an answer that is not about this capsule."""
        answer = server.post(_CAPSULES, self.document, writes=True)
        try:
            capsule, environment = Digest.parse(answer["capsule_id"]), Digest.parse(answer["environment_digest"])
            redacted = tuple(dict.fromkeys([*self.redacted, *map(str, answer["redacted"])]))
            recorded = Recorded(capsule, environment, answer["registered"] is True, redacted)
        except (AttributeError, KeyError, MalformedName, TypeError):
            raise server.misbehaved("it does not say which capsule it has registered") from None
        if recorded.environment != self.environment:
            raise server.misbehaved("it has registered another environment than it was sent")
        return recorded


def environment_document(surroundings: Surroundings) -> tuple[Digest, dict[str, Json]]:
    """Return an environment's digest, and the environment as a `Document`: what of a capture makes a capsule.

    One of which is not known how its capture ended is bare, as it came. Raise `InvalidValue` for what JSON cannot hold.
    """
    digest = encode_mapping(surroundings.environment).id
    if surroundings.layers is None and not surroundings.context:
        return digest, dict(surroundings.environment)
    states = {name: state.as_json() for name, state in (surroundings.layers or {}).items()}
    return digest, {
        "environment_digest": str(digest),
        "environment": dict(surroundings.environment),
        "context": dict(surroundings.context),
        **({"states": states} if surroundings.layers is not None else {}),
    }


def _without_empty(members: Mapping[str, Any]) -> dict[str, Json]:
    return {key: value for key, value in members.items() if value}
