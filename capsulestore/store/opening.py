"""The store that a caller means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from capsulestore.errors import UsageError
from capsulestore.store.repository import Store

__all__ = ["Place", "opened"]

Place = Store | str | os.PathLike[str] | None
"""A store, the path of one or of the directory that holds it, or None for the one that the commands would find."""


@contextmanager
def opened(place: Place) -> Iterator[Store]:
    """Give the store at a place; one that was not open before lets go of its files at the end of the block.

    Raise what `Store` and `Store.discover` raise, and `UsageError` for what is no place.
    """
    if isinstance(place, Store):
        yield place
        return
    with Store.discover() if place is None else Store(_path(place)) as store:
        yield store


def _path(place: str | os.PathLike[str]) -> str:
    try:
        return os.fsdecode(place)
    except TypeError:
        raise UsageError(f"a store is named by its path, which `{place!r}` is not") from None
