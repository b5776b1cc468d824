"""Keys of a mapping as names in a git tree, and back.

A key's UTF-8 bytes stand for themselves where they are `A-Z a-z 0-9 _ - + @ .`; every other byte is `%XX` in
upper-case hex. So no name can be taken for `.git`, a parent directory or a name that Windows reserves a character
for: a dot in first place is `%2E`. A blob's name ends in `.json`; where a tree's name would, that dot is `%2E` too,
which keeps the two apart. Nothing is normalised: composed and decomposed characters are two keys.
"""

from __future__ import annotations

import re

from capsulestore.errors import InvalidValue

__all__ = [
    "MAX_NAME_BYTES",
    "escape",
    "fits",
    "from_blob_name",
    "from_file_name",
    "from_tree_name",
    "to_blob_name",
    "to_file_name",
    "to_tree_name",
]

MAX_NAME_BYTES = 250
"""The longest name in a tree; file systems end at 255."""

_ENDING = ".json"
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+@.")
_AS_IT_IS = re.compile(r"[A-Za-z0-9_\-+@][A-Za-z0-9_\-+@.]*")


def escape(key: str) -> str:
    """Return a key with every byte that a tree should not hold as `%XX`."""
    if _AS_IT_IS.fullmatch(key):
        return key
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        raise InvalidValue(f"the key {key!a} holds a lone surrogate") from None
    text = "".join(chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in encoded)
    return f"%2E{text[1:]}" if text.startswith(".") else text


def to_tree_name(key: str) -> str:
    """Return the name of the tree that a key's mapping becomes; raise `InvalidValue` where there is none."""
    name = escape(key)
    if name.endswith(_ENDING):
        name = f"{name[: -len(_ENDING)]}%2Ejson"
    return _checked(name)


def to_blob_name(key: str) -> str:
    """Return the name of the blob that a key's value becomes; raise `InvalidValue` where there is none."""
    if not key:
        raise InvalidValue("an empty key")
    return _checked(escape(key) + _ENDING)


def to_file_name(part: str) -> str:
    """Return the name of the blob that a kept file becomes: its name escaped, with no ending added."""
    return _checked(escape(part))


def from_tree_name(name: str) -> str:
    """Return the key of a tree's name; raise `InvalidValue` for a name that `to_tree_name` never gives."""
    key = _unescape(name)
    if to_tree_name(key) != name:
        raise InvalidValue(f"the name `{name}` of a tree is not as it would be written")
    return key


def from_blob_name(name: str) -> str:
    """Return the key of a blob's name; raise `InvalidValue` for a name that `to_blob_name` never gives."""
    if not name.endswith(_ENDING):
        raise InvalidValue(f"the name `{name}` of a value does not end in `.json`")
    key = _unescape(name[: -len(_ENDING)])
    if to_blob_name(key) != name:
        raise InvalidValue(f"the name `{name}` of a value is not as it would be written")
    return key


def from_file_name(name: str) -> str:
    """Return the file name of a blob's; raise `InvalidValue` for a name that `to_file_name` never gives."""
    part = _unescape(name)
    if to_file_name(part) != name:
        raise InvalidValue(f"the name `{name}` of a file is not as it would be written")
    return part


def fits(key: str) -> bool:
    """Return whether a key can be the key of an entry: not empty, no lone surrogate, not too long a name."""
    try:
        to_blob_name(key)
    except InvalidValue:
        return False
    return True


def _checked(name: str) -> str:
    if not name:
        raise InvalidValue("an empty key")
    if len(name) > MAX_NAME_BYTES:
        raise InvalidValue(f"a key whose name in a tree has {len(name)} bytes; {MAX_NAME_BYTES} is the most")
    return name


def _unescape(name: str) -> str:
    if "%" not in name:
        return name
    encoded = re.sub(
        rb"%([0-9A-F]{2})",
        lambda match: bytes.fromhex(match[1].decode()),
        name.encode("utf-8", "surrogateescape"),
    )
    return encoded.decode("utf-8", "surrogateescape")
