"""Paths in terms of a script's own parameters: `{out}/*.csv`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Set
from glob import escape, has_magic
from itertools import product
from typing import Any, Final

__all__ = ["filled", "value_of"]

_NAME: Final = re.compile(r"\{(\w+)\}")
_NO_FILE: Final = frozenset({"", "-", "<stdin>", "<stdout>", "<stderr>"})
"""What stands for a standard stream, or for nothing, where a path could be."""


def filled(templates: Iterable[str], parameters: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the paths and patterns that templates come to, and in words which of them name no parameter.

    `{name}` stands for the value of that parameter: for each member of one that has several, for nothing where it has
    none. A value is a path as it is: `*` in it stands for itself in a template that is a pattern.
    """
    paths: list[str] = []
    problems: list[str] = []
    for template in templates:
        names = list(dict.fromkeys(_NAME.findall(template)))
        if unknown := [name for name in names if name not in parameters]:
            problems.append(f"`{template}`: the script has no parameter `{unknown[0]}`")
            continue
        quote = escape if has_magic(_NAME.sub("", template)) else str
        paths += [
            _replaced(template, dict(zip(names, map(quote, values), strict=True)))
            for values in product(*(_several(parameters[name]) for name in names))
        ]
    return list(dict.fromkeys(paths)), problems


def value_of(value: Any) -> Any:
    """Return a parameter's value; of an open file, its name."""
    name = getattr(value, "name", None)
    return name if isinstance(name, str | bytes) and hasattr(value, "close") else value


def _replaced(template: str, values: Mapping[str, str]) -> str:
    return _NAME.sub(lambda match: values[match[1]], template)


def _several(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list | tuple | Set):
        return [text for member in value for text in _several(member)]
    value = value_of(value)
    text = os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else str(value)
    return [] if text in _NO_FILE else [text]
