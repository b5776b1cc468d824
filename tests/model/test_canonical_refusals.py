"""What canonical JSON has no place for is refused, with the path of the part in question."""

from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsulestore.errors import InvalidValue
from capsulestore.model.canonical import MAX_DEPTH, MAX_INTEGER, dumps, loads


class Text(str):
    __slots__ = ()


class Color(StrEnum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


NOT_JSON = {
    "NaN": (float("nan"), "nan is no JSON number"),
    "infinity": (float("inf"), "inf is no JSON number"),
    "minus infinity": (float("-inf"), "-inf is no JSON number"),
    "an integer that a double cannot tell from its neighbour": (2**53, "9007199254740992 is beyond ±(2^53-1)"),
    "its negative": (-(2**53), "-9007199254740992 is beyond ±(2^53-1)"),
    "an integer of more than 64 bits": (2**64, "18446744073709551616 is beyond"),
    "a high surrogate alone": ("a\ud800", "holds a lone surrogate"),
    "a low surrogate alone": ("\udc00", "holds a lone surrogate"),
    "a surrogate pair that was never joined": ("\ud83d\ude00", "holds a lone surrogate"),
    "a lone surrogate in a key": ({"\udfff": 1}, "the key '\\udfff' holds a lone surrogate"),
    "an integer as a key": ({1: 2}, "the key 1 is no string"),
    "None as a key": ({None: 2}, "the key None is no string"),
    "bytes as a key": ({b"a": 2}, "the key b'a' is no string"),
    "a subclass of str as a key": ({Text("a"): 2}, "is no string"),
    "a tuple": ((1, 2), "`tuple` is no JSON type"),
    "bytes": (b"a", "`bytes` is no JSON type"),
    "a set": ({1}, "`set` is no JSON type"),
    "a decimal": (Decimal(1), "`Decimal` is no JSON type"),
    "a subclass of str": (Text("a"), "`Text` is no JSON type"),
    "an enumeration of texts": (Color.RED, "`Color` is no JSON type"),
    "an enumeration of numbers": (Level.LOW, "`Level` is no JSON type"),
    "a mapping that is no dict": (MappingProxyType({}), "`mappingproxy` is no JSON type"),
    "an object": (object(), "`object` is no JSON type"),
}


@pytest.mark.parametrize(("value", "reason"), NOT_JSON.values(), ids=NOT_JSON)
def test_what_json_lacks_is_refused(value, reason):
    with pytest.raises(InvalidValue) as caught:
        dumps(value)
    assert caught.value.path == ()
    assert reason in caught.value.message


@pytest.mark.parametrize(("value", "reason"), NOT_JSON.values(), ids=NOT_JSON)
def test_the_error_has_the_exact_path_of_what_is_refused(value, reason):
    with pytest.raises(InvalidValue) as caught:
        dumps({"fine": [1.5, {}], "a": [0, {"b c": [[], value]}]})
    assert caught.value.path == ("a", 1, "b c", 1)
    assert caught.value.message.startswith("a[1]/b c[1]: ")
    assert reason in caught.value.message


@pytest.mark.parametrize("number", [MAX_INTEGER, -MAX_INTEGER])
def test_the_last_exact_integer_is_taken(number):
    assert dumps(number) == str(number).encode()


def nested(depth: int, innermost: object = None) -> object:
    value = innermost
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    return value


@pytest.mark.parametrize("innermost", [None, 0.5], ids=["without a float", "with a float"])
def test_a_value_as_deep_as_is_allowed_is_written_and_read(innermost):
    value = nested(MAX_DEPTH, innermost)
    assert loads(dumps(value)) == value


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 400, 20_000])
def test_a_value_that_is_too_deep_is_refused_at_the_level_where_it_is(depth):
    with pytest.raises(InvalidValue, match="more than 128 levels deep") as caught:
        dumps(nested(depth))
    assert len(caught.value.path) == MAX_DEPTH


NOT_CANONICAL = {
    "nothing": b"",
    "a space": b'{"a": 1}',
    "a newline at the end": b"1\n",
    "a space before": b" 1",
    "a byte order mark": b"\xef\xbb\xbf1",
    "keys out of order": b'{"b":1,"a":2}',
    "keys in the order of code points, not of UTF-16": '{"\ue000":1,"\U00010000":2}'.encode(),
    "a key twice": b'{"a":1,"a":1}',
    "a fraction of zero": b"1.0",
    "an exponent that is not needed": b"1e3",
    "a large E": b"1E+21",
    "an exponent without its sign": b"1e21",
    "a negative zero": b"-0",
    "a plus sign": b"+1",
    "a leading zero": b"01",
    "a number that a double cannot hold exactly": b"9007199254740993",
    "the same with a fraction": b"0.1000000000000000055511151231257827",
    "a number too large for a double": b"1e400",
    "hundreds of digits": b"9" * 400,
    "thousands of digits": b"9" * 5000,
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "an escape that is not needed": b'"\\u0041"',
    "an escaped slash": b'"\\/"',
    "an escape in upper-case hex": b'"\\u001F"',
    "an escape that has a short form": b'"\\u000a"',
    "an escaped surrogate pair": b'"\\ud83d\\ude00"',
    "an escaped lone surrogate": b'"\\ud800"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "bytes that are no UTF-8": b'"\xff"',
    "a control character as it is": b'"\x01"',
    "two values": b"1 2",
    "a comma at the end": b"[1,]",
    "a comment": b"1//",
    "single quotes": b"'a'",
    "half a list": b"[1",
}


@pytest.mark.parametrize("data", NOT_CANONICAL.values(), ids=NOT_CANONICAL)
def test_bytes_that_are_not_their_own_canonical_form_are_refused(data):
    with pytest.raises(InvalidValue):
        loads(data)


@pytest.mark.parametrize("inside", [b"", b"100000000000000000000"], ids=["empty", "around a large number"])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 400, 700, 1000, 100_000])
def test_bytes_of_a_list_that_is_too_deep_are_refused(depth, inside):
    with pytest.raises(InvalidValue):
        loads(b"[" * depth + inside + b"]" * depth)


@given(st.binary(max_size=12) | st.text('{}[]",:0123456789.eE+-\\/u truefalsn\n', max_size=12).map(str.encode))
def test_whatever_bytes_are_read_either_are_canonical_or_are_refused(data):
    try:
        value = loads(data)
    except InvalidValue:
        return
    assert dumps(value) == data
