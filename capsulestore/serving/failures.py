"""The one place where what went wrong becomes an answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match

from capsulestore.errors import CapsuleError
from capsulestore.serving.problems import Problem, Refused, problem_of

__all__ = ["tell_errors"]

_WHERE: Final = "`/api/capsules` lists the capsules, and `/openapi.json` describes all that there is"
_CLIENT_CLOSED_REQUEST: Final = 499


def tell_errors(app: FastAPI, store: str) -> None:
    """Have an application tell errors as problems; where the store at that path lies is not told."""

    @app.exception_handler(CapsuleError)
    async def ours(_: Request, error: CapsuleError) -> Response:
        return problem_of(error, store).response()

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> Response:
        return error.problem.response()

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> Response:
        found = error.errors()[0]
        name = ".".join(str(part) for part in found["loc"][1:])
        hint = "`/openapi.json` tells what is taken"
        return Problem(422, "invalid_value", f"`{name}`: {found['msg'][:1].lower()}{found['msg'][1:]}", hint).response()

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            said, headers = f"{request.method} is not answered here", {"Allow": ", ".join(_methods(request))}
        else:
            said, headers = "there is nothing here", dict(error.headers or {})
        return Problem(error.status_code, code, said, _WHERE, headers=headers).response()

    @app.exception_handler(ClientDisconnect)
    async def gone(_: Request, __: ClientDisconnect) -> Response:
        # Nobody takes it.
        return Response(status_code=_CLIENT_CLOSED_REQUEST)

    @app.exception_handler(Exception)
    async def unexpected(_: Request, __: Exception) -> Response:
        # It is raised again behind this answer, for the server to log.
        hint = "whoever runs it finds in its output what that was"
        return Problem(500, "internal", "something went wrong in the server", hint).response()


def _methods(request: Request) -> list[str]:
    """Return the methods that a path is asked by; each is a route of its own (RFC 9110, section 10.2.1)."""
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] == Match.PARTIAL]
    methods = {method for route in routes for method in route.methods or ()}
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))
