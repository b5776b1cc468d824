"""The HTTP application: every route of a store that is served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from capsulestore import __version__
from capsulestore.capture.target import Target
from capsulestore.serving.documents import Documents
from capsulestore.serving.failures import tell_errors
from capsulestore.serving.limits import Limits
from capsulestore.serving.routes.bodies import Bodies
from capsulestore.serving.routes.capsules import add_by_digest, add_capsules
from capsulestore.serving.routes.comparing import add_comparing
from capsulestore.serving.routes.documented import complete
from capsulestore.serving.routes.health import add_health
from capsulestore.serving.routes.listing import add_listing
from capsulestore.serving.routes.queries import check_query
from capsulestore.serving.routes.registering import add_registering
from capsulestore.serving.routes.verifying import add_verifying
from capsulestore.serving.served import Served
from capsulestore.serving.stores import Stores
from capsulestore.serving.threads import Threads

__all__ = ["application"]

_ROUTES: Final = (
    add_by_digest,
    add_health,
    add_listing,
    add_registering,
    add_comparing,
    add_verifying,
    add_capsules,
)
"""In the order in which they are tried: capsules by any name, which may hold slashes, come last."""


def application(store_path: str, target: Target, limits: Limits, *, git: bool) -> FastAPI:
    """Return what answers for the store at a path, to whoever asks: who may ask is for others to see to."""
    stores = Stores(store_path)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        stores.close()

    app = FastAPI(
        title="capsulestore",
        summary="Capsules of analyses: which environment each ran in, and whether that is still the one here.",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(check_query)],
    )
    served = Served(
        stores=stores,
        threads=Threads(limits),
        documents=Documents(store_path, limits.kept_answers_bytes),
        registered=Bodies(limits),
        compared=Bodies(limits),
        limits=limits,
        target=target,
        git=git,
    )
    for add in _ROUTES:
        add(app, served)
    tell_errors(app, store_path)
    complete(app)
    app.add_middleware(_HeadAsGet)
    return app


class _HeadAsGet:
    """Answers HEAD wherever GET is answered; the server leaves the body away (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
