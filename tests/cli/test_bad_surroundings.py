"""What is odd around a command, and no reason to fail, or is told in more than one line."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("not json", 6),
        ("[1, 2]", 2),
        ('{"python": {"packages": {"x": NaN}}}', 6),
        ("{}", 2),
        ('{"a": 1}', 2),
        ('{"": {}}', 2),
        ('{"environment_digest": "00", "environment": {}}', 2),
        ('{"environment_digest": "00"}', 2),
        ('{"python": ' + '{"a": ' * 200 + "1" + "}" * 201, 2),
    ],
)
def test_a_file_that_holds_no_environment_is_refused(text, status, capsule, store, project, unchanged):
    (project / "environment.json").write_text(text)
    before = unchanged(store)
    done = capsule("add", "--environment", "environment.json")
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith("error: ")
    assert unchanged(store) == before


def test_without_a_store_the_way_to_one_is_told(capsule, tmp_path):
    for command in (["add"], ["show"], ["verify"], ["diff", "@"]):
        done = capsule(*command, cwd=tmp_path)
        assert done.status == 3
        assert done.err.splitlines()[1] == "hint: make one with `capsule init`"


def test_what_names_hold_reaches_the_terminal_escaped(capsule, store):
    title = "red \x1b[31m alert \u202e and\nlines"
    capsule("add", "-m", title)
    shown = capsule("show").out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert r"red \x1b[31m alert" in shown
    assert capsule("show", "--json").json["manifest"]["title"] == title


def test_paths_with_spaces_umlauts_and_newlines_are_kept(capsule, store, project):
    names = ["größe 1.csv", "two\nlines.csv"]
    for name in names:
        (project / name).write_text("1")
    capsule("add", *(part for name in names for part in ("--output", name)))
    outputs = capsule("show", "--json").json["manifest"]["outputs"]
    assert sorted(output["path"] for output in outputs) == sorted(names)
    assert capsule("verify").status == 0


def test_a_file_name_that_is_not_utf8_is_recorded_all_the_same(capsule, store, project):
    (project / os.fsdecode(b"r\xe9sultat.csv")).write_text("1")
    done = capsule("add", "--output", os.fsdecode(b"r\xe9sultat.csv"))
    assert done.status == 0
    (output,) = capsule("show", "--json").json["manifest"]["outputs"]
    assert output["path"] == r"r\xe9sultat.csv"


STRANGE = ["with space", "größe", "two\nlines", os.fsdecode(b"latin-\xe9"), "-x", "red \x1b[31m"]


@pytest.mark.parametrize("name", STRANGE, ids=ascii)
def test_a_project_in_a_directory_of_a_strange_name_is_like_any_other(name, capsule, project, tmp_path):
    place = tmp_path / name
    project.rename(place)
    made = capsule("init", cwd=place)
    assert (made.status, made.err) == (0, "")
    assert "\x1b" not in made.out
    added = capsule("add", cwd=place)
    assert (added.status, added.err) == (0, "")
    assert capsule("show", "--json", cwd=place).json["manifest"]["title"].startswith("environment of ")
    for store in ([], ["--store", place], ["--store", place / ".capsules"]):
        assert capsule(*store, "verify", cwd=place).status == 0
    assert capsule("--store", ".", "show", added.line, cwd=place).status == 0


def test_a_recorded_file_that_may_not_be_read_leaves_the_verdict(store, project, capsule, forked_bound):
    (project / "out.csv").write_text("1")
    capsule("add", "--output", "out.csv")
    (project / "out.csv").chmod(0)
    done = forked_bound(["verify", "--json"], project, os.environ)
    answer = done.json
    assert (done.status, answer["verdict"]) == (1, "identical")
    assert answer["files"] == [{"path": "out.csv", "state": "unreadable"}]
