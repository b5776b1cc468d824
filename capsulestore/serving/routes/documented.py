"""What the document at `/openapi.json` says of a route beside its types: summaries, examples, what else it answers."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import FastAPI, Path
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel

from capsulestore.serving.routes.answers import Errors

__all__ = ["DIGEST_PATH", "NAME_PATH", "answered", "complete", "immutable", "taken"]

_SCHEME: Final = "token"
_WRITING: Final = ("/api/capsules", "POST")
_ANY: Final = (401, 403, 421, 503)
"""What any route may answer: who asks is not known or may not, the host is not ours, the store cannot be read."""

_EXAMPLES: Final[dict[int, tuple[str, str, str, str | None]]] = {
    401: ("no token, or not a known one", "unauthorized", "a token is needed", None),
    403: ("the token may not do that", "forbidden", "the token may only read", None),
    404: (
        "nothing has that name",
        "unknown_name",
        "nothing in the store begins with `3f2a`",
        "`GET /api/capsules` lists the capsules",
    ),
    408: ("a body that comes too slowly", "too_slow", "the body came too slowly", None),
    409: ("a prefix of more than one", "ambiguous_name", "`3f2a` begins 2 capsules", "give more digits"),
    413: ("a body that is too large", "too_large", "a body of more than 16 MiB", None),
    415: ("a body of another type", "media_type", "a body is JSON, as it is", "send `Content-Type: application/json`"),
    421: ("another server's name", "misdirected", "this server is not called that", None),
    422: (
        "a name, a parameter or a body that makes no sense",
        "malformed_name",
        "`!` cannot be a name",
        "a name is a digest, four or more of its digits, a tag, or @",
    ),
    503: ("the store cannot be read now", "missing_object", "object 3f2a... is not in the store `.capsules`", None),
    507: ("the store cannot be written", "store_unwritable", "cannot write to the store `.capsules`", None),
}

NAME_PATH = Annotated[
    str,
    Path(
        description="A digest, four or more of its digits, a tag, or @ for the capsule registered last on this server, "
        "which pushes do not move.",
        examples=["3f2a"],
    ),
]
DIGEST_PATH = Annotated[
    str, Path(description="64 hex digits; a capsule says its own as `environment_digest`.", examples=["3f2a" * 16])
]


def answered(
    answer: type[BaseModel], summary: str, example: object, *refused: int, status: int = 200, **headers: str
) -> dict[str, Any]:
    """Return what a route is declared with: its answer, what it is for, an example, and how it may refuse.

    One that answers with another status than 200 answers with 200 where there is nothing new.
    """
    told: dict[str, Any] = {"content": {"application/json": {"example": example}}}
    if headers:
        told["headers"] = _headers(headers)
    known = {200: {**told, "model": answer, "description": "known already"}} if status != 200 else {}
    return {
        "response_model": answer,
        "summary": summary,
        "status_code": status,
        "response_class": JSONResponse,
        "responses": {status: told, **known, **{refusal: _refusal(refusal) for refusal in sorted({*refused, *_ANY})}},
    }


def immutable(answer: type[BaseModel], summary: str, example: object) -> dict[str, Any]:
    """Return the same for what a digest names, which a client may have already."""
    declared = answered(
        answer,
        summary,
        example,
        404,
        409,
        422,
        ETag="The digest.",
        Cache_Control="For ever, where a digest was asked for.",
    )
    declared["responses"][304] = {
        "description": "what the client has",
        "headers": _headers({"ETag": "The digest."}),
    }
    return declared


def complete(app: FastAPI) -> None:
    """Have an application's document say what FastAPI does not know, or leaves out: tokens, and null in examples.

    Tokens are sent as bearer tokens (RFC 6750), where one is needed.
    """
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        # It is made anew where a route was added.
        document = generate()
        bearer = {"type": "http", "scheme": "bearer", "description": "As `capsule token create` prints it."}
        document["components"]["securitySchemes"] = {_SCHEME: bearer}
        for route in app.routes:
            if isinstance(route, APIRoute) and route.include_in_schema:
                for method in route.methods or ():
                    _complete(document["paths"][route.path_format][method.lower()], route, method)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    # Where the server is reached from this machine alone, reading needs no token.
    operation["security"] = [{_SCHEME: []}] if (route.path, method) == _WRITING else [{}, {_SCHEME: []}]
    for status, told in route.responses.items():
        for kind, content in told.get("content", {}).items():
            operation["responses"][str(status)]["content"][kind]["example"] = content["example"]


def taken(schema: dict[str, Any], example: object) -> dict[str, Any]:
    """Return what a route is declared with that reads its body itself."""
    definitions = schema.pop("$defs", {})
    content = {"schema": _inlined(schema, definitions), "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema with what it refers to in place of each reference."""
    if isinstance(schema, list):
        return [_inlined(member, definitions) for member in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {key: _inlined(member, definitions) for key, member in schema.items()}


def _headers(described: dict[str, str]) -> dict[str, Any]:
    return {
        name.replace("_", "-"): {"description": text, "schema": {"type": "string"}} for name, text in described.items()
    }


def _refusal(status: int) -> dict[str, Any]:
    description, code, message, hint = _EXAMPLES[status]
    example = {"errors": [{"code": code, "message": message, "hint": hint}]}
    return {
        "model": Errors,
        "description": description,
        "content": {"application/json": {"example": example}},
    }
