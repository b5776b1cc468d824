"""`/api/capsules/{capsule_id}/environment-verify`: against the server's own environment, or one that is sent."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from capsulestore.capture.cache import users_cache
from capsulestore.model.document import Document
from capsulestore.recording.capsule import Surroundings
from capsulestore.serving import answers
from capsulestore.serving.documented import NAME_PATH, answered, taken
from capsulestore.serving.examples import SURROUNDINGS, VERIFICATION
from capsulestore.serving.queries import Verifying
from capsulestore.serving.replies import json_reply
from capsulestore.serving.served import Served
from capsulestore.verification.capsule import Verification, verify, verify_given

__all__ = ["add_verifying"]

_PATH: Final = "/api/capsules/{capsule_id:path}/environment-verify"
_GIVEN: Final = {
    "type": "object",
    "additionalProperties": True,
    "description": "What `capsule capture --json` prints, or a mapping of layers.",
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
        answer = await served.threads.capture(partial(_of_here, served, capsule_id, asked))
        return json_reply(answer.as_dict())

    @app.post(
        _PATH,
        openapi_extra=taken(_GIVEN, SURROUNDINGS),
        **answered(
            answers.Verification,
            "Is an environment that was captured elsewhere what the capsule recorded?",
            VERIFICATION | {"target": None},
            404,
            409,
            413,
            415,
            422,
        ),
    )
    async def environment_verify_given(
        request: Request, capsule_id: NAME_PATH, asked: Annotated[Verifying, Query()]
    ) -> Response:
        async with served.bodies.received(request) as body:
            answer = await served.threads.judge(partial(_of_given, served, capsule_id, asked, body))
        return json_reply(answer.as_dict())


def _of_here(served: Served, name: str, asked: Verifying) -> Verification:
    with served.stores.lent() as store:
        # The cache is asked anew each time, and holds what it has to what lies on disk now.
        return verify(store, name, served.target, layers=asked.layer or None, strict=asked.strict, cache=users_cache())


def _of_given(served: Served, name: str, asked: Verifying, body: bytes) -> Verification:
    found = Surroundings.from_document(served.bodies.parsed(body))
    given = Document(found.environment, found.context, is_bare=found.layers is None, states=found.layers)
    with served.stores.lent() as store:
        return verify_given(store, name, given, layers=asked.layer or None, strict=asked.strict)
