"""`capsule clone`: a store of another's, whole or not at all."""

from __future__ import annotations

import pytest
from shared_stores import bare, check, git, refs, register


@pytest.fixture
def project(tmp_path):
    """A directory with a store of two capsules in it, one of them tagged."""
    (tmp_path / "project").mkdir()
    register(tmp_path / "project", "first", "second")
    git(tmp_path / "project" / ".capsules", "tag", "paper", "main^{tree}")
    return tmp_path / "project"


@pytest.fixture
def store(project):
    return project / ".capsules"


@pytest.fixture
def here(tmp_path):
    """Where the clone is made: a directory with nothing in it."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.mark.slow
def test_a_clone_has_all_and_knows_where_it_came_from(capsule, store, here):
    done = capsule("clone", store, "Für Elise, zweiter Teil", cwd=here)
    made = here / "Für Elise, zweiter Teil" / ".capsules"
    assert (done.status, done.line) == (0, str(made))
    assert done.err.startswith("note: 2 capsules, 1 tag, ")
    assert refs(made) == refs(store)
    assert git(made, "remote", "get-url", "origin") == str(store)
    check(made)
    assert capsule("pull", cwd=made.parent).line == "everything is here already"
    assert capsule("push", cwd=made.parent).line == "everything is there already"
    assert [path.name for path in made.parent.iterdir() if path.name != ".gitignore"] == [".capsules"]


@pytest.mark.slow
def test_its_directory_is_called_as_the_last_part_of_the_address(capsule, store, here, tmp_path):
    git(tmp_path, "clone", "--quiet", "--bare", store, "team.git")
    capsule("bundle", tmp_path / "paper.bundle")
    for url, name in {
        "../project": "project",
        "../team.git/": "team",
        f"file://{tmp_path}/paper.bundle": "paper",
    }.items():
        answer = capsule("clone", url, "--json", cwd=here).json
        assert answer.keys() == {"store", "remote", "url", "received", "tags", "tip", "refused_tags"}
        assert (answer["store"], answer["remote"]) == (str(here / name / ".capsules"), "origin")
        assert (len(answer["received"]["capsules"]), answer["tags"]) == (2, ["paper"])
    again = capsule("clone", store, cwd=here)
    assert (again.status, again.out) == (2, "")
    assert f"there is a store already, `{here}/project/.capsules`\nhint: " in again.err
    (tmp_path / "other").mkdir()
    assert capsule("clone", store, ".", cwd=tmp_path / "other").line == str(tmp_path / "other" / ".capsules")


def test_over_ssh_a_host_alone_gives_the_name(capsule, store, here, tmp_path):
    # What stands in for ssh runs the command that it is given, on this machine.
    ssh = tmp_path / "ssh"
    ssh.write_text(f'#!/bin/sh\ncd "{store.parent}"\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c "$1"\n')
    ssh.chmod(0o755)
    done = capsule("clone", "ada@lab:.capsules", cwd=here, env={"GIT_SSH": str(ssh)})
    assert (done.status, done.line) == (0, str(here / "lab" / ".capsules"))
    assert refs(here / "lab" / ".capsules") == refs(store)


def test_of_an_empty_repository_an_empty_store_is_made(capsule, project, here, tmp_path):
    bare(tmp_path / "team.git")
    done = capsule("clone", tmp_path / "team.git", cwd=here)
    assert (done.status, done.line) == (0, str(here / "team" / ".capsules"))
    assert done.err == f"note: there is nothing yet in {tmp_path}/team.git\n"


REFUSED = {
    "a directory that is not there": (["../nowhere"], 5, "no such directory"),
    "a directory that is no repository": (["..", "new"], 5, "no repository at that path"),
    "a bundle that is none": (["../text", "new/and/newer"], 5, "text"),
    "an address without any name": (["/"], 2, "capsule clone URL DIR"),
    "no address": (["ftp://example.org/x"], 2, "ftp://"),
    "with --store": (["../project", "--store", "there"], 2, "no `--store`"),
    "a file in the way": (["../project", "../text"], 2, "text"),
    "a directory that cannot be made": (["../project", "/proc/new"], 6, "/proc/new"),
}


@pytest.mark.slow
def test_where_anything_fails_nothing_is_made(capsule, project, here, tmp_path):
    (tmp_path / "text").write_text("no bundle")
    for words, status, said in REFUSED.values():
        done = capsule("clone", *words, cwd=here)
        assert (done.status, done.out, "Traceback" in done.err) == (status, "", False), words
        assert said in done.err
        assert list(here.iterdir()) == []
    # The directory that was there already stays.
    (here / "kept").mkdir()
    assert capsule("clone", "../nowhere", "kept/new", cwd=here).status == 5
    assert [str(path) for path in here.rglob("*")] == [str(here / "kept")]
