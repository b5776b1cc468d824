"""What a program hands over to be recorded, checked before anything is done: a mistake is told by the argument's name.

What can be recorded in another form is, and that is logged; only what makes no sense is an error.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from capsulestore.capture.files import path_text
from capsulestore.errors import UsageError
from capsulestore.model.canonical import Json
from capsulestore.model.recordable import MAX_MEMBERS, in_words, recordable

__all__ = ["mapping", "observed", "paths", "several", "text", "texts", "title"]

_LOGGER: Final = logging.getLogger("capsulestore")


def several(name: str, given: object) -> list[Any]:
    """Return the members of a list; raise `UsageError` for what is none, a text or a path among others."""
    # A text is a sequence too, of characters.
    if isinstance(given, str | bytes | os.PathLike):
        raise UsageError(f"`{name}` is a list", hint=f'as in `{name}=["{os.fsdecode(given)}"]`')
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise UsageError(f"`{name}` is a list, not `{type(given).__name__}`")
    return list(given)


def paths(name: str, given: object) -> list[str]:
    """Return a list of paths, each as `os.fsencode` takes it; raise `UsageError` for what is none."""
    return [_path(f"{name}[{number}]", member) for number, member in enumerate(several(name, given))]


def texts(name: str, given: object) -> list[str]:
    """Return a list of texts, bytes and paths as texts that JSON can hold; raise `UsageError` for what is none."""
    return [_utf8(path) for path in paths(name, given)]


def text(name: str, given: object) -> str:
    """Return a text, bytes or a path as a text that JSON can hold; raise `UsageError` for anything else."""
    return _utf8(_path(name, given))


def title(given: object) -> str:
    """Return what a capsule is to be called, as `text` does; raise `UsageError` for what is blank too."""
    found = "" if given is None else text("title", given)
    if not found.strip():
        raise UsageError("a capsule needs a title", hint='say in a few words what it is of, as "first fit"')
    return found


def mapping(name: str, given: object) -> dict[str, Json]:
    """Return a mapping as one that JSON can hold, and log where it became a text; raise `UsageError` for no mapping."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise UsageError(f"`{name}` is a mapping, not `{type(given).__name__}`")
    plain, converted = recordable(given)
    if not isinstance(plain, dict):
        raise UsageError(
            f"`{name}` cannot be recorded member by member",
            hint=f"a plain mapping of up to {MAX_MEMBERS} members can; write more to a file, and name it as an input",
        )
    for said in in_words(name, converted):
        _LOGGER.warning("%s", said)
    return plain


def observed(description: object, command: object, entry_point: object, status: str | None) -> dict[str, Json]:
    """Return what is given of these keys of a manifest, as it holds them; raise `UsageError` as `text` does."""
    given: dict[str, Json | None] = {
        "description": None if description is None else text("description", description),
        "command": None if command is None else list(texts("command", command)),
        "entry_point": None if entry_point is None else text("entry_point", entry_point),
        "status": status,
    }
    return {key: value for key, value in given.items() if value is not None}


def _path(name: str, given: Any) -> str:
    try:
        return os.fsdecode(given)
    except TypeError:
        raise UsageError(f"`{name}` is a text, not `{type(given).__name__}`") from None


def _utf8(given: str) -> str:
    try:
        return path_text(given)
    except UnicodeEncodeError:
        # A lone surrogate that stands for no byte.
        return given.encode("utf-8", "backslashreplace").decode()
