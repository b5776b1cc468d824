"""From a name that a person writes to the object it stands for.

A name is a full digest, a prefix of four or more hex digits, a tag, or `@`. `NAME:layer/collection/entry` goes on into
the environment, `NAME:context/layer/...` into the context.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, Literal, NamedTuple

from capsulestore.errors import AmbiguousName, MalformedName, UnknownName
from capsulestore.model.canonical import Json
from capsulestore.model.capsule import is_capsule
from capsulestore.model.digest import Digest
from capsulestore.model.mapping import LEVELS, decode_entry, decode_mapping, tree_keys
from capsulestore.model.objects import BLOB_MODE, Read, TreeEntry, decode_tree
from capsulestore.model.statement import subject_of
from capsulestore.store.database import ObjectDatabase
from capsulestore.store.index import Index, IndexedKind
from capsulestore.store.refs import LAST, TAGS, Refs
from capsulestore.store.tags import check_tag

__all__ = ["Named", "NamedKind", "kind_of", "peeled", "resolve", "with_article"]

NamedKind = Literal["capsule", "statement", "environment", "context", "layer", "collection", "entry"]

_PREFIX: Final = re.compile(r"[0-9a-fA-F]{4,64}")
_TAG: Final = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]+")
_KINDS: Final[tuple[IndexedKind, ...]] = ("capsule", "environment", "statement")
_CANDIDATES_NAMED: Final = 5
_WHAT_NAMES_ARE: Final = "a name is a digest, four or more of its digits, a tag, or @"


class Named(NamedTuple):
    """What a name stands for: an object's digest, what it is, and the capsule by which it was reached, if by one.

    `level` is the tree's depth in its mapping (0 for an environment), for an entry that of the tree it lies in.
    """

    digest: Digest
    kind: NamedKind
    capsule: Digest | None = None
    level: int = 0

    def value(self, read: Read) -> Json:
        """Return the value of an entry, or the mapping of a tree that is neither a capsule's nor a statement's."""
        if self.kind == "entry":
            return decode_entry(read(self.digest).data, self.level)
        return decode_mapping(self.digest, read, self.level)


def resolve(text: str, database: ObjectDatabase, refs: Refs, index: Index) -> Named:
    """Return what a name stands for; raise `MalformedName`, `UnknownName` or `AmbiguousName`."""
    base, colon, path = text.partition(":")
    digest = _base(base, database, refs, index)
    named = Named(digest, kind_of(digest, database.read))
    if named.kind == "capsule":
        named = Named(digest, "capsule", digest)
    return _descend(named, text, [part for part in path.split("/") if part], database.read) if colon else named


def with_article(kind: NamedKind) -> str:
    """Return a kind as it stands in a sentence: `a capsule`, `an environment`."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def kind_of(digest: Digest, read: Read) -> NamedKind:
    """Return what an object is, as far as its bytes tell: a layer is known by its `rules`.

    Raise `UnknownName` for an object that nobody names, as a commit of the shelf.
    """
    found = read(digest)
    if found.kind == "blob":
        return "entry"
    if found.kind != "tree":
        raise UnknownName(f"{digest} is a {found.kind} of the store, no capsule or environment")
    entries = decode_tree(found.data)
    if is_capsule(entries):
        return "capsule"
    if subject_of(entries):
        return "statement"
    names = {entry.name for entry in entries}
    if "rules.json" in names:
        return "layer"
    return "collection" if names and all(entry.mode == BLOB_MODE for entry in entries) else "environment"


def _base(name: str, database: ObjectDatabase, refs: Refs, index: Index) -> Digest:
    if name == "@":
        last = refs.read(LAST)
        if last is None:
            hint = (
                "`capsule log` lists those that came from elsewhere"
                if index.capsules(1)
                else "add one with `capsule add`"
            )
            raise UnknownName("`@` is the capsule added last, and none was", hint=hint)
        return last
    if not name or not _TAG.fullmatch(name):
        raise MalformedName(f"`{name}` cannot be a name", hint=_WHAT_NAMES_ARE)
    if not _PREFIX.fullmatch(name):
        return peeled(_tagged(name, refs), database.read)
    return _beginning(name.lower(), database, index)


def _tagged(name: str, refs: Refs) -> Digest:
    tags = refs.below(TAGS)
    if name in tags:
        return tags[name]
    with suppress(MalformedName):
        check_tag(name)
        # Where there is one that is damaged, that is to be told.
        refs.read(TAGS + name)
    if re.fullmatch(r"[0-9a-fA-F]{1,3}", name):
        raise MalformedName(f"`{name}` is too short", hint="give four or more digits of a digest")
    raise UnknownName(f"nothing is called `{name}`", hint=_closest(name, tags) or _WHAT_NAMES_ARE)


def peeled(name: Digest, read: Read) -> Digest:
    """Return the tree that a tag leads to: git's own point to a commit, or to an object that says who made the tag."""
    found = read(name)
    while found.kind in {"commit", "tag"}:
        target = found.data.partition(b"\n")[0].partition(b" ")[2]
        name = Digest.parse(target.decode("ascii", "replace"))
        found = read(name)
    return name


def _closest(name: str, known: Mapping[str, object]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else None


def _beginning(prefix: str, database: ObjectDatabase, index: Index) -> Digest:
    """Return the object that a prefix begins; one capsule or environment comes before whatever else it begins."""
    if len(prefix) == 64:
        if Digest(prefix) not in database:
            raise UnknownName(f"no object {prefix} in the store")
        return Digest(prefix)
    for kind in _KINDS:
        found = index.beginning_with(prefix, kind)
        if any(name not in database for name in found):
            # Lost, or never there: then it is the index that is damaged.
            index.make_anew()
            found = index.beginning_with(prefix, kind)
        if found:
            return _only(prefix, found, index, kind)
    for lost in index.unreadable_beginning_with(prefix):
        # What is wrong with it is the answer.
        database.read(lost)
    found = database.beginning_with(prefix)
    if not found:
        raise UnknownName(f"nothing in the store begins with `{prefix}`", hint="`capsule log` lists the capsules")
    return _only(prefix, found, index, "object")


def _only(prefix: str, found: list[Digest], index: Index, kind: str) -> Digest:
    if len(found) == 1:
        return found[0]
    named = ", ".join(_described(digest, index) for digest in found[:_CANDIDATES_NAMED])
    more = f" and {len(found) - _CANDIDATES_NAMED} more" if len(found) > _CANDIDATES_NAMED else ""
    raise AmbiguousName(
        f"`{prefix}` begins {len(found)} {kind}s: {named}{more}",
        candidates=tuple(digest.hex for digest in found),
        hint="give more digits",
    )


def _described(digest: Digest, index: Index) -> str:
    registered = index.registered(digest)
    return f"{digest.hex[:12]} ({registered.title})" if registered else digest.hex[:12]


def _descend(named: Named, text: str, path: list[str], read: Read) -> Named:
    """Follow a path into an environment or context. A part may hold a slash only where it is an entry's, the last."""
    tree, level, kind = named.digest, 0, named.kind
    if kind == "capsule":
        entries = {entry.name: entry for entry in decode_tree(read(tree).data)}
        kind = "context" if path[:1] == ["context"] else "environment"
        path = path[1:] if kind == "context" else path
        if kind not in entries:
            raise UnknownName(f"{named.digest} has no {kind}")
        tree = entries[kind].id
    elif kind == "layer":
        level = 1
    elif kind == "collection":
        level = 2
    elif kind in {"entry", "statement"}:
        raise UnknownName(f"`{text}`: {with_article(kind)} has nothing below it")
    depth_of: tuple[NamedKind, ...] = (kind, "layer", "collection")
    while path:
        keys = tree_keys(read(tree).data)
        entry = keys.get(path[0])
        if entry is not None and entry.is_tree and level + 1 < LEVELS:
            tree, path, level = entry.id, path[1:], level + 1
            kind = depth_of[level]
            continue
        entry = keys.get("/".join(path))
        if entry is None or entry.is_tree:
            raise UnknownName(f"nothing at `{text}`", hint=_choices(keys, path[0]))
        return Named(entry.id, "entry", named.capsule, level)
    return Named(tree, kind, named.capsule, level)


def _choices(keys: Mapping[str, TreeEntry], wanted: str) -> str | None:
    if closest := _closest(wanted, keys):
        return closest
    more = f" and {len(keys) - _CANDIDATES_NAMED} more" if len(keys) > _CANDIDATES_NAMED else ""
    return f"there is: {', '.join(sorted(keys)[:_CANDIDATES_NAMED])}{more}" if keys else None
