"""What is in no index: which packages an environment has, and which labels a capsule."""

from __future__ import annotations

from typing import Final, NamedTuple

from capsulestore.errors import InvalidValue, StoreUnreadable, UsageError
from capsulestore.model.canonical import Json, dumps
from capsulestore.model.digest import Digest
from capsulestore.model.mapping import decode_entry, tree_keys
from capsulestore.serving.memory import Memory
from capsulestore.serving.routes.package_query import PackageQuery
from capsulestore.store import Store
from capsulestore.store.index import Registered

__all__ = ["Filters", "LabelQuery", "Looker"]

_MOST_BYTES: Final = 64 * 2**20
_MOST_CHARACTERS: Final = 1_000
_PACKAGE_LEVEL: Final = 2
"""The level of the tree that packages are entries of."""


class LabelQuery(NamedTuple):
    """A label that a capsule should have, with a value unless that is None."""

    key: str
    value: str | None

    @classmethod
    def parse(cls, text: str) -> LabelQuery:
        """Return what `K=V` or `K` asks for; raise `UsageError` where there is no key."""
        key, equals, value = text.partition("=")
        if len(text) > _MOST_CHARACTERS:
            raise UsageError(f"a label is asked for in {_MOST_CHARACTERS} characters at most")
        if not key:
            raise UsageError("a label has a name", hint="as `label=project=tides`, or `label=project` for any value")
        return cls(key, value if equals else None)


class Filters(NamedTuple):
    """What has to be true of a capsule, all of it."""

    packages: tuple[PackageQuery, ...]
    labels: tuple[LabelQuery, ...]


class _Package(NamedTuple):
    """Whether there is a package, and its version."""

    is_there: bool
    version: str | None = None


class Looker:
    """Looks into capsules and environments, and keeps in memory what it found: it does not change."""

    def __init__(self) -> None:
        self._packages = Memory[_Package](_MOST_BYTES)
        self._labels = Memory[bool](_MOST_BYTES)

    def fits(self, store: Store, capsule: Registered, filters: Filters) -> bool:
        """Whether a capsule is as wanted; raise `StoreUnreadable`, `DamagedObject` or `MissingObject`."""
        try:
            return all(self._has_label(store, capsule.digest, label) for label in filters.labels) and all(
                self._has_package(store, capsule.environment, package) for package in filters.packages
            )
        except InvalidValue as error:
            raise StoreUnreadable(f"{capsule.digest} is no capsule that this release can read: {error}") from error

    def _has_label(self, store: Store, capsule: Digest, label: LabelQuery) -> bool:
        # As typed: a key has no `=` in it.
        key = f"{capsule}{label.key}" + ("" if label.value is None else f"={label.value}")
        known = self._labels.get(key)
        if known is None:
            labels = store.capsule(capsule).manifest.value.get("labels")
            known = isinstance(labels, dict) and label.key in labels and _is(labels[label.key], label.value)
            self._labels.keep(key, known)
        return known

    def _has_package(self, store: Store, environment: Digest | None, package: PackageQuery) -> bool:
        if environment is None:
            return False
        key = f"{environment}{package.layer}/{package.name}"
        known = self._packages.get(key)
        if known is None:
            known = _package(store, environment, package)
            self._packages.keep(key, known)
        return known.is_there and package.takes(known.version)


def _is(found: Json, wanted: str | None) -> bool:
    """Whether a label's value is the one that was typed: a text as it is, anything else as JSON."""
    return wanted is None or wanted == (found if isinstance(found, str) else dumps(found).decode())


def _package(store: Store, environment: Digest, package: PackageQuery) -> _Package:
    tree = environment
    for key in (package.layer, "packages"):
        below = tree_keys(store.read(tree).data).get(key)
        if below is None or not below.is_tree:
            return _Package(is_there=False)
        tree = below.id
    entry = tree_keys(store.read(tree).data).get(package.name)
    if entry is None or entry.is_tree:
        return _Package(is_there=False)
    value = decode_entry(store.read(entry.id).data, _PACKAGE_LEVEL)
    version = value.get("version") if isinstance(value, dict) else None
    return _Package(is_there=True, version=version if isinstance(version, str) else None)
