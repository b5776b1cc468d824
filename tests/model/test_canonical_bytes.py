"""Canonical JSON is RFC 8785, byte for byte, whichever of the two writers is taken."""

import struct

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.model.canonical import MAX_INTEGER, dumps, loads

# Where the two orders of keys part, where JSON escapes, and where integers and doubles change their form.
CHARACTERS = st.sampled_from('\0\b\t\n\f\r\x1f"\\/\x7f\x80é€\u2028\ud7ff\ue000\ufb33\uffff\U00010000😀\U0010ffff')
TEXTS = st.text(CHARACTERS | st.characters(exclude_categories=["Cs"]), max_size=6)
INTEGERS = st.integers(-MAX_INTEGER, MAX_INTEGER) | st.sampled_from([-MAX_INTEGER, MAX_INTEGER, 0, -1])
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [0.0, -0.0, 1.0, 2.0**53, -(2.0**53), 2.0**63, 2.0**64, 1e15, 1e16, 1e20, 1e21, 1e-6, 1e-7, 5e-324, 123456789.5]
)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=50)
@given(VALUES)
def test_every_value_has_the_bytes_that_the_reference_writer_gives_it(value):
    assert dumps(value) == rfc8785.dumps(value)


@settings(max_examples=50)
@given(VALUES)
def test_what_is_read_back_is_written_as_the_same_bytes(value):
    data = dumps(value)
    assert dumps(loads(data)) == data


@given(st.dictionaries(TEXTS, INTEGERS, min_size=2, max_size=8))
def test_keys_are_in_the_order_of_their_utf_16_code_units(value):
    assert list(loads(dumps(value))) == sorted(value, key=lambda key: key.encode("utf-16-be"))


@given(st.dictionaries(TEXTS, INTEGERS, max_size=8), st.randoms())
def test_the_order_in_which_a_mapping_was_made_does_not_matter(value, random):
    members = list(value.items())
    random.shuffle(members)
    assert dumps(dict(members)) == dumps(value)


def test_the_example_of_the_rfc_has_its_bytes():
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert dumps(value) == expected.encode()


def test_the_keys_of_the_rfc_sort_as_it_says():
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    assert list(loads(dumps(dict.fromkeys(keys)))) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


NUMBERS_OF_APPENDIX_B = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "text"), NUMBERS_OF_APPENDIX_B.items())
def test_a_double_is_printed_as_appendix_b_of_the_rfc_prints_it(bits, text):
    assert dumps(struct.unpack(">d", bytes.fromhex(bits))[0]) == text.encode()


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"9007199254740991", 9007199254740991),
        (b"-9007199254740991", -9007199254740991),
        (b"9007199254740992", 9007199254740992.0),
        (b"-9007199254740992", -9007199254740992.0),
        (b"100000000000000000000", 1e20),
        (b"18446744073709552000", 2.0**64),
        (b'{"a":[100000000000000000000,1]}', {"a": [1e20, 1]}),
        (b"1e+21", 1e21),
        (b'"100000000000000000000"', "100000000000000000000"),
    ],
)
def test_a_number_without_fraction_beyond_the_exact_integers_reads_back_as_a_double(data, value):
    read = loads(data)
    assert repr(read) == repr(value)
    assert dumps(read) == data


def test_no_newline_is_added():
    assert dumps({"a": 1}) == b'{"a":1}'
