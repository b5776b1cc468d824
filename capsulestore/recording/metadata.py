"""What an analysis says of itself in a metadata file beside its results: a JSON mapping.

The keys that a manifest has for it go into the capsule; others are whoever wrote the file's own, and left alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, cast

from capsulestore.capture.files import path_text, read_whole
from capsulestore.errors import FileProblem, InvalidValue, UsageError
from capsulestore.model.canonical import Json, check
from capsulestore.model.manifest import SCHEMA, Manifest

__all__ = ["METADATA_NAME", "Metadata", "find_metadata", "read_metadata"]

METADATA_NAME: Final = "metadata.json"
"""The file at the top of a directory of results that speaks for them."""

MAX_BYTES: Final = 16 * 2**20

_RECORDED: Final = (
    "title",
    "description",
    "parameters",
    "labels",
    "command",
    "entry_point",
    "parents",
    "status",
)
_ANYWHERE: Final = "0" * 64


class Metadata(NamedTuple):
    """A checked metadata file: its path, and the whole mapping that it holds."""

    path: str
    value: Mapping[str, Json]

    @property
    def recorded(self) -> dict[str, Json]:
        """What goes into a capsule; `parents` are names of capsules."""
        return {key: self.value[key] for key in _RECORDED if key in self.value}

    @property
    def left_alone(self) -> tuple[str, ...]:
        """The keys that a capsule has no place for."""
        return tuple(key for key in self.value if key not in _RECORDED)


def find_metadata(results: Sequence[str]) -> str | None:
    """Return the `metadata.json` at the top of a directory of results; None where no directory has one.

    Raise `UsageError` where more than one has: which one speaks for all of them, only people know.
    """
    found = [os.path.join(path, METADATA_NAME) for path in results if os.path.isdir(path)]
    found = [path for path in dict.fromkeys(map(os.path.normpath, found)) if os.path.lexists(path)]
    if len(found) > 1:
        raise UsageError(
            f"more than one metadata file: `{'`, `'.join(found)}`",
            hint="name the one that holds with `--metadata FILE`",
        )
    return found[0] if found else None


def read_metadata(path: str) -> Metadata:
    """Return what a metadata file says; raise `FileProblem` for one that cannot be read or says nothing of the sort."""
    import json  # noqa: PLC0415

    try:
        # Not orjson, which rounds large integers: the model refuses them.
        value = json.loads(read_whole(path, MAX_BYTES))
        _check(value)
    except OSError as error:
        raise FileProblem(f"cannot read `{path}`: {error.strerror}") from error
    except InvalidValue as error:
        raise _malformed(path, str(error)) from None
    except (ValueError, RecursionError) as error:
        raise _malformed(path, f"no JSON: {error}") from error
    return Metadata(path_text(path), cast("dict[str, Json]", value))


def _check(value: object) -> None:
    """Raise `InvalidValue` for what is no mapping, and for a value that a capsule could not have under its key."""
    if not isinstance(value, dict):
        raise InvalidValue("expected a mapping")
    recorded = {key: value[key] for key in _RECORDED if key in value}
    check(recorded)
    parents = value.get("parents", [])
    if not isinstance(parents, list) or not all(isinstance(name, str) for name in parents):
        raise InvalidValue("expected a list of names of capsules", ("parents",))
    # In a manifest they are digests.
    recorded.pop("parents", None)
    try:
        Manifest.parse({"schema": SCHEMA, "title": "", "environment_digest": _ANYWHERE, **recorded})
    except InvalidValue as error:
        # Here they stand in another file.
        raise InvalidValue(error.reason, error.path[1:]) from None


def _malformed(path: str, reason: str) -> FileProblem:
    return FileProblem(f"`{path}`: {reason}", hint="mend it, or name another one with `--metadata FILE`")
