"""`capsule push` and `capsule pull`: what one store has, another gets, whoever else pushes there."""

from __future__ import annotations

import json

import pytest
from shared_stores import bare, check, git, refs, register


@pytest.fixture
def project(tmp_path):
    """A directory with a store of two capsules in it, whose remote is an empty repository, `team.git` beside it."""
    (tmp_path / "project").mkdir()
    register(tmp_path / "project", "first", "second")
    git(tmp_path / "project" / ".capsules", "remote", "add", "origin", bare(tmp_path / "team.git"))
    return tmp_path / "project"


@pytest.fixture
def store(project):
    return project / ".capsules"


@pytest.fixture
def team(project, tmp_path):
    return tmp_path / "team.git"


@pytest.fixture
def colleague(tmp_path, team):
    """Another directory with a store, which has a capsule of its own and the same remote."""
    (tmp_path / "colleague").mkdir()
    register(tmp_path / "colleague", "theirs")
    git(tmp_path / "colleague" / ".capsules", "remote", "add", "origin", team)
    return tmp_path / "colleague"


def titles(store):
    return set(git(store, "log", "--format=%s").splitlines()) - {"join"}


@pytest.mark.slow
def test_what_is_pushed_can_be_pulled_and_the_second_time_nothing_moves(capsule, store, team, colleague):
    capsule("tag", "paper", "@")
    done = capsule("push")
    assert (done.status, done.err) == (0, "")
    tip = refs(team)["refs/heads/main"]
    first, tags = done.out.splitlines()
    assert first.startswith("2 capsules, 1 tag, ")
    assert first.endswith(f" KB sent to origin; its tip is {tip[:12]}")
    assert tags == "  tags: paper"
    assert refs(store) == refs(team)
    done = capsule("push")
    assert (done.status, done.line, done.err) == (0, "everything is there already", "")

    assert capsule("pull", "--dry-run", cwd=colleague).line == "origin has something that is not here"
    assert len(capsule("log", "--json", cwd=colleague).json) == 1
    done = capsule("pull", cwd=colleague)
    tip = refs(colleague / ".capsules")["refs/heads/main"]
    first, tags = done.out.splitlines()
    assert first.startswith("2 capsules, 1 tag, ")
    assert first.endswith(f" objects received from origin; the tip here is {tip[:12]}")
    assert tags == "  tags: paper"
    for arguments in (["pull"], ["pull", "--dry-run"]):
        assert capsule(*arguments, cwd=colleague).line == "everything is here already"
    assert capsule("show", "paper", "--json", cwd=colleague).json["manifest"]["title"] == "second"
    check(store, team, colleague / ".capsules")


@pytest.mark.slow
def test_i10_who_has_exchanged_everything_is_equal(capsule, store, team, colleague):
    for directory in (store.parent, colleague, store.parent, colleague, store.parent):
        for command in ("pull", "push", "pull"):
            assert capsule(command, cwd=directory).status == 0
    assert titles(store) == {"first", "second", "theirs"}
    assert refs(store) == refs(team) == refs(colleague / ".capsules")
    assert capsule("push", cwd=colleague).line == "everything is there already"
    check(store, team, colleague / ".capsules")


def test_chosen_capsules_go_alone(capsule, store, team):
    capsule("tag", "paper", "@")
    register(store.parent, "third")
    answer = capsule("push", team, "paper", "--json").json
    assert answer.keys() == {"remote", "sent", "tags", "kept_tags", "tip", "dry_run"}
    assert (answer["remote"], answer["tags"], answer["dry_run"]) == ("origin", ["paper"], False)
    assert answer["sent"].keys() == {"capsules", "objects", "bytes"}
    assert answer["sent"]["capsules"] == [refs(store)["refs/tags/paper"]]
    assert refs(team) == {"refs/heads/main": answer["tip"], "refs/tags/paper": refs(store)["refs/tags/paper"]}
    assert titles(team) == {"second"}
    assert capsule("push").status == 0
    assert titles(team) == {"first", "second", "third"}


def test_a_dry_run_says_what_would_be_sent_and_changes_nothing(capsule, store, team, unchanged):
    capsule("tag", "paper", "@")
    before = unchanged(store), unchanged(team)
    first, tags = capsule("push", "--dry-run").out.splitlines()
    assert first.startswith("2 capsules, 1 tag, ")
    assert first.endswith(" objects would be sent to origin")
    assert tags == "  tags: paper"
    answer = capsule("push", "-n", "--json").json
    assert (len(answer["sent"]["capsules"]), answer["tip"], answer["dry_run"]) == (2, None, True)
    assert (unchanged(store), unchanged(team)) == before


def test_a_tag_with_two_meanings_stays_on_both_sides(capsule, store, team, colleague):
    capsule("tag", "paper", "@")
    capsule("tag", "paper", "@", cwd=colleague)
    capsule("push")
    done = capsule("pull", "--json", cwd=colleague)
    assert (done.json["kept_tags"], done.json["tags"]) == (["paper"], [])
    assert done.err == "note: the tag `paper` stands for something else at origin, and stays as it is here\n"
    done = capsule("push", cwd=colleague)
    assert done.err == "note: the tag `paper` stands for something else at origin, and stays as it is there\n"
    assert refs(team)["refs/tags/paper"] == refs(store)["refs/tags/paper"]
    assert refs(colleague / ".capsules")["refs/tags/paper"] != refs(store)["refs/tags/paper"]


@pytest.mark.slow
def test_git_pushes_and_clones_in_between(capsule, store, team, tmp_path):
    capsule("push")
    git(tmp_path, "clone", "--quiet", team, "work")
    manifest = tmp_path / "work" / "capsule.json"
    manifest.write_text(manifest.read_text().replace('"second"', '"by hand"'))
    git(tmp_path / "work", "commit", "--quiet", "--all", "--message=by hand")
    git(tmp_path / "work", "tag", "face", "HEAD^{tree}")
    git(tmp_path / "work", "push", "--quiet", "origin", "main", "face")
    done = capsule("pull", "--json")
    assert done.json["received"]["capsules"] == [git(tmp_path / "work", "rev-parse", "HEAD^{tree}")]
    assert (done.json["refused_tags"], done.json["tip"]) == (["face"], refs(team)["refs/heads/main"])
    assert done.err == "note: not taken from origin, as no tag can have such a name: `face`\n"
    assert capsule("log").out.splitlines()[0].endswith("  by hand")
    check(store, team)


def test_of_many_tags_not_all_are_named(capsule, store):
    for number in range(12):
        git(store, "tag", f"fit-{number:02}", "main^{tree}")
    named = ", ".join(f"fit-{number:02}" for number in range(10))
    assert capsule("push").out.splitlines()[1] == f"  tags: {named} and 2 more"


def test_an_empty_store_and_an_empty_remote_have_nothing_to_give(capsule, team, tmp_path):
    (tmp_path / "empty").mkdir()
    register(tmp_path / "empty")
    assert capsule("push", team, cwd=tmp_path / "empty").line == "there is nothing to send"
    assert capsule("pull", team, cwd=tmp_path / "empty").line == "everything is here already"


def test_the_remote_comes_before_names_of_capsules(capsule, store):
    capsule("tag", "paper", "@")
    done = capsule("push", "paper")
    assert (done.status, done.out) == (3, "")
    assert "no remote `paper`\nhint: the remote comes first: `capsule push origin paper`" in done.err


REFUSED = {
    "a capsule that there is none of, among others": (["push", "origin", "@", "nobody"], 3, "`nobody`"),
    "an environment": (["push", "origin", "@:python"], 3, "no capsule but a layer"),
    "a directory that is not there": (["push", "../nowhere"], 5, "no such directory"),
    "a directory that is no repository": (["pull", ".."], 5, "no repository at that path"),
    "a repository of SHA-1 objects": (["pull", "../sha1"], 5, "SHA-1"),
    "source code to take": (
        ["pull", "../source"],
        5,
        "nothing that it has is a capsule\nhint: is it the right one? make",
    ),
    "source code to send to": (["push", "../source"], 5, "nothing that a store has\nhint: make a place for capsules"),
    "source code to make a store of": (["clone", "../source", "../clone"], 5, "nothing that it has is a capsule"),
    "a file that is no bundle": (["pull", "../text"], 5, "text"),
    "a bundle to push to": (["push", "../text"], 5, "it is a bundle"),
    "an address with a password": (["pull", "https://ada:secret@forge.example.org/x"], 2, "has a password in it"),
    "an empty name": (["pull", ""], 3, "no remote ``"),
    "two remotes": (["pull", "origin", "other"], 2, "other"),
}


@pytest.mark.slow
def test_what_cannot_be_is_refused_and_changes_neither_side(capsule, project, team, tmp_path, unchanged):
    git(tmp_path, "init", "--quiet", "--object-format=sha1", "sha1")
    git(tmp_path / "sha1", "commit", "--quiet", "--allow-empty", "--message=of another format")
    (tmp_path / "text").write_text("no bundle")
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "--initial-branch=main", "source")
    (tmp_path / "source" / "fit.py").write_text("print(42)")
    git(tmp_path / "source", "add", "fit.py")
    git(tmp_path / "source", "commit", "--quiet", "--message=source code")
    before = unchanged(tmp_path)
    for words, status, said in REFUSED.values():
        done = capsule(*words)
        assert (done.status, done.out, "Traceback" in done.err, "secret" in done.err) == (status, "", False, False), (
            words
        )
        assert done.err.startswith("error: ")
        assert len(done.err.splitlines()) <= 2
        assert said in done.err
        assert json.loads(capsule(*words, "--json").err)["error"].keys() == {"code", "message", "hint"}
    assert unchanged(tmp_path) == before
