"""Canonical JSON: the one byte string of a JSON value, exactly as RFC 8785 (JCS) defines it.

Two writers stand behind `dumps`: orjson where it gives the same bytes (no floats, and no keys whose order by
UTF-16 code unit could differ from their order by code point), the package rfc8785 for the rest. orjson is some
60 times faster, and nearly every value of an environment is of the first sort.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import inf

import orjson

from capsulestore.errors import InvalidValue

__all__ = ["MAX_DEPTH", "MAX_INTEGER", "Json", "check", "dumps", "loads"]

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""What JSON can hold. Only `list` and `dict` are written; the abstract types are for annotations."""

MAX_INTEGER = 2**53 - 1
"""Integers beyond this, either way, are not exact in JSON (RFC 8785, section 3.2.2.3)."""

MAX_DEPTH = 128
"""Lists and mappings within each other; deeper ones are refused, long before a parser's stack ends."""

_MANY_DIGITS = re.compile(rb"\d{16}")


def dumps(value: Json) -> bytes:
    """Return the canonical bytes of a value, without a newline at the end.

    Raise `InvalidValue`, with the path of the part in question, for what JSON lacks: NaN and infinities, integers
    beyond `MAX_INTEGER`, lone surrogates, keys that are no strings, tuples, bytes and any other Python type.
    """
    if check(value):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    import rfc8785  # noqa: PLC0415  (needed by few values, and start-up counts)

    return rfc8785.dumps(value)


def loads(data: bytes) -> Json:
    """Return the value of canonical bytes; raise `InvalidValue` for bytes that are not their own canonical form.

    A number without fraction beyond `MAX_INTEGER` is a double: RFC 8785 prints `1e20` with all its digits.
    """
    try:
        value: Json = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidValue(f"not JSON: {error}") from None
    if _MANY_DIGITS.search(data):
        value = _doubles(value)
    if dumps(value) != data:
        raise InvalidValue("JSON, but not in its canonical form (RFC 8785)")
    return value


def check(value: object, depth: int = 0) -> bool:
    """Raise `InvalidValue` for what canonical JSON cannot hold; return whether orjson writes it canonically."""
    kind = type(value)
    if isinstance(value, dict):
        return _check_members(_checked_keys(value), value.items(), depth)
    if isinstance(value, list):
        return _check_members(True, enumerate(value), depth)
    if isinstance(value, str) and kind is str:
        _check_text(value, "text")
    elif kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:  # type: ignore[operator]
            raise InvalidValue(f"{value} is beyond ±(2^53-1), where JSON numbers are not exact")
    elif kind is float:
        if value in (inf, -inf) or value != value:  # noqa: PLR0124  (the one value unequal to itself is NaN)
            raise InvalidValue(f"{value} is no JSON number")
        return False
    elif value is not None and kind is not bool:
        raise InvalidValue(f"`{kind.__name__}` is no JSON type")
    return True


def _checked_keys(mapping: Mapping[object, object]) -> bool:
    plain = True
    for key in mapping:
        if type(key) is not str:
            raise InvalidValue(f"the key {key!r} is no string")
        if not key.isascii():
            _check_text(key, "key")
            # Above U+D7FF the order by UTF-16 code unit and by code point may differ.
            plain = plain and max(key) < "\ud800"
    return plain


def _check_members(plain: bool, members: Iterable[tuple[str | int, object]], depth: int) -> bool:
    if depth == MAX_DEPTH:
        raise InvalidValue(f"more than {MAX_DEPTH} levels deep")
    for key, value in members:
        try:
            plain = check(value, depth + 1) and plain
        except InvalidValue as error:
            raise error.under(key) from None
    return plain


def _check_text(text: str, what: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidValue(f"the {what} {text!a} holds a lone surrogate") from None


def _doubles(value: Json, depth: int = 0) -> Json:
    if depth > MAX_DEPTH:
        raise InvalidValue(f"more than {MAX_DEPTH} levels deep")
    if type(value) is int and not -MAX_INTEGER <= value <= MAX_INTEGER:
        return float(value)
    if isinstance(value, list):
        return [_doubles(member, depth + 1) for member in value]
    if isinstance(value, dict):
        return {key: _doubles(member, depth + 1) for key, member in value.items()}
    return value
