"""`capsule bundle`: a store as one file, which git verifies and clones and another store takes."""

from __future__ import annotations

import pytest
from shared_stores import check, git, refs, register


@pytest.fixture
def project(tmp_path):
    """A directory with a store of two capsules in it."""
    (tmp_path / "project").mkdir()
    register(tmp_path / "project", "first", "second")
    return tmp_path / "project"


@pytest.fixture
def store(project):
    return project / ".capsules"


@pytest.fixture
def elsewhere(tmp_path):
    """Another directory, with a store that has a capsule of its own."""
    (tmp_path / "elsewhere").mkdir()
    register(tmp_path / "elsewhere", "theirs")
    return tmp_path / "elsewhere"


@pytest.mark.slow
def test_git_verifies_and_clones_it_and_another_store_takes_it(capsule, store, elsewhere, tmp_path):
    capsule("tag", "paper", "@")
    done = capsule("bundle", "../für alle.bundle")
    bundle = tmp_path / "für alle.bundle"
    first, tags = done.out.splitlines()
    assert first.startswith("2 capsules, 1 tag, ")
    assert first.endswith(f" KB written to ../für alle.bundle; its tip is {refs(store)['refs/heads/main'][:12]}")
    assert (tags, done.err) == ("  tags: paper", "")
    assert "records a complete history" in git(store, "bundle", "verify", bundle)
    git(tmp_path, "clone", "--quiet", "--bare", bundle, "by-git")
    assert refs(tmp_path / "by-git") == refs(store)

    assert capsule("pull", bundle, cwd=elsewhere).out.startswith("2 capsules, 1 tag, ")
    assert capsule("pull", bundle, cwd=elsewhere).line == "everything is here already"
    assert len(capsule("log", "--json", cwd=elsewhere).json) == 3
    check(elsewhere / ".capsules")


def test_chosen_capsules_go_alone(capsule, store, tmp_path):
    capsule("tag", "paper", "@")
    answer = capsule("bundle", "paper.bundle", "paper", "--json").json
    assert answer.keys() == {"bundle", "written", "tags", "tip"}
    assert (answer["bundle"], answer["tags"]) == (str(store.parent / "paper.bundle"), ["paper"])
    assert answer["written"]["capsules"] == [refs(store)["refs/tags/paper"]]
    assert answer["written"]["bytes"] == (store.parent / "paper.bundle").stat().st_size
    git(tmp_path, "clone", "--quiet", "--bare", store.parent / "paper.bundle", "by-git")
    assert refs(tmp_path / "by-git") == {
        "refs/heads/main": answer["tip"],
        "refs/tags/paper": answer["written"]["capsules"][0],
    }


@pytest.mark.slow
def test_a_remote_may_be_a_bundle_that_is_written_anew(capsule, store, elsewhere, tmp_path):
    bundle = tmp_path / "disk" / "thesis.bundle"
    bundle.parent.mkdir()
    capsule("remote", "add", "disk", bundle, cwd=elsewhere)
    for title in ("second", "third"):
        register(store.parent, title)
        assert capsule("bundle", bundle).status == 0
        assert "received from disk" in capsule("pull", "disk", cwd=elsewhere).line
    assert capsule("pull", "disk", cwd=elsewhere).line == "everything is here already"
    done = capsule("push", "disk", cwd=elsewhere)
    assert (done.status, done.out) == (5, "")
    assert "it is a bundle\nhint: `capsule bundle FILE`" in done.err


def test_the_file_comes_before_names_of_capsules(capsule, project):
    capsule("tag", "paper", "@")
    done = capsule("bundle", "paper")
    assert (done.status, done.out) == (2, "")
    assert "`paper` is a capsule, and the file comes first\nhint: write `capsule bundle FILE paper`" in done.err
    assert not (project / "paper").exists()
    assert capsule("bundle", "./paper").status == 0


@pytest.mark.slow
def test_what_is_cut_or_changed_on_the_way_is_refused_and_nothing_of_it_is_taken(
    capsule, store, elsewhere, tmp_path, unchanged
):
    capsule("bundle", tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    before = unchanged(elsewhere)
    for wrong in (whole[:-30], whole[:40], whole[:-40] + bytes([whole[-40] ^ 1]) + whole[-39:], whole + b"more", b""):
        (tmp_path / "wrong").write_bytes(wrong)
        done = capsule("pull", tmp_path / "wrong", cwd=elsewhere)
        assert (done.status, done.out, "Traceback" in done.err) == (5, "", False)
        assert done.err.startswith(f"error: `{tmp_path}/wrong`: ")
    assert unchanged(elsewhere) == before


@pytest.mark.slow
def test_where_it_cannot_be_written_the_file_is_as_it_was(capsule, project, tmp_path):
    (project / "old").write_text("kept")
    done = capsule("bundle", "old", "@", "nobody")
    assert (done.status, done.out, (project / "old").read_text()) == (3, "", "kept")
    done = capsule("bundle", tmp_path / "nowhere" / "file")
    assert (done.status, done.out) == (6, "")
    assert "No such file or directory" in done.err
    (tmp_path / "empty").mkdir()
    register(tmp_path / "empty")
    done = capsule("bundle", "file", cwd=tmp_path / "empty")
    assert (done.status, done.out) == (2, "")
    assert "no capsule to write" in done.err
    assert not (tmp_path / "empty" / "file").exists()
