"""The difference of two mappings, found by walking their trees and reading only what is not equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from capsulestore.errors import InvalidValue
from capsulestore.model.canonical import Json, dumps
from capsulestore.model.digest import Digest
from capsulestore.model.mapping import LEVELS, decode_entry, tree_keys
from capsulestore.model.objects import Read, TreeEntry

__all__ = ["Change", "Side", "changes"]

Path = tuple[str, ...]


class Nothing:
    """No value, where None would be one."""


_NOTHING = Nothing()


class Side(NamedTuple):
    """One of the two: where its objects are read, and the digest of its tree (None: nothing is there)."""

    read: Read
    digest: Digest | None


class Change(NamedTuple):
    """One entry that differs. `layer` and `collection` are None where the entry stands above that level.

    An empty layer or collection that only one side has is a change without an entry. `a` and `b` are whole values,
    None where there is none; `fields` are the keys that differ where both are mappings.
    """

    layer: str | None
    collection: str | None
    entry: str | None
    change: Literal["added", "removed", "changed"]
    a: Json
    b: Json
    fields: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Json]:
        """Return the change as `--json` has it."""
        return {
            "layer": self.layer,
            "collection": self.collection,
            "entry": self.entry,
            "change": self.change,
            "a": self.a,
            "b": self.b,
            "fields": list(self.fields),
        }


def changes(a: Side, b: Side) -> Iterator[Change]:
    """Yield what differs between two mappings, sorted by layer, collection and entry.

    A tree or entry that is equal on both sides is never read. Raise `InvalidValue` for trees that are no mapping.
    """
    if a.digest != b.digest:
        yield from _changes(a, b, ())


def _changes(a: Side, b: Side, path: Path) -> Iterator[Change]:
    keys_a, keys_b = _keys(a), _keys(b)
    if path and not keys_a and not keys_b:
        yield _change(path, None, {} if a.digest else _NOTHING, {} if b.digest else _NOTHING)
    for key in sorted(keys_a.keys() | keys_b.keys()):
        of_a, of_b = keys_a.get(key), keys_b.get(key)
        if of_a == of_b:
            continue
        # A key can be a tree on one side and a value on the other: then one is removed and the other added.
        tree_a, tree_b = Side(a.read, _tree(of_a)), Side(b.read, _tree(of_b))
        if tree_a.digest or tree_b.digest:
            if len(path) + 1 >= LEVELS:
                raise InvalidValue("a tree below the third level", (*path, key))
            yield from _changes(tree_a, tree_b, (*path, key))
        value_a, value_b = _value(a, of_a, len(path)), _value(b, of_b, len(path))
        if value_a is not _NOTHING or value_b is not _NOTHING:
            yield _change(path, key, value_a, value_b)


def _change(path: Path, entry: str | None, a: Json | Nothing, b: Json | Nothing) -> Change:
    fields: tuple[str, ...] = ()
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        fields = tuple(sorted(key for key in a.keys() | b.keys() if _differ(a, b, key)))
    layer, collection = (*path, None, None)[:2]
    return Change(
        layer=layer,
        collection=collection,
        entry=entry,
        change="added" if isinstance(a, Nothing) else "removed" if isinstance(b, Nothing) else "changed",
        a=None if isinstance(a, Nothing) else a,
        b=None if isinstance(b, Nothing) else b,
        fields=fields,
    )


def _differ(a: Mapping[str, Json], b: Mapping[str, Json], key: str) -> bool:
    # By canonical bytes: in Python, `True` equals 1.
    return key not in a or key not in b or dumps(a[key]) != dumps(b[key])


def _keys(side: Side) -> dict[str, TreeEntry]:
    return tree_keys(side.read(side.digest).data) if side.digest else {}


def _tree(entry: TreeEntry | None) -> Digest | None:
    return entry.id if entry and entry.is_tree else None


def _value(side: Side, entry: TreeEntry | None, level: int) -> Json | Nothing:
    return decode_entry(side.read(entry.id).data, level) if entry and not entry.is_tree else _NOTHING
