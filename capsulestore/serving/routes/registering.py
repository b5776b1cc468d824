"""`POST /api/capsules`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from capsulestore.capture.artifacts import Artifact
from capsulestore.errors import InvalidValue
from capsulestore.model.commit import Person
from capsulestore.model.redaction import redact_text
from capsulestore.recording import arguments
from capsulestore.recording.capsule import Description, Recorded, Surroundings, record
from capsulestore.serving.routes import answers
from capsulestore.serving.routes.answers import File, Registration
from capsulestore.serving.routes.documented import answered, taken
from capsulestore.serving.routes.examples import RECORDED, REGISTRATION
from capsulestore.serving.routes.queries import refuse_query
from capsulestore.serving.routes.replies import json_reply
from capsulestore.serving.served import Served

__all__ = ["add_registering"]


def add_registering(app: FastAPI, served: Served) -> None:
    """Add the route that registers a capsule of an environment captured elsewhere."""

    @app.post(
        "/api/capsules",
        openapi_extra=taken(Registration.model_json_schema(), REGISTRATION),
        **answered(
            answers.Recorded,
            "Register a capsule",
            RECORDED,
            404,
            408,
            409,
            413,
            415,
            422,
            507,
            status=201,
            Location="Where it is.",
        ),
    )
    async def register(request: Request) -> Response:
        refuse_query(request)
        caller = request.scope["state"]["caller"]
        async with served.registered.received(request) as body:
            recorded = await served.threads.write(partial(_registered, served, body, caller.name))
        # From this place, which behind a proxy has another path.
        location = f"capsules/{recorded.capsule}"
        answer = recorded.as_dict() | {"redacted": list(recorded.redacted)}
        return json_reply(answer, status=201 if recorded.new else 200, Location=location)


def _registered(served: Served, body: bytes, author: str | None) -> Recorded:
    """Register what a body says, durably; it is checked whole before the store is opened."""
    value = served.registered.parsed(body)
    given = _checked(value)
    surroundings = _surroundings(given.environment_capture)
    title = arguments.title(given.title)
    observed = arguments.observed(given.description, given.command, given.entry_point, given.status)
    inputs, outputs = _artifacts(given.inputs), _artifacts(given.outputs)
    with served.stores.lent() as store:
        description = Description(
            title=title,
            inputs=inputs,
            outputs=outputs,
            parameters=given.parameters,
            labels=given.labels,
            parents=[store.resolve_capsule(name) for name in given.parents],
            observed=observed,
        )
        recorded = record(store, surroundings, description, author=None if author is None else Person(author))
    cleaned = tuple(
        key
        for key, clean, sent in (("inputs", inputs, given.inputs), ("outputs", outputs, given.outputs))
        if {artifact.path for artifact in clean} != {file.path for file in sent}
    )
    return recorded._replace(redacted=recorded.redacted + cleaned)


def _checked(value: Any) -> Registration:
    """Return a registration of the form that is documented; raise `InvalidValue` with the path of what is wrong."""
    if not isinstance(value, dict):
        raise InvalidValue("what is registered is a mapping")
    try:
        return Registration.model_validate(value, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise InvalidValue(found["msg"][:1].lower() + found["msg"][1:], found["loc"]) from None


def _surroundings(given: Any) -> Surroundings:
    try:
        return Surroundings.from_document(given)
    except InvalidValue as error:
        raise error.under("environment_capture") from None


def _artifacts(given: Sequence[File]) -> list[Artifact]:
    """Return files as a capture here would list them; in a path there may be a url, with a secret."""
    return sorted({Artifact(redact_text(file.path)[0], file.sha256, file.size) for file in given})
