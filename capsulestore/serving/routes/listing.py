"""`GET /api/capsules`."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Final, NamedTuple

from fastapi import FastAPI, Query
from starlette.responses import Response

from capsulestore.errors import DamagedObject, MissingObject, StoreUnreadable, UnknownName, UsageError
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.serving.routes import answers
from capsulestore.serving.routes.cursors import Cursors, bad_cursor
from capsulestore.serving.routes.documented import answered
from capsulestore.serving.routes.examples import CAPSULES
from capsulestore.serving.routes.filters import Filters, LabelQuery, Looker
from capsulestore.serving.routes.package_query import PackageQuery
from capsulestore.serving.routes.queries import Listing
from capsulestore.serving.routes.replies import json_reply
from capsulestore.serving.routes.times import seconds_of
from capsulestore.serving.served import Served
from capsulestore.store import Store
from capsulestore.store.index import Registered
from capsulestore.store.wanted import Wanted

__all__ = ["add_listing"]

_AT_ONCE: Final = 200
"""How many rows of the index are taken at once where each capsule is looked into."""
_MOST_UNREADABLE: Final = 100
_FULL: Final = re.compile("[0-9a-f]{64}")


def add_listing(app: FastAPI, served: Served) -> None:
    """Add the route that lists and finds capsules."""
    looker = Looker()

    @app.get(
        "/api/capsules",
        **answered(answers.CapsuleList, "The capsules, newest first", CAPSULES, 404, 409, 422),
    )
    async def capsules(asked: Annotated[Listing, Query()]) -> Response:
        return await served.threads.read(partial(_page, served, looker, asked))


class _Found(NamedTuple):
    """A part of a list: its capsules, what of it cannot be read, and where it ended, None where that is the end."""

    capsules: list[Registered]
    unreadable: list[Digest]
    last: Digest | None


def _page(served: Served, looker: Looker, asked: Listing) -> Response:
    limit = served.limits.page_default if asked.limit is None else asked.limit
    if limit > served.limits.page_most:
        raise UsageError(f"`limit` is {served.limits.page_most} at most", hint="`next` leads to the next page")
    filters = Filters(tuple(map(PackageQuery.parse, asked.package)), tuple(map(LabelQuery.parse, asked.label)))
    since, until = seconds_of("since", asked.since), seconds_of("until", asked.until)
    cursors = Cursors([asked.package, asked.title, asked.label, asked.environment, asked.since, asked.until])
    after = cursors.read(asked.cursor) if asked.cursor else None
    with served.stores.lent() as store:
        if after is not None and not store.index.has_commit(after):
            raise bad_cursor()
        wanted = Wanted(asked.title, _environment(store, asked.environment), since, until)
        if any(filters):
            found = _looked_into(store, looker, wanted, filters, limit, after, served.limits.looked_at_most)
        else:
            found = _from_index(store, wanted, limit, after)
        unreadable = [*store.index.unreadable_beginning_with("")[:_MOST_UNREADABLE], *found.unreadable]
        if unreadable:
            # What is open of it now may be mended.
            store.close()
    answer: dict[str, Json] = {
        "capsules": [capsule.as_dict() for capsule in found.capsules],
        "next": None if found.last is None else cursors.after(found.last),
        "unreadable": [str(digest) for digest in unreadable],
    }
    return json_reply(answer, keep="private, no-cache")


def _environment(store: Store, name: str) -> Digest | None:
    """Return the environment that a name stands for, None for no name: that of a digest need not be here."""
    if not name:
        return None
    if _FULL.fullmatch(name):
        registered = store.index.registered(Digest(name))
        return (registered and registered.environment) or Digest(name)
    named = store.resolve(name)
    if named.kind == "capsule":
        return store.capsule(named.digest).environment
    if named.kind != "environment":
        raise UnknownName(f"`{name}` is neither an environment nor a capsule")
    return named.digest


def _from_index(store: Store, wanted: Wanted, limit: int, after: Digest | None) -> _Found:
    # One more, to know whether there is one.
    capsules = store.index.page(wanted, limit + 1, after)
    return _Found(capsules[:limit], [], capsules[limit - 1].commit if len(capsules) > limit else None)


def _looked_into(  # noqa: PLR0913, PLR0917  (each bounds what is looked for)
    store: Store,
    looker: Looker,
    wanted: Wanted,
    filters: Filters,
    limit: int,
    after: Digest | None,
    most: int,
) -> _Found:
    """Return those that fit, `limit` at most, among as many as are looked into at most."""
    capsules: list[Registered] = []
    unreadable: list[Digest] = []
    left = most
    while left:
        rows = store.index.page(wanted, min(left, _AT_ONCE), after)
        for row in rows:
            after = row.commit
            try:
                if looker.fits(store, row, filters):
                    capsules.append(row)
            except (DamagedObject, MissingObject, StoreUnreadable):
                unreadable.append(row.digest)
            if len(capsules) == limit:
                return _Found(capsules, unreadable, after)
        if len(rows) < min(left, _AT_ONCE):
            return _Found(capsules, unreadable, None)
        left -= len(rows)
    return _Found(capsules, unreadable, after)
