"""Any Python value as one that a manifest can hold: no run is lost for the sake of a parameter.

Mappings and sequences are taken member by member, sets in order. What JSON has no form for becomes a text, and its
place is told: a number beyond JSON's, bytes, an array, an object of somebody's class.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from typing import Any, Final, cast

from capsulestore.errors import format_path
from capsulestore.model.canonical import MAX_INTEGER, Json

__all__ = ["MAX_MEMBERS", "MAX_TEXT", "recordable"]

MAX_MEMBERS: Final = 10_000
"""So many values are taken one by one; a list or mapping beyond them is told by its length."""

MAX_TEXT: Final = 1_000
"""The characters that are kept of what becomes a text."""

_MAX_DEPTH: Final = 32
_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")

_OTHER: Final = object()
_NO_LISTS: Final = (bytes, bytearray, memoryview, range)

Path = tuple[str | int, ...]


def recordable(value: object) -> tuple[Json, tuple[str, ...]]:
    """Return a value as JSON, and the places in it (`grid/x[3]`, empty for the whole) that became texts.

    Equal values become equal JSON, whatever process they are in: no address of an object is kept. Never raises.
    """
    conversion = _Conversion()
    return conversion.of(value, ()), tuple(map(format_path, conversion.texts))


class _Conversion:
    def __init__(self) -> None:
        self.texts: list[Path] = []
        self._members = 0

    def of(self, value: Any, path: Path) -> Json:
        self._members += 1
        # The methods of somebody's class may raise anything.
        with suppress(Exception):
            plain = _scalar(value)
            if plain is not _OTHER:
                return cast("Json", plain)
            if isinstance(value, Mapping | Sequence | Set) and not isinstance(value, _NO_LISTS):
                if self._members + len(value) > MAX_MEMBERS or len(path) == _MAX_DEPTH:
                    self.texts.append(path)
                    return f"<{type(value).__qualname__} of {len(value)}>"
                if isinstance(value, Mapping):
                    return {_key(key): self.of(member, (*path, _key(key))) for key, member in value.items()}
                return [self.of(member, (*path, number)) for number, member in enumerate(_in_order(value))]
        self.texts.append(path)
        return _text_of(value)


def _scalar(value: Any) -> object:
    """Return what JSON has one form for, also of a path or an array library's scalar."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _utf8(str.__str__(value))
    if isinstance(value, int):
        return int.__int__(value) if abs(value) <= MAX_INTEGER else _OTHER
    if isinstance(value, float):
        return float.__float__(value) if math.isfinite(value) else _OTHER
    plain: object = _OTHER
    if hasattr(value, "__fspath__"):
        plain = value.__fspath__()
    elif getattr(value, "shape", None) == () and hasattr(value, "item"):
        plain = value.item()
    return _scalar(plain) if isinstance(plain, bool | int | float | str) else _OTHER


def _in_order(members: Sequence[Any] | Set[Any]) -> Iterable[Any]:
    if isinstance(members, Set):
        return sorted(members, key=lambda member: (type(member).__name__, _text_of(member)))
    return members


def _text_of(value: object) -> str:
    try:
        text = str(value)
    except Exception:
        text = f"<{type(value).__qualname__}>"
    text = _utf8(_ADDRESS.sub("", text))
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _key(key: object) -> str:
    return _utf8(key) if isinstance(key, str) else _text_of(key)


def _utf8(text: str) -> str:
    """Return a text without lone surrogates, which JSON has no form for."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
