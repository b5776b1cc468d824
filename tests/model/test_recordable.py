"""Any value becomes one that a manifest can hold: the same value the same JSON, and what became a text is told."""

import argparse
import collections
import enum
import itertools
import pathlib
import types
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from capsulestore.model import canonical
from capsulestore.model.recordable import MAX_LENGTH, MAX_MEMBERS, MAX_TEXT, recordable


class Color(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 3


class Point(NamedTuple):
    x: float
    y: object


@dataclass
class Settings:
    alpha: float
    password: object = None
    missing: int = field(init=False)


class Scalar:
    """The shape of an array library's number: numpy may not be there, and has it."""

    shape = ()

    def __init__(self, plain: object) -> None:
        self.plain = plain

    def item(self) -> object:
        return self.plain

    def __str__(self) -> str:
        return f"scalar {self.plain}"


class Array(Scalar):
    """The shape of an array."""

    shape = (3,)


class Plain:
    pass


class WithItsId:
    def __str__(self) -> str:
        return f"<{id(self):#x} {id(self)}>"


class Broken:
    def __str__(self) -> str:
        raise ValueError("no text")


class Liar(list):
    """A list that is longer than it says, without end."""

    def __len__(self) -> int:
        return 1

    def __iter__(self):
        return itertools.count()


class HalfBroken(collections.UserDict):
    """A mapping one of whose members cannot be had."""

    def __getitem__(self, key: str) -> object:
        if key == "z":
            raise OSError("closed")
        return object()

    def __str__(self) -> str:
        return "half"


AS_THEY_ARE = {
    "nothing": (None, None),
    "numbers": ([0, -1, 1.5, True, 2**53 - 1, 1e300], [0, -1, 1.5, True, 2**53 - 1, 1e300]),
    "a text": ("größe\n\0", "größe\n\0"),
    "a lone surrogate": ("a\udcff", "a\\udcff"),
    "a long text": ("x" * MAX_LENGTH, "x" * MAX_LENGTH),
    "a tuple": ((1, (2,)), [1, [2]]),
    "a queue": (collections.deque([1, 2]), [1, 2]),
    "a set": ({3, 1, 2}, [1, 2, 3]),
    "a set of sets": ({frozenset({"b", "a"}), frozenset({"c"})}, [["a", "b"], ["c"]]),
    "a set of several kinds": ({"b", 1, None, (2, "a")}, ["b", 1, [2, "a"], None]),
    "keys": ({"a": 1, 2: 3, None: 4, (1, "a"): 5}, {"a": 1, "2": 3, "None": 4, '[1,"a"]': 5}),
    "a mapping": (types.MappingProxyType({"b": 1}), {"b": 1}),
    "a named tuple": (Point(1.0, 2), {"x": 1.0, "y": 2}),
    "a dataclass": (Settings(0.5, "hunter2"), {"alpha": 0.5, "password": "hunter2"}),
    "a namespace": (argparse.Namespace(alpha=1), {"alpha": 1}),
    "a simple namespace": (types.SimpleNamespace(alpha=1), {"alpha": 1}),
    "a path": (pathlib.PurePosixPath("a/b"), "a/b"),
    "a number of an enumeration": (Level.HIGH, 3),
    "a scalar": (Scalar(1.5), 1.5),
}


@pytest.mark.parametrize(("value", "plain"), AS_THEY_ARE.values(), ids=AS_THEY_ARE)
def test_what_json_has_a_form_for_is_taken_as_it_is_and_nothing_is_told(value, plain):
    found, told = recordable(value)
    assert (found, told) == (plain, ())
    assert canonical.dumps(found) == canonical.dumps(plain)


BECOME_TEXTS = {
    "no number": (float("nan"), "nan"),
    "infinity": (float("-inf"), "-inf"),
    "a large integer": (2**53, "9007199254740992"),
    "an integer too large to print": (10**5000, "<int>"),
    "a complex number": (1j, "1j"),
    "bytes": (b"ab\xff", "b'ab\\xff'"),
    "a range": (range(3), "range(0, 3)"),
    "a member of an enumeration": (Color.RED, "Color.RED"),
    "a text with its id": (WithItsId(), "<0x >"),
    "an object without a text": (Broken(), "<Broken>"),
    "a function": (lambda: 1, "<function <lambda>>"),
    "a class": (pathlib.Path, "<class 'pathlib.Path'>"),
    "an array": (Array([1, 2]), "<Array of shape (3,)>"),
    "a scalar of no number": (Scalar(object), "scalar <class 'object'>"),
    "a scalar beyond JSON": (Scalar(float("nan")), "scalar nan"),
    "members that cannot be had": (HalfBroken(a=1, z=2), "half"),
    "a text that is too long": ("x" * (MAX_LENGTH + 1), "x" * (MAX_TEXT - 1) + "…"),
    "bytes that are too long": (b"x" * 10**6, "b'" + "x" * (MAX_TEXT - 3) + "…"),
    "too many members": ([0] * (MAX_MEMBERS + 1), f"<list of {MAX_MEMBERS + 1}>"),
    "a set with too many members": ({tuple(range(6000)), tuple(range(6001))}, "<set of 2>"),
}


@pytest.mark.parametrize(("value", "text"), BECOME_TEXTS.values(), ids=BECOME_TEXTS)
def test_anything_else_becomes_a_text_and_is_told(value, text):
    found, told = recordable(value)
    assert (found, told) == (text, ("",))


def test_of_an_object_its_class_is_told_and_no_address():
    assert recordable(Plain()) == (f"<{Plain.__module__}.Plain object>", ("",))


def test_a_list_that_never_ends_becomes_a_text_too():
    found, told = recordable({"a": Liar()})
    assert told == ("a",)
    assert found["a"] == "[]"


def test_places_are_told_exactly():
    value = {"grid": {"x": [1, 1j, {"y": float("nan")}]}, "b": Settings(float("inf")), "set": {1, 2j}, "fine": 1}
    found, told = recordable(value)
    assert sorted(told) == ["b/alpha", "grid/x[1]", "grid/x[2]/y", "set[0]"]
    assert found["set"] == ["2j", 1]


def test_keys_with_one_text_are_both_kept_and_told():
    assert recordable({1: "a", "1": "b"}) == ({"1": "b", "1 2": "a"}, ("1 2",))
    assert recordable({"1": "b", 1: "a"}) == ({"1": "b", "1 2": "a"}, ("1 2",))
