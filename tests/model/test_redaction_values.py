"""I7: no secret enters a store. What is redacted stays so, whatever it is, and large texts are looked through too."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.model.canonical import MAX_DEPTH
from capsulestore.model.redaction import redact_arguments, redact_text, redact_value

SECRET = "Xy7Q2mWvR4tB9kLzP3sD"
PIECES = [
    *"abS7 \n\t=:;,.-_/@?#&%+~|<>(){}[]\"'\\`$é\ud800",
    *[
        "password",
        "token",
        "api key",
        "Authorization",
        "--",
        " -u ",
        "https://",
        "http:/",
        "python -u ",
        "://",
        "git@",
        "redacted",
        "sk-",
        "eyJ",
    ],
    *["Bearer ", "Basic ", "ghp_", "mysql", " -p", '\\"', "null", "-----BEGIN PRIVATE KEY-----", "login", "set"],
]
texts = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
values_of_secrets = st.text(
    st.characters(codec="ascii", categories=["L", "N", "P", "S"], exclude_characters="\"'`\\"), min_size=6, max_size=30
).map(lambda noise: f"{SECRET}{noise}{SECRET}")


@settings(max_examples=50)
@given(texts)
def test_a_text_is_redacted_once(text):
    clean, redacted = redact_text(text)
    assert redacted == (clean != text)
    assert redact_text(clean) == (clean, False)


@settings(max_examples=50)
@given(st.lists(texts, max_size=5))
def test_a_command_line_is_redacted_once(arguments):
    clean, redacted = redact_arguments(arguments)
    assert len(clean) == len(arguments)
    assert redacted == (clean != arguments)
    assert redact_arguments(clean) == (clean, False)


@settings(max_examples=50)
@given(values)
def test_a_value_is_redacted_once(value):
    clean, _ = redact_value(value)
    assert redact_value(clean)[1] is False


FORMS = [
    "password={}",
    "run --token {} x",
    "see https://ann:{}@example.org/x",
    "https://example.org/x?sig={} x",
    "pwd: {}",
]


@given(values_of_secrets, texts, st.sampled_from(FORMS))
def test_i7_no_character_makes_a_text_keep_a_secret(secret, before, form):
    if "https" in form and set("/?#[]@<>") & set(secret):
        # These end the url, or the place of the password in it (RFC 3986).
        secret = SECRET
    assert SECRET not in redact_text(f"{before}\n{form.format(secret)}")[0]


@given(values_of_secrets, st.sampled_from(["--password", "--api-key", "-token"]))
def test_i7_no_character_makes_a_command_line_keep_a_secret(secret, option):
    for words in (
        [option, secret],
        [f"{option}={secret}"],
        ["env", f"TOKEN={secret}", "fit"],
        ["mysql", f"-p{secret}"],
    ):
        assert SECRET not in " ".join(redact_arguments(words)[0])


def test_i7_a_member_whose_key_names_a_secret_loses_its_value_of_any_type():
    given = {"password": SECRET, "token": 5, "auth": [SECRET], "db": {"secret": {"x": SECRET}}, "sig": 0.05}
    clean = {"password": "redacted", "token": "redacted", "auth": "redacted", "db": {"secret": "redacted"}, "sig": 0.05}
    assert redact_value(given) == (clean, True)
    assert redact_value({"password": None, "token": True}) == ({"password": None, "token": True}, False)


def test_i7_keys_texts_and_command_lines_in_a_value_lose_their_secrets():
    given = {
        f"https://a:{SECRET}@h/x": 1,
        "https://h/x": 2,
        "argv": ["fit", "--token", SECRET],
        "n": [f"pwd={SECRET}", 1],
    }
    clean, redacted = redact_value(given)
    assert redacted
    assert SECRET not in json.dumps(clean)
    assert (len(clean), clean["https://h/x"], clean["argv"]) == (4, 2, ["fit", "--token", "redacted"])


def test_what_json_cannot_hold_is_left_to_be_refused():
    deep: object = SECRET
    for _ in range(2 * MAX_DEPTH):
        deep = [deep, 1]
    for value in (deep, (SECRET,), b"x", {1: "a"}, {"a": float("inf")}):
        assert redact_value(value) == (value, False)


LARGE = [
    *[
        "a",
        "a-",
        "a=",
        "a:",
        "a@",
        "@v1",
        "'\"",
        "\\'",
        "{",
        '{"a":',
        "api ",
        "://",
        "http://a:",
        "x://u:'",
        "u:p@h.org,",
    ],
    *["-u a:", "password='", "token: (\n", "--token x ", "eyJ-", "SG.aaaaaaaaaaaaaaaaa.", '\\"token\\": \\"'],
]


@pytest.mark.slow
@pytest.mark.parametrize("unit", LARGE)
def test_a_hundred_thousand_characters_are_looked_through(unit):
    text = unit * (100_000 // len(unit)) + f"\n password={SECRET}"
    assert SECRET not in redact_arguments(["fit", text])[0][1]
