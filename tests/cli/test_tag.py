"""`capsule tag`: names for capsules, listed, given, moved by force, removed."""

from __future__ import annotations

import json

import pytest

from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store

ENVIRONMENT = {"python": {"rules": 1}}


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
def two(add) -> list[str]:
    return [add(title) for title in ("first", "second")]


def test_the_capsule_added_last_is_tagged_unless_another_is_named(capsule, two):
    done = capsule("tag", "v1")
    assert (done.status, done.out) == (0, "")
    assert "`v1`" in done.err
    assert two[1][:12] in done.err
    assert capsule("tag", "paper", two[0][:8]).status == 0
    assert [line.split() for line in capsule("tag").out.splitlines()] == [
        ["paper", two[0][:12], "first"],
        ["v1", two[1][:12], "second"],
    ]
    assert capsule("tag", "--json").json == [
        {"tag": "paper", "capsule_id": two[0]},
        {"tag": "v1", "capsule_id": two[1]},
    ]
    assert capsule("show", "paper", "--json").json["capsule_id"] == two[0]
    # A tag is a name like any other.
    assert capsule("tag", "also", "paper", "--json").json == {"tag": "also", "capsule_id": two[0]}
    assert capsule("show", two[0], "--json").json["tags"] == ["also", "paper"]


def test_a_tag_moves_by_force_only(capsule, two):
    capsule("tag", "paper", two[0])
    done = capsule("tag", "paper", two[1])
    assert (done.status, done.out) == (6, "")
    assert two[0][:12] in done.err
    assert "--force" in done.err
    assert capsule("tag", "--json").json == [{"tag": "paper", "capsule_id": two[0]}]
    assert capsule("tag", "paper", two[0]).status == 0
    assert capsule("tag", "--force", "paper", two[1], "--json").json == {"tag": "paper", "capsule_id": two[1]}
    assert capsule("tag", "--json").json == [{"tag": "paper", "capsule_id": two[1]}]


def test_a_tag_is_removed_and_its_capsule_stays(capsule, two):
    capsule("tag", "paper", two[0])
    done = capsule("tag", "--delete", "paper", "--json")
    assert (done.status, done.json) == (0, {"tag": "paper", "capsule_id": two[0]})
    assert capsule("tag", "--json").json == []
    assert len(capsule("log", "--json").json) == 2
    done = capsule("tag", "-d", "paper")
    assert (done.status, done.out) == (3, "")
    assert "there is no tag `paper`" in done.err


@pytest.mark.slow
def test_an_error_as_json_has_its_code(capsule, two):
    capsule("tag", "paper", two[0])
    done = capsule("tag", "paper", two[1], "--json")
    assert (done.status, done.out) == (6, "")
    assert json.loads(done.err)["error"]["code"] == "tag_exists"


REFUSED = {
    "a name that could be a digest": (["face"], 3, "could be a digest"),
    "a name that git refuses": (["a b"], 3, "cannot be a tag"),
    "a name of control characters": (["a\x1bb"], 3, r"a\x1bb"),
    "a capsule that there is none of": (["paper", "nobody"], 3, "nobody"),
    "an environment": (["paper", "@:python"], 3, "no capsule but a layer"),
    "a removal of nothing": (["--delete"], 2, "--delete"),
    "a removal with a capsule": (["--delete", "paper", "@"], 2, "--delete"),
    "force for nothing": (["--force"], 2, "--force"),
}


@pytest.mark.slow
def test_what_cannot_be_is_refused_and_changes_nothing(capsule, two, project, unchanged):
    before = unchanged(project)
    for words, status, said in REFUSED.values():
        done = capsule("tag", *words)
        assert (done.status, done.out, "Traceback" in done.err) == (status, "", False), words
        assert said in done.err
    assert unchanged(project) == before


def test_where_nothing_was_added_there_is_nothing_to_tag(capsule, store):
    done = capsule("tag", "paper")
    assert (done.status, done.out) == (3, "")
    assert "capsule add" in done.err
