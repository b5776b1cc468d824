"""Tokens: kept as hashes, changed by one process after the other, and nobody gets in where they cannot be read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from shared_stores import register

from capsulestore.errors import StoreUnreadable, StoreUnwritable, UnknownName, UsageError
from capsulestore.model.redaction.tokens import redact_tokens
from capsulestore.serving.access.tokens import Tokens

CREATE = (
    "import sys; from capsulestore.serving.access.tokens import Tokens; Tokens(sys.argv[1]).create(sys.argv[2], 'read')"
)


@pytest.fixture
def store(tmp_path):
    register(tmp_path)
    return tmp_path / ".capsules"


@pytest.fixture
def file(store):
    return store / "capsulestore" / "tokens.json"


def holder(store, text):
    found = Tokens(str(store)).holder(text)
    return found and (found.name, found.scope)


def test_whoever_has_a_token_is_known_by_it(store):
    tokens = Tokens(str(store))
    ada, ben = tokens.create("Ada Lovelace", "write"), tokens.create("ben", "read")
    assert (holder(store, ada), holder(store, ben)) == (("Ada Lovelace", "write"), ("ben", "read"))
    for text in ("", "ben", ada[:-1], ada + "A", ada.lower(), ada.encode().decode("utf-16-le", "replace")):
        assert holder(store, text) is None


def test_what_is_kept_tells_nobody_a_token(store, file):
    text = Tokens(str(store)).create("ada", "read")
    assert text.startswith("capsule_")
    assert len(text) == len("capsule_") + 43
    assert text.removeprefix("capsule_") not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_change_counts_at_once_where_they_were_read_before(store):
    serving, elsewhere = Tokens(str(store)), Tokens(str(store))
    assert serving.holder("anything") is None
    text = elsewhere.create("ada", "read")
    assert serving.holder(text)
    elsewhere.revoke("ada")
    assert serving.holder(text) is None
    again = elsewhere.create("ada", "read")
    assert (serving.holder(text), bool(serving.holder(again))) == (None, True)


def test_a_file_that_was_read_long_after_its_change_is_not_read_again(store, file):
    text = Tokens(str(store)).create("ada", "read")
    os.utime(file, (0, 0))
    tokens = Tokens(str(store))
    first = tokens.listed()
    assert tokens.listed() is first
    tokens.revoke("ada")
    assert tokens.holder(text) is None


NAMES = ("", " ", " ada", "ada ", "a\nb", "a\x1b[31mb", "Ada <ada@example.org>", "x" * 101, f"capsule_{'x' * 43}")


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_an_author_is_no_name(store, file, name):
    with pytest.raises(UsageError):
        Tokens(str(store)).create(name, "read")
    assert not file.exists()


def test_a_name_has_one_token(store):
    tokens = Tokens(str(store))
    text = tokens.create("ada", "read")
    with pytest.raises(UsageError, match="`ada` already"):
        tokens.create("ada", "write")
    assert holder(store, text) == ("ada", "read")
    with pytest.raises(UnknownName, match="no token `ben`"):
        tokens.revoke("ben")


DAMAGED = {
    "nothing": "",
    "half of it": '{"schema": 1, "tokens": [{"name": "ada", "sco',
    "another schema": '{"schema": 2, "tokens": []}',
    "no mapping": "[]",
    "no list": '{"schema": 1, "tokens": null}',
    "a list of texts": '{"schema": 1, "tokens": ["ada"]}',
    "a scope that is none": json.dumps(
        {"schema": 1, "tokens": [{"name": "ada", "scope": "all", "created_at": "", "sha256": "0" * 64}]}
    ),
    "a hash that is none": json.dumps(
        {"schema": 1, "tokens": [{"name": "ada", "scope": "read", "created_at": "", "sha256": "0" * 63 + "\n"}]}
    ),
    "endless depth": "[" * 100_000,
    "more than tokens need": " " * 2**21,
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_where_the_file_is_damaged_nobody_has_a_token_and_nothing_is_overwritten(store, file, text):
    tokens = Tokens(str(store))
    old = tokens.create("ada", "write")
    assert tokens.holder(old)
    file.write_text(text)
    for attempt in (
        lambda: tokens.holder(old),
        tokens.listed,
        lambda: tokens.revoke("ada"),
        lambda: tokens.create("ben", "read"),
    ):
        with pytest.raises(StoreUnreadable, match=r"tokens\.json"):
            attempt()
    assert file.read_text() == text


def test_a_directory_in_the_files_place_lets_nobody_in(store, file):
    file.mkdir()
    with pytest.raises(StoreUnreadable):
        Tokens(str(store)).holder("x")


def test_whom_permissions_keep_from_the_file_is_told_of_those(store, file):
    Tokens(str(store)).create("ada", "read")
    file.chmod(0)
    bound = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    listed = "import sys; from capsulestore.serving.access.tokens import Tokens; Tokens(sys.argv[1]).listed()"
    done = subprocess.run(
        [*bound, sys.executable, "-c", listed, str(store)], capture_output=True, text=True, check=False
    )
    error, hint = done.stderr.splitlines()[-2:]
    assert error.endswith("tokens.json`: Permission denied")
    assert hint == "hint: nobody has a token until the user who runs the server may read it"


def test_where_it_cannot_be_written_no_token_is_made(store):
    (store / "objects").rename(store / "elsewhere")
    with pytest.raises(StoreUnwritable):
        Tokens(str(store)).create("ada", "read")


def test_tokens_that_are_made_at_once_are_all_there(store):
    names = [f"user {number}" for number in range(6)]
    started = [subprocess.Popen([sys.executable, "-c", CREATE, str(store), name]) for name in names]
    assert [process.wait() for process in started] == [0] * 6
    assert sorted(token.name for token in Tokens(str(store)).listed()) == names


def test_one_that_cannot_be_written_whole_leaves_what_was(store, file):
    tokens = Tokens(str(store))
    text = tokens.create("ada", "read")
    before = file.read_bytes()
    # No file may have a byte.
    limited = ["prlimit", "--fsize=0", sys.executable, "-c", CREATE, str(store), "ben"]
    done = subprocess.run(limited, capture_output=True, check=False)
    assert done.stderr.splitlines()[-2].startswith(b"capsulestore.errors.StoreUnwritable: ")
    assert file.read_bytes() == before
    assert [path.name for path in Path(store, "objects").iterdir() if path.name.startswith("tmp_")] == []
    assert tokens.holder(text)


def test_a_token_in_a_text_is_redacted_and_what_resembles_one_is_not(store):
    tokens = Tokens(str(store))
    for number in range(20):
        text = tokens.create(f"number {number}", "read")
        assert redact_tokens(f"--token={text} -x") == "--token=redacted -x"
    for kept in (
        "capsule_2026-01-02_Results_of_the_second_analysis_run_v2.csv",
        "capsule_environment_digest_of_the_running_interpreters",
        "capsule_" + "0123456789abcdef" * 4,
    ):
        assert redact_tokens(kept) == kept
