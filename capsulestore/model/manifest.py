"""The manifest of a capsule (`capsule.json`): what was done, by what, on what, and with what result.

Only `schema`, `title` and `environment_digest` must be there. Keys that this release does not know survive byte for
byte: a manifest is its mapping, and the properties only read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, cast

import orjson

from capsulestore.errors import InvalidValue, MalformedName, StoreUnreadable
from capsulestore.model import canonical
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.layers import LayerState
from capsulestore.model.objects import GitObject

__all__ = ["SCHEMA", "Manifest", "parents_in"]

SCHEMA = 1
"""The schema this release writes, and the newest it reads."""

_PARENTS_KEY: Final = b'"parents":['
"""How canonical JSON writes the key, and no other way."""


class Manifest(NamedTuple):
    """A checked manifest. `value` is the whole JSON mapping; do not change it."""

    value: Mapping[str, Json]

    @classmethod
    def parse(cls, value: Json) -> Manifest:
        """Return the manifest of a JSON value.

        Raise `InvalidValue` with the path of a key that is missing or of the wrong shape, `StoreUnreadable` for a
        schema newer than this release.
        """
        if not isinstance(value, dict):
            raise InvalidValue("a manifest is a mapping", ("capsule.json",))
        schema = value.get("schema")
        if type(schema) is not int or schema < 1:
            raise InvalidValue("expected a whole number from 1 up", ("capsule.json", "schema"))
        if schema > SCHEMA:
            raise StoreUnreadable(
                f"a capsule of schema {schema}; this release reads up to {SCHEMA}",
                hint="upgrade with `pip install -U capsulestore`",
            )
        for key, (expected, holds) in _SHAPES.items():
            if key in value and not holds(value[key]):
                raise InvalidValue(f"expected {expected}", ("capsule.json", key))
        for key in ("title", "environment_digest"):
            if key not in value:
                raise InvalidValue("missing", ("capsule.json", key))
        return cls(value)

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """Return the manifest of the bytes of `capsule.json`, which must be canonical."""
        return cls.parse(canonical.loads(data))

    def encode(self) -> GitObject:
        """Return `capsule.json` as an object."""
        return GitObject("blob", canonical.dumps(self.value))

    @property
    def title(self) -> str:
        """What people call the capsule."""
        return cast("str", self.value["title"])

    @property
    def environment_digest(self) -> Digest:
        """The id of the capsule's `environment/`."""
        return Digest(cast("str", self.value["environment_digest"]))

    @property
    def layers(self) -> dict[str, LayerState] | None:
        """What was looked at, by layer, and with what outcome; None where that was not recorded."""
        recorded = self.value.get("layers")
        if not isinstance(recorded, dict):
            return None
        return {name: LayerState.parse(state) for name, state in recorded.items()}

    @property
    def loaded(self) -> list[str] | None:
        """The keys of the distributions that were imported; None where that was not observed."""
        return cast("list[str] | None", self.value.get("loaded"))

    @property
    def parents(self) -> tuple[Digest, ...]:
        """The capsules that this one derives from, each once, in the order they were named."""
        return tuple(map(Digest, dict.fromkeys(cast("list[str]", self.value.get("parents", [])))))

    def files(self, key: str) -> list[Mapping[str, Json]]:
        """Return the `inputs` or `outputs`: mappings of path, sha256 and size (bytes)."""
        return cast("list[Mapping[str, Json]]", self.value.get(key, []))


def parents_in(data: bytes) -> tuple[Digest, ...]:
    """Return `Manifest.parents` of the bytes of `capsule.json`, without a look at what else they say.

    For going through many: a manifest of a newer schema has its parents too, one that cannot be parsed has none.
    """
    # Most have none, and parsing takes longer than to see that.
    if _PARENTS_KEY not in data:
        return ()
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return ()
    if not isinstance(value, dict) or not _is_digests(value.get("parents")):
        return ()
    return Manifest(value).parents


def _is_digest(value: object) -> bool:
    try:
        return isinstance(value, str) and str(Digest.parse(value)) == value
    except MalformedName:
        return False


def _is_artifacts(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict)
        and isinstance(item.get("path"), str)
        and "\0" not in item["path"]
        and _is_digest(item.get("sha256"))
        and type(item.get("size")) is int
        for item in value
    )


def _is_layers(value: object) -> bool:
    return isinstance(value, dict) and all(LayerState.is_valid(state) for state in value.values())


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_digests(value: object) -> bool:
    return isinstance(value, list) and all(_is_digest(item) for item in value)


_SHAPES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "title": ("a text", _is_text),
    "environment_digest": ("64 lower-case hex digits", _is_digest),
    "description": ("a text", _is_text),
    "layers": ("a mapping of layers to their states", _is_layers),
    "target": ("a mapping", _is_mapping),
    "command": ("a list of texts", _is_texts),
    "entry_point": ("a text", _is_text),
    "working_directory": ("a text", _is_text),
    "parameters": ("a mapping", _is_mapping),
    "labels": ("a mapping", _is_mapping),
    "code": ("a mapping", _is_mapping),
    "inputs": ("a list of files, each with path, sha256 and size", _is_artifacts),
    "outputs": ("a list of files, each with path, sha256 and size", _is_artifacts),
    "run": ("a mapping", _is_mapping),
    "loaded": ("a list of texts", _is_texts),
    "parents": ("a list of capsule digests", _is_digests),
    "status": ("`completed` or `failed`", lambda value: value in ("completed", "failed")),
}
