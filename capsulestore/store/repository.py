"""A store, as everything outside this room sees it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from capsulestore.errors import InvalidValue, StoreUnreadable, UnknownName
from capsulestore.model.capsule import Capsule
from capsulestore.model.commit import Commit, Person
from capsulestore.model.digest import Digest
from capsulestore.model.objects import Encoded, GitObject
from capsulestore.model.statement import Statement
from capsulestore.store import layout
from capsulestore.store.database import ObjectDatabase
from capsulestore.store.history import History, Registration
from capsulestore.store.identity import identity
from capsulestore.store.index import Index
from capsulestore.store.names import Named, resolve, with_article
from capsulestore.store.refs import LAST, Refs
from capsulestore.store.shelf import Shelf
from capsulestore.store.tags import Tags
from capsulestore.store.worktree import exclude_from_worktree, ignore_in_later_worktree

__all__ = ["Store"]


class Store:
    """A `.capsules` directory: objects by digest, capsules registered on its shelf, their `index`, `tags` and `refs`.

    Use it in a `with` block, or `close()` it, to let go of the files it keeps open.
    """

    def __init__(self, path: str) -> None:
        """Open the store at `path`, or the `.capsules` in it.

        Raise `NoStore`, or `StoreUnreadable` for what this release cannot read.
        """
        self.path = os.path.abspath(layout.named(path))
        layout.check(self.path)
        self._database = ObjectDatabase(self.path)
        self.refs = Refs(self.path)
        self._history = History(self._database, self.refs)
        self.index = Index(self.path, self._history, self._database.read)
        self.tags = Tags(self.refs)
        self._shelf = Shelf(self._database, self.refs, self._history, self.index)

    @classmethod
    def init(cls, directory: str = ".") -> Store:
        """Make `directory/.capsules` and return it; a store that is there already is opened as it is."""
        path = os.path.join(directory, layout.DIRECTORY)
        layout.make(path)
        exclude_from_worktree(path)
        ignore_in_later_worktree(path)
        return cls(path)

    @classmethod
    def discover(cls, start: str = ".") -> Store:
        """Open `$CAPSULE_STORE`, else the nearest `.capsules` at or above `start`; raise `NoStore`."""
        return cls(os.environ.get("CAPSULE_STORE") or layout.find(start))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of open files; the store can still be used."""
        self._database.close()
        self.index.close()

    @property
    def root(self) -> str:
        """The directory that holds the store, by its real path: a manifest's paths are relative to it."""
        return os.path.dirname(os.path.realpath(self.path))

    @property
    def tip(self) -> Digest | None:
        """The newest commit of the shelf, None where nothing is registered."""
        return self._history.tip

    def __contains__(self, name: Digest) -> bool:
        """Whether there is an object of this name; what it holds is only seen when it is read."""
        return name in self._database

    def read(self, name: Digest) -> GitObject:
        """Return an object whose bytes hash to its name; raise `MissingObject` or `DamagedObject`."""
        return self._database.read(name)

    def resolve(self, name: str) -> Named:
        """Return what a name stands for; raise `MalformedName`, `UnknownName` or `AmbiguousName`."""
        return resolve(name, self._database, self.refs, self.index)

    def resolve_capsule(self, name: str) -> Digest:
        """Return the digest of the capsule that a name stands for; raise `UnknownName` where it is something else."""
        named = self.resolve(name)
        if named.kind != "capsule":
            raise UnknownName(f"`{name}` is no capsule but {with_article(named.kind)}")
        return named.digest

    def capsule(self, digest: Digest) -> Capsule:
        """Return a capsule by its digest; raise `StoreUnreadable` for one that this release cannot read."""
        try:
            return Capsule.decode(self.read(digest).data, self.read)
        except InvalidValue as error:
            raise StoreUnreadable(f"{digest} is no capsule that this release can read: {error}") from error

    def statement(self, digest: Digest) -> Statement:
        """Return a statement by its digest; raise `StoreUnreadable` for one that this release cannot read."""
        try:
            return Statement.decode(self.read(digest).data, self.read)
        except InvalidValue as error:
            raise StoreUnreadable(f"{digest} is no statement that this release can read: {error}") from error

    def add(self, capsule: Encoded, title: str, *, author: Person | None = None) -> bool:
        """Store and register a capsule, which `@` then names; return whether it was not registered before.

        What is new is durable when this returns. After an error the capsule is registered whole or not at all, and
        adding it again is safe. `author` is git's identity unless given.
        """
        new = self._register(capsule, title, author)
        self.refs.put(LAST, capsule.id)
        return new

    def check_writable(self) -> None:
        """Raise `StoreUnwritable` where this process may not add: before an analysis runs is the time to know."""
        layout.check_writable(self.path)

    def state(self, statement: Statement, title: str, *, author: Person | None = None) -> Digest:
        """Store and register a statement about a capsule that is here, and return its digest; as `add`, but for `@`."""
        encoded = statement.encode()
        self._register(encoded, title, author)
        return encoded.id

    def commit(self, name: Digest) -> Commit:
        """Return a commit; raise `MissingObject`, `DamagedObject`, or `StoreUnreadable` for what is none."""
        return self._history.read(name)

    def join(self, other: Digest) -> Digest:
        """Have the shelf hold what another's tip reaches, all of which is here, and return the shelf's tip.

        Where neither follows on the other, that is a commit which joins both: a pure function of the two. Durable when
        this returns; raise `StoreBusy` or `StoreUnwritable`, after which the shelf is as it was.
        """
        return self._shelf.join(other)

    def _register(self, tree: Encoded, title: str, author: Person | None) -> bool:
        # Somebody may have removed it since it was opened; writing would make half a store of what is left.
        layout.check(self.path)
        exclude_from_worktree(self.path)
        return self._shelf.register(tree, title, author or identity(self.path))

    def last(self) -> Digest | None:
        """Return the capsule that this store was last asked to add, `@`; None before the first."""
        return self.refs.read(LAST)

    def commits(self) -> Iterator[Registration]:
        """Yield the shelf's commits, newest first."""
        return self._history.commits(self._history.tip)
