"""`GET /api/health`."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from capsulestore import __version__
from capsulestore.serving.routes import answers
from capsulestore.serving.routes.documented import answered
from capsulestore.serving.routes.examples import HEALTH
from capsulestore.serving.routes.queries import refuse_query
from capsulestore.serving.routes.replies import json_reply
from capsulestore.serving.served import Served
from capsulestore.serving.stores import Stores

__all__ = ["add_health"]


def add_health(app: FastAPI, served: Served) -> None:
    """Add the route for those who watch over the server, which needs no token."""

    @app.get("/api/health", **answered(answers.Health, "Whether the server can answer", HEALTH, 422))
    async def health(request: Request) -> Response:
        refuse_query(request)
        await served.threads.watch(partial(_check, served.stores))
        return json_reply({"status": "ok", "version": __version__, "git": served.git})


def _check(stores: Stores) -> None:
    """Raise what keeps the store from being read: its directory, its shelf's tip, the index of what is on it."""
    with stores.lent() as store:
        if store.tip is not None:
            store.commit(store.tip)
        store.index.capsules(1)
