"""Any Python value as one that a manifest can hold: no run is lost for the sake of a parameter.

Mappings and sequences are taken member by member, sets in order, and what has named fields (a dataclass, a named tuple,
the namespace of a command line) as a mapping, so that a field's name can tell a secret. What JSON has no form for
becomes a text, and its place is told: a number beyond JSON's, bytes, an array, an object of any other class.
"""

from __future__ import annotations

import math
import re
from collections import UserString
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from types import SimpleNamespace
from typing import Any, Final, cast

from capsulestore.errors import format_path
from capsulestore.model import canonical
from capsulestore.model.canonical import MAX_INTEGER, Json

__all__ = ["MAX_LENGTH", "MAX_MEMBERS", "MAX_TEXT", "in_words", "recordable"]

MAX_MEMBERS: Final = 10_000
"""So many values are taken one by one, in all; a list or mapping beyond them is told by its length."""

MAX_TEXT: Final = 1_000
"""The characters that are kept of what becomes a text."""

MAX_LENGTH: Final = 100_000
"""The characters of a text or a key; of a longer one, `MAX_TEXT` are kept, and its place is told."""

_MAX_DEPTH: Final = 32
_MOST_NAMED: Final = 3
_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")

_OTHER: Final = object()
_LISTS: Final = (Mapping, Sequence, Set)
_NO_LISTS: Final = (str, bytes, bytearray, memoryview, range, UserString)

Path = tuple[str | int, ...]


def recordable(value: object) -> tuple[Json, tuple[str, ...]]:
    """Return a value as JSON, and the places in it (`grid/x[3]`, empty for the whole) that became texts.

    The same value becomes the same JSON, whatever process it is in and in whichever order its members were added, as
    far as an object's own text is the same: no address is kept. Keys that are no strings become texts; of several with
    one text the second is `KEY 2`, and told. Never raises.
    """
    conversion = _Conversion()
    return conversion.of(value, ()), tuple(map(format_path, conversion.texts))


def in_words(which: str, places: Sequence[str]) -> list[str]:
    """Return what is said of the places in `parameters` or `labels` that became texts: a few lines, however many."""
    told = [f"{which.removesuffix('s')} `{place}` became a text" for place in places[:_MOST_NAMED]]
    more = len(places) - _MOST_NAMED
    return [*told, f"and {more} more values of the {which}"] if more > 0 else told


class _TooMany(Exception):
    """More members than are taken one by one."""


class _Conversion:
    """A conversion of which so many members are left; within a set, whole or not at all."""

    def __init__(self, left: int = MAX_MEMBERS, *, whole: bool = False) -> None:
        self.texts: list[Path] = []
        self.left = left
        self._whole = whole
        self._within: list[int] = []

    def of(self, value: Any, path: Path) -> Json:
        told = len(self.texts)
        # The methods of somebody's class may raise anything.
        try:
            plain = _scalar(value)
            if plain is _OTHER:
                plain = self._members(value, path)
            if plain is not _OTHER:
                return cast("Json", plain)
        except _TooMany:
            raise
        except Exception:  # noqa: S110  (as a text, then)
            pass
        # What was told of its members is told of the whole.
        self.texts[told:] = [path]
        return _text_of(value)

    def _members(self, value: Any, path: Path) -> object:
        """Return the members of what has any, one by one; a text where they are too many or too deep."""
        itself, value = value, _by_name(value)
        if not isinstance(value, _LISTS) or isinstance(value, _NO_LISTS):
            return _OTHER
        length = len(value)
        if length > self.left or len(path) == _MAX_DEPTH or id(itself) in self._within:
            return self._by_length(itself, length, path)
        self._within.append(id(itself))
        told, left = len(self.texts), self.left
        try:
            if isinstance(value, Mapping):
                return self._mapping(value, length, path)
            return self._set(value, length, path) if isinstance(value, Set) else self._list(value, length, path)
        except _TooMany:
            if self._whole:
                raise
            # What comes after must not depend on the order in it, nor may many such sets take long.
            self.left = left // 2
            del self.texts[told:]
            return self._by_length(itself, length, path)
        finally:
            self._within.pop()

    def _by_length(self, value: object, length: int, path: Path) -> str:
        if self._whole and length > self.left:
            raise _TooMany
        self.texts.append(path)
        return _utf8(f"<{type(value).__qualname__} of {length}>")

    def _mapping(self, value: Mapping[Any, Any], length: int, path: Path) -> dict[str, Json]:
        found: dict[str, Json] = {}
        keys = [(_key(key), not isinstance(key, str), type(key).__name__, key) for key in self._counted(value, length)]
        for text, _, _, key in sorted(keys, key=lambda told: told[:3]):
            name, number = text, 1
            while name in found:
                number += 1
                name = f"{text} {number}"
            found[name] = self.of(value[key], (*path, name))
            if number > 1 and (*path, name) not in self.texts:
                self.texts.append((*path, name))
        return found

    def _list(self, value: Sequence[Any], length: int, path: Path) -> list[Json]:
        return [self.of(member, (*path, number)) for number, member in enumerate(self._counted(value, length))]

    def _set(self, value: Set[Any], length: int, path: Path) -> list[Json]:
        # In what order its members come differs from process to process: nothing may depend on it.
        converted = []
        for member in self._counted(value, length):
            apart = _Conversion(self.left, whole=True)
            plain = apart.of(member, path)
            self.left = apart.left
            converted.append((canonical.dumps(plain), plain, [place[len(path) :] for place in apart.texts]))
        converted.sort(key=lambda told: (told[0], told[2]))
        for number, (_, _, places) in enumerate(converted):
            self.texts += [(*path, number, *place) for place in places]
        return [plain for _, plain, _ in converted]

    def _counted(self, members: Any, length: int) -> Iterator[Any]:
        """Yield the members, of which there must be as many as were said."""
        self.left -= length
        for number, member in enumerate(members):
            if number == length:
                raise ValueError("a length that is not its own")
            yield member


def _scalar(value: Any) -> object:
    """Return what JSON has one form for, also of a path or an array library's scalar."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = str.__str__(value)
        return _utf8(text) if len(text) <= MAX_LENGTH else _OTHER
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


def _by_name(value: Any) -> Any:
    """Return what has named fields as a mapping, anything else as it is."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value) if hasattr(value, field.name)}
    if isinstance(value, SimpleNamespace) or _is_namespace(type(value)):
        return vars(value)
    if isinstance(value, tuple) and isinstance(names := getattr(value, "_fields", None), tuple):
        return dict(zip(names, value, strict=True))
    return value


def _is_namespace(kind: type) -> bool:
    # Only who parses a command line has loaded the class.
    return any((one.__module__, one.__name__) == ("argparse", "Namespace") for one in kind.__mro__)


def _text_of(value: object) -> str:
    # `str` of bytes may be an error (option `-bb`), and nothing beyond this is kept.
    form: Callable[[Any], str] = repr if isinstance(value, bytes | bytearray) else str
    try:
        # An array or table prints itself over many lines, and leaves out most of what is in it.
        if isinstance(shape := getattr(value, "shape", None), tuple) and shape:
            return _shortened(_utf8(f"<{type(value).__qualname__} of shape {shape}>"))
        text = form(value[:MAX_TEXT] if isinstance(value, bytes | bytearray | str) else value)
    except Exception:
        text = f"<{type(value).__qualname__}>"
    text = _ADDRESS.sub("", text)
    for own in (f"{id(value):x}", f"{id(value):X}", f"{id(value)}"):
        text = text.replace(own, "")
    if isinstance(value, str) and len(value) > MAX_TEXT:
        text += "…"
    return _shortened(_utf8(text))


def _key(key: object) -> str:
    if isinstance(key, str) and len(key) <= MAX_LENGTH:
        return _utf8(key)
    if isinstance(key, tuple | Set):
        # The text of a set has its members in any order.
        return _shortened(canonical.dumps(_Conversion(MAX_TEXT).of(key, ())).decode())
    return _text_of(key)


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _utf8(text: str) -> str:
    """Return a text without lone surrogates, which JSON has no form for."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
