"""Reading records: as clients write them, damaged, and hostile."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.capture.conda.record import CondaFile, CondaRecord, parse_record

DIGEST = "a" * 64
NO_LIST = "that are no list, or more than 500000"
PLAIN = {"name": "alpha", "version": "1.0", "build": "h1_0"}


def parse(document):
    return parse_record(json.dumps(document).encode())


def with_path(**members):
    return {**PLAIN, "paths_data": {"paths_version": 1, "paths": [{"_path": "a", **members}]}}


def test_a_record_is_what_the_client_wrote():
    document = {
        **PLAIN,
        "subdir": "linux-64",
        "channel": "main",
        "url": "https://example.org/alpha",
        "sha256": DIGEST,
        "md5": "b" * 32,
        "noarch": "python",
        "paths_data": {
            "paths": [
                {"_path": "bin/a", "path_type": "hardlink", "sha256": DIGEST, "prefix_placeholder": "/p"},
                {"_path": "b", "path_type": "softlink", "size_in_bytes": 3, "sha256_in_prefix": DIGEST},
                {"_path": "__clobbers__/c", "original_path": "c", "no_link": True, "sha256": "", "file_mode": "text"},
            ],
        },
    }
    files = (
        CondaFile("bin/a", "hardlink", DIGEST, None, True, None),
        CondaFile("b", "softlink", None, DIGEST, False, 3),
        CondaFile("__clobbers__/c", "hardlink", None, None, False, None, "c"),
    )
    head = ("alpha", "1.0", "h1_0", "linux-64", "main", "https://example.org/alpha", DIGEST, "b" * 32, "python")
    assert parse(document) == CondaRecord(*head, files)


def test_a_record_that_says_little_is_one():
    assert parse(PLAIN) == CondaRecord("alpha", "1.0", "h1_0", "", "", "", "", "", "", ())
    assert parse({**PLAIN, "url": None, "md5": "", "paths_data": None, "noarch": None, "files": None}) == parse(PLAIN)


def test_a_record_of_an_old_client_names_its_files_alone():
    assert parse({**PLAIN, "files": ["a", "b"], "noarch": True}) == CondaRecord(
        *("alpha", "1.0", "h1_0", "", "", "", "", "", "generic"),
        tuple(CondaFile(path, "hardlink", None, None, False, None) for path in "ab"),
    )


DAMAGED = {
    "nothing": (b"", "is not JSON"),
    "no JSON": (b"name: alpha", "is not JSON"),
    "not UTF-8": (json.dumps(PLAIN).encode("utf-16"), "is not JSON"),
    "a byte that is not UTF-8": (b'{"name": "\xff"}', "is not JSON"),
    "a lone surrogate": (b'{"name": "\\ud800"}', "is not JSON"),
    "nested deeper than can be read": (b"[" * 100_000, "is not JSON"),
    "a number that is none": (b'{"name": NaN}', "is not JSON"),
    "too large": (b" " * (32 * 2**20 + 1), "has more than 33554432 bytes"),
    "a list": (b"[]", "is not an object"),
    "an empty object": (b"{}", "has no `name`"),
    "an empty name": ({**PLAIN, "name": ""}, "has no `name`"),
    "a number for a name": ({**PLAIN, "name": 1}, "has a `name` that is none"),
    "a path for a name": ({**PLAIN, "name": "../alpha"}, "has a `name` that is none"),
    "a name with a line break at its end": ({**PLAIN, "name": "alpha\n"}, "has a `name` that is none"),
    "a name of a thousand characters": ({**PLAIN, "name": "a" * 1000}, "has a `name` that is none"),
    "no version": ({"name": "alpha", "build": "0"}, "has no `version`"),
    "a list for a version": ({**PLAIN, "version": []}, "has a `version` that is none"),
    "no build": ({"name": "alpha", "version": "0"}, "has no `build`"),
    "a number for a url": ({**PLAIN, "url": 1}, "has a `url` that is none"),
    "a url of many thousand characters": ({**PLAIN, "url": "a" * 5000}, "has a `url` that is none"),
    "a digest that is none": ({**PLAIN, "sha256": "a" * 63}, "has a `sha256` that is none"),
    "a noarch that is none": ({**PLAIN, "noarch": "ruby"}, "has a `noarch` that is none"),
    "a list for a noarch": ({**PLAIN, "noarch": []}, "has a `noarch` that is none"),
    "a list for paths_data": ({**PLAIN, "paths_data": []}, "has a `paths_data` that is none"),
    "a text for a path": ({**PLAIN, "paths_data": {"paths": ["a"]}}, "has a `paths_data` that is none"),
    "an object for paths": ({**PLAIN, "paths_data": {"paths": {"a": 1}}}, f"has `paths` {NO_LIST}"),
    "a text for files": ({**PLAIN, "files": "abc"}, f"has `files` {NO_LIST}"),
    "a file that is no text": ({**PLAIN, "files": [1]}, "has a `_path` that is none"),
    "too many files": ({**PLAIN, "files": ["a"] * 500_001}, f"has `files` {NO_LIST}"),
    "no path": (with_path(_path=None), "has a `_path` that is none"),
    "a hash that is none": (with_path(sha256="A" * 64), "has a `sha256` that is none"),
    "a number for a hash": (with_path(sha256_in_prefix=1), "has a `sha256_in_prefix` that is none"),
    "a number for a type": (with_path(path_type=1), "has a `path_type` that is none"),
    "a size below nothing": (with_path(size_in_bytes=-1), "has a `size_in_bytes` that is none"),
    "true for a size": (with_path(size_in_bytes=True), "has a `size_in_bytes` that is none"),
    "a size beyond what JSON holds": (with_path(size_in_bytes=2**53), "has a `size_in_bytes` that is none"),
    "an original path outside": (with_path(original_path="../a"), "has a path that is none below the prefix"),
}  # fmt: skip


@pytest.mark.parametrize(("document", "told"), DAMAGED.values(), ids=DAMAGED.keys())
def test_what_is_no_record_is_told_in_words(document, told):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        parse_record(data)


@pytest.mark.parametrize("path", ["", "/a", "..", "../a", "a/..", "a/../b", "a/../../b", "a\0b", "a\nb", "\na", "a\n"])
def test_a_path_that_is_none_below_the_prefix_is_refused(path):
    for paths in ([path], ["a", path], [path, "a"]):
        with pytest.raises(ValueError, match="none below the prefix"):
            parse({**PLAIN, "files": paths})


@pytest.mark.parametrize("path", ["a", "..a", "a../b", "a/..b/c", ".a", "a b", "é", "a/", "a//b", "a\rb", "a\u2028b"])
def test_a_path_below_the_prefix_is_kept_as_it_is(path):
    assert [file.path for file in parse({**PLAIN, "files": ["a", path]}).files] == ["a", path]


TEXT = st.text(max_size=5) | st.sampled_from([DIGEST, "a", "../a"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = ["name", "version", "build", "subdir", "channel", "url", "sha256", "md5", "noarch", "files", "paths_data"]
PATH = st.dictionaries(st.sampled_from([*CondaFile._fields, "_path", "path_type", "size_in_bytes"]), ANYTHING)
PATHS = st.fixed_dictionaries({"paths": st.lists(PATH, max_size=3)}) | ANYTHING


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(MEMBERS), ANYTHING), st.none() | PATHS)
def test_any_json_is_a_record_or_none(members, paths_data):
    data = json.dumps({**PLAIN, **members, **({"paths_data": paths_data} if paths_data else {})}).encode()
    try:
        record = parse_record(data)
    except ValueError:
        return
    texts = [*record[:-1], *(file.path for file in record.files)]
    assert all(isinstance(text, str) for text in texts)
    assert not [file.path for file in record.files if file.path.startswith("/") or ".." in file.path.split("/")]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_none(data):
    try:
        record = parse_record(data)
    except ValueError:
        return
    assert record.name
