"""Keys as names in a tree: what is escaped, what is refused, and that nothing is lost or confused."""

import re
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from capsulestore.errors import InvalidValue
from capsulestore.model.names import (
    MAX_NAME_BYTES,
    escape,
    fits,
    from_blob_name,
    from_file_name,
    from_tree_name,
    to_blob_name,
    to_file_name,
    to_tree_name,
)

KEYS = st.text(
    st.sampled_from("aZ09_-+@.~%/\\: \t\n\0ée\u0301日😀json") | st.characters(exclude_categories=["Cs"]),
    min_size=1,
    max_size=12,
) | st.sampled_from(["a.json", ".json", "json", ".", "..", ".git", ".GIT", "git~1", "%41", "%2E", "a%2Ejson", "CON"])

RULES = {
    "letters, digits and _ - + @ . stay": ("AZaz09_-+@.x", "AZaz09_-+@.x"),
    "a slash is escaped": ("a/b", "a%2Fb"),
    "a backslash is escaped": ("a\\b", "a%5Cb"),
    "a space is escaped": ("x y", "x%20y"),
    "a percent sign is escaped": ("%", "%25"),
    "what looks like an escape is escaped": ("%41", "%2541"),
    "a tilde is escaped": ("git~1", "git%7E1"),
    "a colon is escaped, in upper-case hex": ("a:b", "a%3Ab"),
    "a nul is escaped": ("nul\0", "nul%00"),
    "a tab is escaped": ("tab\t", "tab%09"),
    "a newline at the end is escaped": ("a\n", "a%0A"),
    "delete is escaped": ("\x7f", "%7F"),
    "every byte of a character's UTF-8 is escaped": ("é", "%C3%A9"),
    "a decomposed character stays decomposed": ("e\u0301", "e%CC%81"),
    "a character of three bytes is three escapes": ("日", "%E6%97%A5"),
    "a character of four bytes is four escapes": ("😀", "%F0%9F%98%80"),
    "a dot in first place is escaped": (".git", "%2Egit"),
    "only the first of two dots is": ("..", "%2E."),
    "a single dot is": (".", "%2E"),
    "a dot further on stays": ("a..b.", "a..b."),
    "case stays": ("Foo", "Foo"),
}


@pytest.mark.parametrize(("key", "name"), RULES.values(), ids=RULES)
def test_a_key_is_escaped_by_the_rules(key, name):
    assert escape(key) == name
    assert to_tree_name(key) == name
    assert to_blob_name(key) == f"{name}.json"
    assert to_file_name(key) == name


@pytest.mark.parametrize(
    ("key", "tree", "blob", "file"),
    [
        ("a.json", "a%2Ejson", "a.json.json", "a.json"),
        (".json", "%2Ejson", "%2Ejson.json", "%2Ejson"),
        ("a.json.json", "a.json%2Ejson", "a.json.json.json", "a.json.json"),
        ("a.JSON", "a.JSON", "a.JSON.json", "a.JSON"),
        ("a%2Ejson", "a%252Ejson", "a%252Ejson.json", "a%252Ejson"),
        ("json", "json", "json.json", "json"),
    ],
)
def test_only_the_name_of_a_tree_has_the_dot_of_its_json_ending_escaped(key, tree, blob, file):
    assert (to_tree_name(key), to_blob_name(key), to_file_name(key)) == (tree, blob, file)


@given(KEYS)
def test_the_escape_is_the_percent_encoding_of_the_library_but_for_the_tilde_and_a_first_dot(key):
    expected = quote(key, safe="+@").replace("~", "%7E")
    assert escape(key) == (f"%2E{expected[1:]}" if expected.startswith(".") else expected)


@given(KEYS)
def test_every_key_reads_back_from_its_names(key):
    assert from_tree_name(to_tree_name(key)) == key
    assert from_blob_name(to_blob_name(key)) == key
    assert from_file_name(to_file_name(key)) == key


@given(KEYS, KEYS)
@example("a.json", "a")
@example("a.json", "a%2Ejson")
@example("\u00e9", "e\u0301")
def test_two_keys_never_have_one_name(one, other):
    trees, blobs = {to_tree_name(one), to_tree_name(other)}, {to_blob_name(one), to_blob_name(other)}
    assert len(trees) == len(blobs) == len({one, other})
    assert not trees & blobs


@given(KEYS)
def test_a_name_is_safe_on_every_file_system_and_never_git_s_own(key):
    for name in (to_tree_name(key), to_blob_name(key), to_file_name(key)):
        assert re.fullmatch(r"[A-Za-z0-9_\-+@.%]+", name)
        assert not name.startswith(".")
        assert not name.lower().startswith((".git", "git~"))
    assert not to_tree_name(key).endswith(".json")
    assert to_blob_name(key).endswith(".json")


@given(KEYS)
def test_a_key_that_has_names_fits(key):
    assert fits(key)


@given(st.text(st.sampled_from("a.%2E5json/AF0é\udcff"), max_size=10) | KEYS)
@example("%FF")
@example("a%2ejson")
@example("%C3")
def test_a_name_that_is_not_as_it_would_be_written_is_refused(name):
    for read, write in (
        (from_tree_name, to_tree_name),
        (from_blob_name, to_blob_name),
        (from_file_name, to_file_name),
    ):
        try:
            key = read(name)
        except InvalidValue:
            continue
        assert write(key) == name


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (from_tree_name, "%41"),
        (from_tree_name, "a%2fb"),
        (from_tree_name, "a.json"),
        (from_tree_name, ".git"),
        (from_tree_name, "a b"),
        (from_tree_name, "é"),
        (from_tree_name, "%"),
        (from_tree_name, "%4"),
        (from_tree_name, "%FF"),
        (from_tree_name, "%ED%A0%80"),
        (from_tree_name, "\udcff"),
        (from_blob_name, "a"),
        (from_blob_name, ".json"),
        (from_blob_name, "%41.json"),
        (from_blob_name, "a%2Ejson"),
        (from_blob_name, ".git.json"),
        (from_file_name, ".hidden"),
        (from_file_name, "a%2fb"),
    ],
)
def test_these_names_are_refused(read, name):
    with pytest.raises(InvalidValue):
        read(name)


@pytest.mark.parametrize("write", [to_tree_name, to_blob_name, to_file_name])
def test_an_empty_key_is_refused(write):
    with pytest.raises(InvalidValue, match="an empty key"):
        write("")
    assert not fits("")


@pytest.mark.parametrize("write", [to_tree_name, to_blob_name, to_file_name])
@pytest.mark.parametrize("key", ["\ud800", "a\udfff", "\ud83d\ude00"])
def test_a_lone_surrogate_is_refused(write, key):
    with pytest.raises(InvalidValue, match="lone surrogate"):
        write(key)
    assert not fits(key)


@pytest.mark.parametrize(
    ("write", "longest"),
    [
        (to_tree_name, "a" * 250),
        (to_tree_name, "é" * 41 + "a" * 4),
        (to_tree_name, "a" * 243 + ".json"),
        (to_blob_name, "a" * 245),
        (to_blob_name, "." + "a" * 242),
        (to_file_name, "a" * 250),
    ],
)
def test_a_name_of_250_bytes_is_taken_and_one_of_251_is_refused(write, longest):
    assert len(write(longest)) == MAX_NAME_BYTES
    with pytest.raises(InvalidValue, match="has 251 bytes; 250 is the most"):
        write(f"a{longest}" if longest[0] != "." else f"{longest}a")


def test_a_key_fits_where_the_name_of_its_value_does():
    assert fits("a" * 245)
    assert not fits("a" * 246)
