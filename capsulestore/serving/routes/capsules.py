"""`GET /api/capsules/{capsule_id}`, its environment, and `GET /api/environments/{digest}`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from fastapi import FastAPI
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from capsulestore.errors import MalformedName, UnknownName
from capsulestore.model.digest import Digest
from capsulestore.serving.documents import capsule_document, environment_document, surroundings_document
from capsulestore.serving.routes import answers
from capsulestore.serving.routes.documented import DIGEST_PATH, NAME_PATH, immutable
from capsulestore.serving.routes.examples import CAPSULE, ENVIRONMENT, SURROUNDINGS
from capsulestore.serving.routes.queries import refuse_query
from capsulestore.serving.routes.replies import immutable_reply
from capsulestore.serving.served import Served
from capsulestore.store import Store

__all__ = ["add_by_digest", "add_capsules"]


class _Full(StringConvertor):
    """A whole digest in a path, which needs no looking up."""

    regex = r"[0-9a-f]{64}(?!\n)"


class _Name(StringConvertor):
    """A name of any characters: that of Starlette, `path`, ends at a newline."""

    regex = r"[\s\S]*"


class _Kind(NamedTuple):
    """A kind of document: by what it is kept, how a name leads to it, and how it is made."""

    key: str
    resolve: Callable[[Store, str], Digest]
    make: Callable[[Store, Digest], bytes]


def _environment(store: Store, name: str) -> Digest:
    """Return the environment of that digest."""
    try:
        digest = Digest.parse(name)
    except MalformedName:
        raise MalformedName(f"`{name}` is no digest of an environment", hint=_WHERE_DIGESTS_ARE) from None
    named = store.resolve(str(digest))
    if named.kind != "environment":
        raise UnknownName(f"`{name}` is no environment")
    return named.digest


_CAPSULE: Final = _Kind("capsule", Store.resolve_capsule, capsule_document)
_SURROUNDINGS: Final = _Kind("surroundings", Store.resolve_capsule, surroundings_document)
_ENVIRONMENT: Final = _Kind("environment", _environment, environment_document)
_FULL: Final = re.compile(_Full.regex)
_WHERE_DIGESTS_ARE: Final = "it has 64 hex digits; capsules say theirs as `environment_digest`"


def add_by_digest(app: FastAPI, served: Served) -> None:
    """Add the route of capsules by their whole digests, as most are asked for, before all others.

    What stands for names and digests in the paths of all routes is known from then on.
    """
    register_url_convertor("digest", _Full())
    register_url_convertor("name", _Name())

    async def whole(request: Request) -> Response:
        return await _found(served, request, _CAPSULE, request.path_params["capsule_id"])

    app.add_route("/api/capsules/{capsule_id:digest}", whole, include_in_schema=False)


def add_capsules(app: FastAPI, served: Served) -> None:
    """Add the routes of what a digest names; capsules by any name come after all that begin like them."""

    @app.get(
        "/api/capsules/{capsule_id:name}/environment",
        **immutable(
            answers.Surroundings,
            "What a capsule recorded of its environment, fit to be verified or added elsewhere",
            SURROUNDINGS,
        ),
    )
    async def capsule_environment(request: Request, capsule_id: NAME_PATH) -> Response:
        return await _found(served, request, _SURROUNDINGS, capsule_id)

    @app.get("/api/environments/{digest}", **immutable(answers.Environment, "An environment", ENVIRONMENT))
    async def environment(request: Request, digest: DIGEST_PATH) -> Response:
        return await _found(served, request, _ENVIRONMENT, digest)

    @app.get("/api/capsules/{capsule_id:name}", **immutable(answers.Capsule, "A capsule", CAPSULE))
    async def capsule(request: Request, capsule_id: NAME_PATH) -> Response:
        return await _found(served, request, _CAPSULE, capsule_id)


async def _found(served: Served, request: Request, kind: _Kind, name: str) -> Response:
    refuse_query(request)
    if not name:
        raise MalformedName("here should be the name of a capsule", hint="`GET /api/capsules` lists the capsules")
    known = served.documents.get(f"{kind.key}/{name}") if _FULL.fullmatch(name) else None
    digest, data = (name, known) if known else await served.threads.read(partial(_looked_up, served, kind, name))
    return immutable_reply(request, data, digest, by_digest=digest == name)


def _looked_up(served: Served, kind: _Kind, name: str) -> tuple[str, bytes]:
    with served.stores.lent() as store:
        digest = kind.resolve(store, name)
        key = f"{kind.key}/{digest}"
        data = served.documents.get(key)
        if data is None:
            data = kind.make(store, digest)
            served.documents.keep(key, data)
        return str(digest), data
