"""An environment as programs hand it over: a mapping of layers, bare or in the document that `capsule capture` prints.

A document has the keys `environment_digest` and `environment`, and may have `context`; others are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from capsulestore.errors import InvalidValue
from capsulestore.model.canonical import Json
from capsulestore.model.lossless import lossless
from capsulestore.model.mapping import encode_mapping

__all__ = ["Document"]

_DIGEST = "environment_digest"


class Document(NamedTuple):
    """What a document holds: an environment and, where it has one, the context; `is_bare` where it is the former."""

    environment: Mapping[str, Json]
    context: Mapping[str, Json]
    is_bare: bool

    @classmethod
    def read(cls, given: object) -> Document:
        """Return what a mapping of any class says, of which nothing is lost.

        A document is known by its `environment_digest`, which in an environment could only be a layer. Raise
        `InvalidValue`, with the path of the part in question, where it has no environment, one that JSON cannot hold,
        or not the one whose digest it names.
        """
        if not isinstance(given, Mapping):
            raise InvalidValue("an environment is a mapping of layers")
        if _DIGEST not in given or isinstance(given[_DIGEST], Mapping):
            return cls(_mapping(given), {}, is_bare=True)
        environment = _mapping(given.get("environment"), "environment")
        context = given.get("context")
        try:
            digest = encode_mapping(environment).id
        except InvalidValue as error:
            raise error.under("environment") from None
        if str(digest) != given[_DIGEST]:
            raise InvalidValue("is not the digest of the environment beside it", (_DIGEST,))
        return cls(environment, {} if context is None else _mapping(context, "context"), is_bare=False)


def _mapping(given: Any, *path: str) -> Mapping[str, Json]:
    if not isinstance(given, Mapping):
        raise InvalidValue("is no mapping of layers, as `capsule capture --json` prints it", path)
    try:
        return cast("dict[str, Json]", lossless(given))
    except InvalidValue as error:
        raise error.under(*path) from None
