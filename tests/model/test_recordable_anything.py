"""Whatever a value is, and however large, it becomes JSON: the same in every process and every order."""

import enum
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.model import canonical
from capsulestore.model.recordable import MAX_MEMBERS, recordable


class Color(enum.Enum):
    RED = 1


class Point(NamedTuple):
    x: float
    y: object


@dataclass
class Settings:
    alpha: float
    password: object = None


class Scalar:
    """The shape of an array library's number."""

    shape = ()

    def __init__(self, plain: object) -> None:
        self.plain = plain

    def item(self) -> object:
        return self.plain


class Plain:
    pass


class WithItsId:
    def __str__(self) -> str:
        return f"<{id(self):#x} {id(self)}>"


class Broken:
    def __str__(self) -> str:
        raise ValueError("no text")


def test_what_holds_itself_ends():
    itself: list[Any] = [1]
    itself.append(itself)
    settings = Settings(1.0)
    settings.password = settings
    assert recordable(itself) == ([1, "<list of 2>"], ("[1]",))
    assert recordable(settings) == ({"alpha": 1.0, "password": "<Settings of 2>"}, ("password",))


def test_the_limits_hold_whatever_the_shape():
    deep: list[Any] = []
    for _ in range(1000):
        deep = [deep]
    wide = [[[0] * 99 for _ in range(99)] for _ in range(99)]
    for value in (deep, wide, [wide, deep]):
        plain, told = recordable(value)
        assert count(plain) <= MAX_MEMBERS + 1
        assert told
        canonical.dumps(plain)


def count(plain: Any) -> int:
    members = plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else ()
    return 1 + sum(map(count, members))


def test_which_members_are_beyond_the_limit_does_not_depend_on_their_order():
    one = {"a": [0] * 6000, "b": [0] * 6001}
    assert recordable(one) == recordable(dict(reversed(one.items())))


def test_other_processes_write_the_same(tmp_path):
    program = """if True:
        from capsulestore.model.recordable import recordable
        words = {f"word {number}" for number in range(20)}
        long = {"x" * 2000 + word for word in words}
        nested = {frozenset({word, "z", (word, 1)}) for word in words}
        wide = {(word, (word,) * 400) for word in words}
        wider = {(word, (word,) * 800) for word in words}
        print(recordable([words, wide, wider, long, nested, {frozenset(words): 1}, object(), words.__contains__]))
    """
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(printed) == 1
    assert " at 0x" not in printed.pop()


# A text that looks like an address is somebody's own.
TEXTS = st.text(st.characters()).filter(lambda text: " at 0x" not in text)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    TEXTS,
    st.binary(),
    st.dates(),
    st.decimals(),
    st.sampled_from([Plain(), Broken(), WithItsId(), Color.RED, Scalar(1), Scalar(None), len, Plain, range(3)]),
)
HASHABLE = st.one_of(st.none(), st.integers(), TEXTS, st.tuples(TEXTS, st.integers()))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(HASHABLE, inner),
        st.frozensets(HASHABLE),
        st.builds(Point, inner, inner),
        st.builds(Settings, st.floats(), inner),
    ),
    max_leaves=20,
)


@settings(max_examples=50)
@given(VALUES)
def test_any_value_becomes_canonical_json_twice_the_same(value):
    found = recordable(value)
    canonical.dumps(found[0])
    assert recordable(value) == found
    assert " at 0x" not in repr(found)
    assert len(set(found[1])) == len(found[1])


@pytest.mark.slow
@settings(max_examples=50)
@given(st.dictionaries(st.one_of(st.integers(), st.text()), VALUES))
def test_the_order_in_which_members_were_added_does_not_matter(value):
    plain, told = recordable(value)
    assert recordable(dict(reversed(value.items()))) == (plain, told)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@settings(max_examples=50)
@given(JSON)
def test_json_stays_what_it_is(value):
    assert recordable(value) == (value, ())


@settings(max_examples=50)
@given(JSON)
def test_what_became_json_stays_what_it_is(value):
    plain, _ = recordable([value, {1: object()}, {2j}])
    assert recordable(plain) == (plain, ())
