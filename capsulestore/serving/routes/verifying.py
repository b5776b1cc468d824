"""`/api/capsules/{capsule_id}/environment-verify`: against the server's own environment, or one that is sent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from capsulestore.capture.cache import users_cache
from capsulestore.errors import InvalidValue
from capsulestore.model.document import Document
from capsulestore.recording.capsule import Surroundings
from capsulestore.serving.routes import answers
from capsulestore.serving.routes.documented import NAME_PATH, answered, taken
from capsulestore.serving.routes.examples import SURROUNDINGS, VERIFICATION
from capsulestore.serving.routes.queries import Verifying
from capsulestore.serving.routes.replies import json_reply
from capsulestore.serving.served import Served
from capsulestore.verification.capsule import verify, verify_given
from capsulestore.verification.reach import Reach

__all__ = ["add_verifying"]

_PATH: Final = "/api/capsules/{capsule_id:name}/environment-verify"
_WRAPPED: Final = "environment_capture"
_GIVEN: Final = {
    "type": "object",
    "additionalProperties": True,
    "minProperties": 1,
    "description": "What `capsule capture --json` prints, or a mapping of layers, each with its `rules`; or either as "
    f"the one member `{_WRAPPED}`, as for registering.",
}


def add_verifying(app: FastAPI, served: Served) -> None:
    """Add the routes that tell whether an environment is the one that a capsule recorded."""

    @app.get(
        _PATH,
        **answered(
            answers.Verification,
            "Is the server's environment still what the capsule recorded?",
            VERIFICATION,
            404,
            409,
            422,
        ),
    )
    async def environment_verify(capsule_id: NAME_PATH, asked: Annotated[Verifying, Query()]) -> Response:
        return await served.threads.capture(partial(_of_here, served, capsule_id, asked))

    @app.post(
        _PATH,
        openapi_extra=taken(_GIVEN, SURROUNDINGS),
        **answered(
            answers.Verification,
            "Is an environment that was captured elsewhere what the capsule recorded?",
            VERIFICATION | {"target": None},
            404,
            408,
            409,
            413,
            415,
            422,
        ),
    )
    async def environment_verify_given(
        request: Request, capsule_id: NAME_PATH, asked: Annotated[Verifying, Query()]
    ) -> Response:
        async with served.compared.received(request) as body:
            return await served.threads.judge(partial(_of_given, served, capsule_id, asked, body))


def _of_here(served: Served, name: str, asked: Verifying) -> Response:
    with served.stores.lent() as store:
        answer = verify(
            store,
            name,
            served.target,
            layers=asked.layer or None,
            strict=asked.strict,
            # It is asked anew each time, and holds what it has to what lies on disk now.
            cache=users_cache(),
            # Who names files in a capsule may be somebody who could not read them here.
            reach=Reach(store.root, served.limits.verified_bytes),
        )
    return json_reply(answer.as_dict())


def _of_given(served: Served, name: str, asked: Verifying, body: bytes) -> Response:
    given = _given(served.compared.parsed(body))
    with served.stores.lent() as store:
        answer = verify_given(store, name, given, layers=asked.layer or None, strict=asked.strict)
    return json_reply(answer.as_dict())


def _given(value: Any) -> Document:
    """Return the environment in a body; raise `InvalidValue` with the path of what is none."""
    if isinstance(value, dict) and [*value] == [_WRAPPED]:
        try:
            return _environment(value[_WRAPPED])
        except InvalidValue as error:
            raise error.under(_WRAPPED) from None
    return _environment(value)


def _environment(value: Any) -> Document:
    if value == {}:
        raise InvalidValue("an environment has at least one layer")
    found = Surroundings.from_document(value)
    given = Document(found.environment, found.context, is_bare=found.layers is None, states=found.layers)
    for name, layer in given.environment.items():
        if not isinstance(layer, Mapping) or "rules" not in layer:
            raise InvalidValue("a layer says by which `rules` it was captured", (name,))
    return given
