"""`GET /api/compare/{a}...{b}`."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import FastAPI, Query
from starlette.responses import Response

from capsulestore.capture.environment import check_layers
from capsulestore.inspection.comparison import compare, stored
from capsulestore.serving.routes import answers
from capsulestore.serving.routes.documented import NAME_PATH, answered
from capsulestore.serving.routes.examples import COMPARISON
from capsulestore.serving.routes.queries import Comparing
from capsulestore.serving.routes.replies import json_reply
from capsulestore.serving.served import Served

__all__ = ["add_comparing"]


def add_comparing(app: FastAPI, served: Served) -> None:
    """Add the route that tells what differs between two environments."""

    @app.get(
        # No name holds two dots in a row.
        "/api/compare/{a:name}...{b:name}",
        **answered(answers.Comparison, "What differs from one environment to another", COMPARISON, 404, 409, 422),
    )
    async def comparison(a: NAME_PATH, b: NAME_PATH, asked: Annotated[Comparing, Query()]) -> Response:
        return await served.threads.read(partial(_compared, served, a, b, asked.layer or None))


def _compared(served: Served, a: str, b: str, layers: list[str] | None) -> Response:
    check_layers(layers or ())
    with served.stores.lent() as store:
        answer = compare(stored(store, a), stored(store, b), layers=layers)
    return json_reply(answer.as_dict(), keep="private, no-cache")
