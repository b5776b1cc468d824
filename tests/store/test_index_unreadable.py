"""A registered tree that cannot be read: the others are listed, it is named, and is listed once it is back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from capsulestore.errors import DamagedObject, MissingObject
from capsulestore.model.digest import Digest
from capsulestore.store import Store


@pytest.fixture
def hurt() -> Callable[[Store, Digest, str], Callable[[], None]]:
    """Take an object away, or damage it; what is returned puts it back."""

    def hurt(store: Store, name: Digest, how: str) -> Callable[[], None]:
        path = Path(store.path, "objects", name.hex[:2], name.hex[2:])
        data = path.read_bytes()
        path.unlink()
        if how == "damaged":
            path.write_bytes(data[:-8] + bytes(8))

        def put_back() -> None:
            path.unlink(missing_ok=True)
            path.write_bytes(data)

        return put_back

    return hurt


ERRORS = {"missing": MissingObject, "damaged": DamagedObject}


@pytest.fixture(params=ERRORS)
def how(request) -> str:
    return request.param


def listed(store: Store) -> list[Digest]:
    return [capsule.digest for capsule in store.index.capsules()]


def test_the_others_are_listed_and_it_is_named_until_it_is_back(store, add, hurt, how):
    first, second, third = (add(store, title).capsule for title in ("first", "second", "third"))
    put_back = hurt(store, second, how)
    for _ in range(2):
        with Store(store.path) as found:
            assert listed(found) == [third, first]
            (problem,) = found.index.unreadable()
            assert isinstance(problem, ERRORS[how])
            assert str(second) in problem.message
            assert found.index.beginning_with("", "capsule") == sorted([first, third])
    put_back()
    with Store(store.path) as found:
        assert listed(found) == [third, second, first]
        assert list(found.index.unreadable()) == []


def test_an_open_store_lists_it_once_it_is_back(store, add, hurt, how):
    first = add(store, "first").capsule
    put_back = hurt(store, first, how)
    second = add(store, "second").capsule
    assert listed(store) == [second]
    put_back()
    assert listed(store) == [second, first]


def test_it_is_still_known_to_be_registered(store, add, hurt, how):
    first = add(store, "first").capsule
    hurt(store, first, how)
    with Store(store.path) as found:
        assert found.index.holds(first)
        assert found.index.registered(first).title == "first"


def test_adding_it_again_brings_it_back_and_it_is_listed_once_as_it_was_first(store, add, hurt, how):
    first, second = add(store, "first").capsule, add(store, "second").capsule
    hurt(store, first, how)
    with Store(store.path) as found:
        before = found.index.registered(first)
        assert listed(found) == [second]
        assert add(found, "first").capsule == first
        (found_again,) = found.index.capsules()[1:]
        assert (found_again.digest, found_again.commit) == (first, before.commit)
        assert list(found.index.unreadable()) == []


def test_adding_one_again_whose_tree_is_damaged_registers_nothing(store, add, hurt, registered):
    first, second = add(store, "first").capsule, add(store, "second").capsule
    hurt(store, first, "damaged")
    with Store(store.path) as found:
        assert not add(found, "first").new
    assert registered(store) == [str(second), str(first)]


def test_what_a_capsule_holds_is_not_needed_to_list_it(store, add, hurt):
    digest = add(store, "first").capsule
    environment = store.index.registered(digest).environment
    hurt(store, environment, "missing")
    with Store(store.path) as found:
        assert listed(found) == [digest]
        assert list(found.index.unreadable()) == []


def test_a_commit_that_is_missing_is_an_error_until_it_is_back(store, add, hurt, git):
    first = add(store, "first").capsule
    assert listed(store) == [first]
    second = add(store, "second").capsule
    put_back = hurt(store, Digest(git(store.path, "rev-parse", "main")), "missing")
    with Store(store.path) as found:
        with pytest.raises(MissingObject):
            listed(found)
        put_back()
        assert listed(found) == [second, first]


def test_a_prefix_of_it_tells_what_is_wrong_with_it(store, add, hurt, how):
    first, _ = (add(store, title).capsule for title in ("first", "second"))
    put_back = hurt(store, first, how)
    with Store(store.path) as found, pytest.raises(ERRORS[how]) as caught:
        found.resolve(str(first)[:12])
    assert str(first) in caught.value.message
    put_back()
    with Store(store.path) as found:
        assert found.resolve(str(first)[:12]).digest == first


def test_an_index_that_names_what_is_not_there_is_made_anew(store, add):
    (first,) = [add(store, "first").capsule]
    assert listed(store) == [first]
    with closing(sqlite3.connect(Path(store.path, "capsulestore", "index.sqlite"))) as index:
        other = bytes.fromhex(str(first)[:62] + f"{int(str(first)[62:], 16) ^ 1:02x}")
        index.execute("UPDATE trees SET digest = ?", (other,))
        index.commit()
    with Store(store.path) as found:
        assert found.resolve(str(first)[:12]).digest == first
