"""The index of the shelf: which capsules and statements it registers, since when, by whom, and for what.

It is derived from the commits that `refs/heads/main` reaches. Each answer is of the tip at that moment: the commits
between it and the tip that was seen last are read, no others, unless main was moved back.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from capsulestore.errors import CapsuleError, MissingObject, StoreUnreadable, UnknownName
from capsulestore.model.canonical import Json
from capsulestore.model.commit import iso_time
from capsulestore.model.digest import Digest
from capsulestore.model.objects import Read
from capsulestore.store.history import History, Registration
from capsulestore.store.index_source import NOT_LOOKED_AT, ShelfSource, digest_of, digests_of
from capsulestore.store.wanted import Wanted

if TYPE_CHECKING:
    from capsulestore.store.derived import DerivedDatabase

__all__ = ["Index", "IndexedKind", "Registered", "Relation"]

IndexedKind = Literal["capsule", "environment", "statement"]
Relation = Literal["parents", "children", "ancestors", "descendants"]

_MOST_VALUES: Final = 900
"""How many values a query takes at most; any SQLite takes 999."""

_REGISTERED: Final = """
    SELECT t.digest, t.environment, c.id, c.author, c.title, c.time, t.parents
    FROM trees t JOIN commits c ON c.id = t.registration
"""
_EARLIEST_FIRST: Final = "ORDER BY t.time, t.generation, t.registration"
_NEWEST_FIRST: Final = "ORDER BY t.time DESC, t.generation DESC, t.registration DESC"
# The `+` keeps SQLite from going through all trees of the kind instead of those in the range.
_BEGINNING: Final[dict[IndexedKind, str]] = {
    "capsule": "SELECT digest FROM trees WHERE +kind = 'capsule' AND digest BETWEEN ? AND ? ORDER BY 1",
    "statement": "SELECT digest FROM trees WHERE +kind = 'statement' AND digest BETWEEN ? AND ? ORDER BY 1",
    "environment": "SELECT DISTINCT environment FROM trees WHERE environment BETWEEN ? AND ? ORDER BY 1",
}
_RELATED: Final[dict[Relation, str]] = {
    "parents": "SELECT parent FROM lineage WHERE child = ?",
    "children": "SELECT child FROM lineage WHERE parent = ?",
    # UNION takes each once, however many ways lead to it.
    "ancestors": """
        WITH RECURSIVE found (digest) AS (
            SELECT parent FROM lineage WHERE child = ? UNION
            SELECT parent FROM lineage JOIN found ON child = digest
        ) SELECT digest FROM found
    """,
    "descendants": """
        WITH RECURSIVE found (digest) AS (
            SELECT child FROM lineage WHERE parent = ? UNION
            SELECT child FROM lineage JOIN found ON parent = digest
        ) SELECT digest FROM found
    """,
}


class Registered(NamedTuple):
    """A capsule or statement, as its earliest registration has it; a statement has no `environment`.

    `time` is in whole seconds since 1970, `author` as git writes it: `NAME <ADDRESS>`. `parents` are the capsules that
    a capsule derives from, in this store or not, as far as its manifest can be read.
    """

    digest: Digest
    environment: Digest | None
    commit: Digest
    author: str
    title: str
    time: int
    parents: tuple[Digest, ...] = ()

    def as_dict(self) -> dict[str, Json]:
        """Return a capsule as `capsule log --json` has it."""
        return {
            "capsule_id": str(self.digest),
            "environment_digest": str(self.environment) if self.environment else None,
            "title": self.title,
            "author": self.author,
            "registered_at": iso_time(self.time),
            "parents": [str(parent) for parent in self.parents],
        }


class Index:
    """Answers what the shelf holds."""

    def __init__(self, store: str, history: History, read: Read) -> None:
        self._history = history
        self._read = read
        self._path = os.path.join(store, "capsulestore", "index.sqlite")

    @cached_property
    def _database(self) -> DerivedDatabase:
        # SQLite is loaded by those who ask.
        from capsulestore.store.derived import DerivedDatabase  # noqa: PLC0415

        return DerivedDatabase(self._path, ShelfSource(self._history, self._read))

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        if "_database" in self.__dict__:
            self._database.close()

    def holds(self, tree: Digest) -> bool:
        """Return whether the shelf registers a tree."""
        return bool(self.registrations(tree))

    def registrations(self, tree: Digest) -> list[Registration]:
        """Return the commits that register a tree, earliest first, each of them read: an index may be damaged."""
        sql = "SELECT id FROM commits WHERE tree = ? ORDER BY time, generation, id"
        for _ in range(2):
            names = self._database.ask(_first, sql, tree.raw)
            with suppress(MissingObject, StoreUnreadable):
                found = [Registration(name, self._history.read(name)) for name in names]
                if all(registration.commit.tree == tree for registration in found):
                    return found
            self.make_anew()
        raise StoreUnreadable(f"the index says that {tree} is registered where it is not")

    def is_capsule(self, tree: Digest) -> bool:
        """Return whether the shelf registers a capsule of that digest."""
        return bool(
            self._database.ask(_first, "SELECT digest FROM trees WHERE digest = ? AND kind = 'capsule'", tree.raw)
        )

    def capsules_among(self, trees: Collection[Digest]) -> set[Digest]:
        """Return those of many trees that the shelf registers as capsules."""
        found: set[Digest] = set()
        values = [tree.raw for tree in trees]
        for start in range(0, len(values), _MOST_VALUES):
            some = values[start : start + _MOST_VALUES]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT digest FROM trees WHERE +kind = 'capsule' AND digest IN ({marks})"  # noqa: S608  (marks)
            found.update(self._database.ask(_first, sql, *some))
        return found

    def has_commit(self, name: Digest) -> bool:
        """Return whether a commit is one of the shelf's: main, or what it was made of."""
        return bool(self._places([name]))

    def beyond(self, known: Iterable[Digest]) -> list[Registration]:
        """Return the commits of the shelf that none of the known ones reaches, newest first.

        Those known that are none of the shelf's are passed over. What is read are the commits that are new, and as many
        of the others as it takes to tell them apart, which is one or two: by time and generation no commit comes before
        one that it follows on.
        """
        tip, known = self._history.tip, set(known)
        if tip is None:
            return []
        places = self._places({tip, *known})
        if not known & places.keys():
            # All of them, which takes one question instead of one for each.
            names = self._database.ask(_first, "SELECT id FROM commits ORDER BY time DESC, generation DESC, id")
            return [Registration(name, self._history.read(name)) for name in names]
        waiting = [(place, name) for name, place in places.items()]
        heapq.heapify(waiting)
        reached = known & places.keys()
        new: list[Registration] = []
        seen = set(places)
        while any(name not in reached for _, name in waiting):
            _, name = heapq.heappop(waiting)
            commit = self._history.read(name)
            if name in reached:
                reached.update(commit.parents)
            else:
                new.append(Registration(name, commit))
            unseen = [parent for parent in commit.parents if parent not in seen]
            seen.update(unseen)
            for parent, place in self._places(unseen).items():
                heapq.heappush(waiting, (place, parent))
        return new

    def trees_beyond(self, known: Collection[Digest]) -> dict[Digest, Digest]:
        """Return the trees of the commits that `beyond` returns, as the index has them, newest first."""
        if known:
            return {registration.id: registration.commit.tree for registration in self.beyond(known)}
        return dict(self._database.ask(_pair, "SELECT id, tree FROM commits ORDER BY time DESC, generation DESC, id"))

    def commits_of_environment(self, environment: Digest) -> list[Digest]:
        """Return the commits that register a capsule of an environment."""
        sql = "SELECT c.id FROM trees t JOIN commits c ON c.tree = t.digest WHERE t.environment = ?"
        return self._database.ask(_first, sql, environment.raw)

    def commits_of(self, tree: Digest) -> list[Digest]:
        """Return the commits that register a tree."""
        return self._database.ask(_first, "SELECT id FROM commits WHERE tree = ?", tree.raw)

    def _places(self, names: Iterable[Digest]) -> dict[Digest, tuple[int, int]]:
        """Return where commits of the shelf stand, the newest the least; for those that are its own."""
        sql = "SELECT id, -time, -generation FROM commits WHERE id = ?"
        return dict(row for name in names for row in self._database.ask(_placed, sql, name.raw))

    def make_anew(self) -> None:
        """Forget all: what the index says turned out not to be so."""
        self._database.remove()

    def capsules(self, limit: int | None = None) -> list[Registered]:
        """Return the capsules, newest first, at most `limit`; those that `unreadable` tells of are not among them."""
        return self.page(Wanted(), -1 if limit is None else limit)

    def page(self, wanted: Wanted, limit: int, after: Digest | None = None) -> list[Registered]:
        """Return the capsules that are wanted, newest first, at most `limit`: those after what a commit registered.

        By the place of that commit, whatever was registered since; raise `UnknownName` for one that is none of the
        shelf's.
        """
        conditions = ["t.kind = 'capsule'"]
        values: list[object] = []
        if after is not None:
            place = self._places([after]).get(after)
            if place is None:
                raise UnknownName(f"{after} is no commit of the shelf")
            conditions.append("(t.time, t.generation, t.registration) < (?, ?, ?)")
            values += [-place[0], -place[1], after.raw]
        for condition, of_condition in wanted.conditions():
            conditions.append(condition)
            values += of_condition
        return self._registered(f"WHERE {' AND '.join(conditions)} {_NEWEST_FIRST} LIMIT ?", *values, limit)

    def statements(self, subject: Digest) -> list[Registered]:
        """Return the statements about a capsule, earliest first."""
        return self._registered(f"WHERE t.subject = ? {_EARLIEST_FIRST}", subject.raw)

    def parents(self, capsule: Digest) -> list[Digest]:
        """Return what a registered capsule derives from, in this store or not, in its manifest's order."""
        registered = self.registered(capsule)
        return list(registered.parents) if registered else []

    def children(self, capsule: Digest) -> list[Digest]:
        """Return the registered capsules that derive from one, earliest first; it need not be in this store itself."""
        return [child.digest for child in self.related(capsule, "children")]

    def related(self, capsule: Digest, relation: Relation) -> list[Registered]:
        """Return those of a capsule's relatives that are registered, each once, earliest first."""
        return self._registered(f"WHERE t.digest IN ({_RELATED[relation]}) {_EARLIEST_FIRST}", capsule.raw)

    def beginning_with(self, prefix: str, kind: IndexedKind) -> list[Digest]:
        """Return the capsules, environments or statements whose digests begin with these hex digits, sorted."""
        return self._database.ask(_first, _BEGINNING[kind], *_range(prefix))

    def capsules_beginning_with(self, prefix: str) -> list[Registered]:
        """Return the capsules whose digests begin with these hex digits, sorted by digest."""
        where = "WHERE +t.kind = 'capsule' AND t.digest BETWEEN ? AND ? ORDER BY t.digest"
        return self._registered(where, *_range(prefix))

    def unreadable_beginning_with(self, prefix: str) -> list[Digest]:
        """Return the registered trees whose digests begin with these hex digits, and of which nobody can tell what."""
        return self._database.ask(_first, f"{NOT_LOOKED_AT} AND digest BETWEEN ? AND ?", *_range(prefix))

    def registered(self, tree: Digest) -> Registered | None:
        """Return how a capsule or statement was first registered, None for what is not."""
        return next(iter(self._registered("WHERE t.digest = ?", tree.raw)), None)

    def unreadable(self) -> Iterator[CapsuleError]:
        """Yield what is wrong with each registered tree that cannot be read."""
        for tree in self._database.ask(_first, NOT_LOOKED_AT):
            try:
                self._read(tree)
            except CapsuleError as error:
                yield error

    def _registered(self, which: str, *values: object) -> list[Registered]:
        return self._database.ask(_decoded, f"{_REGISTERED} {which}", *values)


def _placed(row: tuple[bytes, int, int]) -> tuple[Digest, tuple[int, int]]:
    return digest_of(row[0]), (int(row[1]), int(row[2]))


def _pair(row: tuple[bytes, bytes]) -> tuple[Digest, Digest]:
    return digest_of(row[0]), digest_of(row[1])


def _first(row: tuple[bytes]) -> Digest:
    return digest_of(row[0])


def _decoded(row: tuple[bytes, bytes | None, bytes, str, str, int, bytes | None]) -> Registered:
    digest, environment, commit, author, title, time, parents = row
    if not (isinstance(author, str) and isinstance(title, str) and isinstance(time, int)):
        raise TypeError("a column of another type")
    return Registered(
        digest=digest_of(digest),
        environment=None if environment is None else digest_of(environment),
        commit=digest_of(commit),
        author=author,
        title=title,
        time=time,
        parents=digests_of(parents) if parents else (),
    )


def _range(prefix: str) -> tuple[bytes, bytes]:
    return bytes.fromhex(prefix.ljust(64, "0")), bytes.fromhex(prefix.ljust(64, "f"))
