"""`capsule log`: the capsules, newest first, for people and for programs."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store

ENVIRONMENT = {"python": {"rules": 1}}

GIT = ("-c", "user.name=Ada \x1b[31m", "-c", "user.email=ada@example.org")


@pytest.fixture
def project(tmp_path):
    """A directory with nothing in it: what is listed here was captured elsewhere."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def add(store):
    def add(title: str) -> str:
        with Store(str(store)) as opened:
            return str(record(opened, Surroundings(environment=ENVIRONMENT), Description(title=title)).capsule)

    return add


@pytest.fixture
def three(add) -> list[str]:
    return [add(title) for title in ("first", "second", "third")]


def test_an_empty_store_has_nothing_to_list(capsule, store):
    done = capsule("log")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert capsule("log", "--json").json == []
    assert capsule("tag").out == ""
    assert capsule("tag", "--json").json == []


def test_capsules_are_listed_newest_first_a_line_each(capsule, three):
    done = capsule("log")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines] == [digest[:12] for digest in reversed(three)]
    assert [line.split("  ")[-1] for line in lines] == ["third (@)", "second", "first"]
    for line in lines:
        datetime.strptime(line.split("  ")[1], "%Y-%m-%d %H:%M").astimezone()


def test_as_json_each_has_its_keys(capsule, three):
    answer = capsule("log", "--json").json
    assert [found["capsule_id"] for found in answer] == three[::-1]
    assert [found["title"] for found in answer] == ["third", "second", "first"]
    for found in answer:
        assert found.keys() == {"capsule_id", "environment_digest", "title", "author", "registered_at", "parents"}
        shown = capsule("show", found["capsule_id"], "--json").json
        assert found["environment_digest"] == shown["environment_digest"]
        (registration,) = shown["registrations"]
        assert (found["author"], found["registered_at"]) == (registration["author"], registration["registered_at"])


def test_so_many_as_are_asked_for(capsule, three):
    for options, count in ((["-n", "2"], 2), (["-2"], 2), (["-n", "0"], 0), (["-n", "99"], 3)):
        answer = capsule("log", *options, "--json").json
        assert [found["capsule_id"] for found in answer] == three[::-1][:count]


@pytest.mark.parametrize("options", [["-n", "-1"], ["-n", "x"], ["-n"], ["first"]], ids=" ".join)
def test_what_is_no_number_is_refused(capsule, store, options):
    done = capsule("log", *options)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: ")


def test_a_capsule_registered_again_is_listed_once(capsule, add, store):
    first, _ = add("first"), add("second")
    subprocess.run(
        ["git", "-C", store, *GIT, "update-ref", "refs/heads/main", committed(store, first, "main", "again")],
        check=True,
    )
    answer = capsule("log", "--json").json
    assert [found["title"] for found in answer] == ["second", "first"]
    assert len(capsule("show", first, "--json").json["registrations"]) == 2


def committed(store: Path, tree: str, parent: str, message: str) -> str:
    command = ["git", "-C", store, *GIT, "commit-tree", tree, "-p", parent, "-m", message]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_what_could_harm_a_terminal_is_escaped(capsule, add, store, project):
    """A title of ours has no control characters; one that another program wrote may have them."""
    digest = add("to be replaced")
    subprocess.run(["git", "-C", store, "update-ref", "-d", "refs/heads/main"], check=True)
    command = ["git", "-C", store, *GIT, "commit-tree", digest, "-m", "red \x1b[31m and\x07 more \u202e\n\nand a body"]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["git", "-C", store, "update-ref", "refs/heads/main", name], check=True)
    capsule("tag", "x-tag")
    for command in ("log", "tag"):
        done = capsule(command)
        assert done.status == 0
        assert r"red \x1b[31m and\x07 more \u202e" in done.line
        assert all(character.isprintable() for character in done.line)
    (found,) = capsule("log", "--json").json
    assert found["title"].startswith("red \x1b[31m and\x07 more \u202e")


def test_tags_and_the_capsule_added_last_are_shown(capsule, three):
    capsule("tag", "paper", three[0])
    capsule("tag", "größe/x", three[0])
    capsule("tag", "v1", "@")
    lines = capsule("log").out.splitlines()
    assert lines[0].endswith("third (@, v1)")
    assert lines[1].endswith("second")
    assert lines[2].endswith("first (größe/x, paper)")


@pytest.mark.slow
def test_a_capsule_that_cannot_be_read_is_told_of_and_the_others_are_listed(capsule, three, store):
    damaged = store / "objects" / three[1][:2] / three[1][2:]
    damaged.unlink()
    (store / "capsulestore" / "index.sqlite").unlink(missing_ok=True)
    done = capsule("log")
    assert done.status == 4
    assert [line.split()[0] for line in done.out.splitlines()] == [three[2][:12], three[0][:12]]
    assert three[1] in done.err
    done = capsule("log", "--json")
    assert (done.status, [found["title"] for found in done.json]) == (4, ["third", "first"])


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["lgo"], "log"),
        (["history"], "log"),
        (["stauts"], "status"),
        (["log", "--jsn"], "--json"),
        (["status", "--pyhton"], "--python"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else None,
)
def test_what_was_meant_is_asked(capsule, store, words, meant):
    done = capsule(*words)
    assert (done.status, done.out) == (2, "")
    error, hint = done.err.splitlines()
    assert words[-1] in error
    assert hint == f"hint: did you mean `{meant}`?"


def test_without_a_store_it_says_so(capsule, project):
    for command in ("log", "tag", "status"):
        done = capsule(command)
        assert (done.status, done.out) == (3, "")
        assert "capsule init" in done.err
