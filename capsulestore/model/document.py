"""An environment as programs hand it over: a mapping of layers, bare or in the document that `capsule capture` prints.

A document has the keys `environment_digest` and `environment`, and may have `context` and `states`, which says of each
layer that was looked at how that ended; others are passed over. Nothing that is read gets lost, unlike with
`recordable`. Mappings of every class are mappings, and tuples are lists. What is a text or a number by inheritance (a
member of an enumeration, an array library's float) is the text or number that it equals. Anything else would lose
something, and is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple, cast

from capsulestore.errors import InvalidValue
from capsulestore.model.canonical import MAX_DEPTH, MAX_INTEGER, Json
from capsulestore.model.layers import LayerState
from capsulestore.model.mapping import LEVELS, encode_mapping

__all__ = ["MAX_TEXT_BYTES", "MAX_VALUES", "Document"]

MAX_VALUES: Final = 1_000_000
"""The values that are taken, those within others included: an environment has a few for each package or path."""

MAX_TEXT_BYTES: Final = 64 * 2**20
"""The bytes (UTF-8) that all texts and keys have together."""

_MAX_DEPTH: Final = LEVELS + MAX_DEPTH
_DIGEST: Final = "environment_digest"


class Document(NamedTuple):
    """What a document holds: an environment and, where it has them, the context and how looking at each layer ended.

    `is_bare` where it is the environment itself.
    """

    environment: Mapping[str, Json]
    context: Mapping[str, Json]
    is_bare: bool
    states: Mapping[str, LayerState] | None = None

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
        context = {} if context is None else _mapping(context, "context")
        states = None if given.get("states") is None else _states(given["states"], {*environment, *context})
        return cls(environment, context, is_bare=False, states=states)


def _mapping(given: Any, *path: str) -> Mapping[str, Json]:
    if not isinstance(given, Mapping):
        raise InvalidValue("is no mapping of layers, as `capsule capture --json` prints it", path)
    try:
        return cast("dict[str, Json]", _Conversion().of(given, 0))
    except InvalidValue as error:
        raise error.under(*path) from None


def _states(given: Any, there: Collection[str]) -> Mapping[str, LayerState]:
    """Return how looking at each layer ended. What is there was captured, whatever is said of it, and nothing else."""
    states = {}
    for layer, state in _mapping(given, "states").items():
        if not LayerState.is_valid(state):
            raise InvalidValue('is neither `captured`, `none` nor {"unknown": REASON}', ("states", layer))
        states[layer] = LayerState.parse(state)
    captured = LayerState("captured")
    return {layer: state for layer, state in states.items() if state != captured} | {
        layer: captured for layer in there if states.get(layer, captured).state != "unknown"
    }


class _Conversion:
    """A value as the JSON that says the same, in lists and dicts that nobody else holds.

    Refused, with the path of the part in question: a Python type that has no counterpart in JSON, an integer beyond
    `MAX_INTEGER`, a key that is no string or is there twice, and what is larger or deeper than the limits. Texts with
    lone surrogates, NaN and infinities are left for `canonical` to refuse.
    """

    def __init__(self) -> None:
        self._values = 0
        self._text_bytes = 0

    def of(self, value: Any, depth: int) -> Json:
        # Counted wherever it stands: lists that share what they hold can be endless without being large.
        self._values += 1
        if self._values > MAX_VALUES:
            raise InvalidValue(f"more than {MAX_VALUES} values are no environment")
        if depth > _MAX_DEPTH:
            raise InvalidValue(f"more than {MAX_DEPTH} levels deep")
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return _integer(int.__int__(value))
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        # A tuple that names its members would lose the names.
        if isinstance(value, list) or type(value) is tuple:
            return self._list(value, depth)
        raise InvalidValue(f"`{type(value).__name__}` is no JSON type")

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Json]:
        members: dict[str, Json] = {}
        for key, member in value.items():
            if not isinstance(key, str):
                raise InvalidValue(f"the key {key!r} is no string")
            name = self._text(key)
            if name in members:
                raise InvalidValue(f"the key `{name}` is there twice")
            try:
                members[name] = self.of(member, depth + 1)
            except InvalidValue as error:
                raise error.under(name) from None
        return members

    def _list(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Json]:
        members: list[Json] = []
        for number, member in enumerate(value):
            try:
                members.append(self.of(member, depth + 1))
            except InvalidValue as error:
                raise error.under(number) from None
        return members

    def _text(self, value: str) -> str:
        text = str.__str__(value)
        self._text_bytes += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if self._text_bytes > MAX_TEXT_BYTES:
            raise InvalidValue(f"more than {MAX_TEXT_BYTES // 2**20} MiB of text are no environment")
        return text


def _integer(value: int) -> int:
    # Not told which: Python refuses to write one of thousands of digits.
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise InvalidValue("an integer beyond ±(2^53-1), where JSON numbers are not exact")
    return value
