"""An environment in a file: what `capsule capture --json` prints, or the bare mapping."""

from __future__ import annotations

import sys
from typing import Any, Final

import orjson

from capsulestore.capture.files import read_up_to
from capsulestore.errors import FileProblem, InvalidValue
from capsulestore.model.mapping import encode_mapping

__all__ = ["read_environment"]

_MAX_BYTES: Final = 256 * 2**20


def read_environment(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the environment and the context in a file, `-` for standard input.

    Raise `FileProblem` where it cannot be read or is not JSON, `InvalidValue` where what it holds is no environment or
    not the one whose digest it names.
    """
    try:
        data = sys.stdin.buffer.read(_MAX_BYTES) if path == "-" else read_up_to(path, _MAX_BYTES)
        document = orjson.loads(data)
    except OSError as error:
        raise FileProblem(f"cannot read `{path}`: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise FileProblem(f"`{path}` is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidValue("an environment is a mapping of layers", (path,))
    if "environment_digest" not in document:
        return document, {}
    environment, context = document.get("environment"), document.get("context") or {}
    if not isinstance(environment, dict) or not isinstance(context, dict):
        raise InvalidValue("an environment is a mapping of layers", (path, "environment"))
    if str(encode_mapping(environment).id) != document["environment_digest"]:
        raise InvalidValue("is not the digest of the environment beside it", (path, "environment_digest"))
    return environment, context
