"""A store in a git work tree is kept out of it, so that `git add .` there neither stops nor takes the store in."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from capsulestore.store import Store


@pytest.fixture
def work_tree(project, git) -> Path:
    git(project, "init", "-q")
    (project / "letter.txt").touch()
    return project


def exclude_lines(git, work_tree: Path) -> list[str]:
    path = git(work_tree, "rev-parse", "--git-path", "info/exclude")
    lines = os.fsdecode((work_tree / path).read_bytes()).split("\n")
    return [line for line in lines if line and not line.startswith("#")]


def assert_ignored(git, work_tree: Path, inside: str = "") -> None:
    """`git add .` takes what it should and not the store."""
    with Store.init(os.path.join(work_tree, inside)):
        git(work_tree, "add", ".")
        tracked = git(work_tree, "ls-files", "-z").split("\0")
        assert [name for name in tracked if ".capsules" in name] == []
        assert "letter.txt" in tracked
        git(work_tree, "check-ignore", "-q", os.path.join(work_tree, inside, ".capsules"))
        assert git(work_tree, "status", "--porcelain", "--untracked-files=all") == "A  letter.txt"


def test_a_store_at_the_top_of_a_work_tree_is_ignored(work_tree, git):
    assert_ignored(git, work_tree)
    assert exclude_lines(git, work_tree) == ["/.capsules"]


@pytest.mark.parametrize(
    "name",
    [
        "sub",
        "two/levels",
        "with space",
        "space at the end ",
        "Umläute",
        unicodedata.normalize("NFD", "Umläute"),
        "日本語",
        "star*",
        "question?",
        "[brackets]",
        "back\\slash",
        "!not",
        "#comment",
        "tab\there",
        'quote"d',
        "line\u2028separator",
        "next\u0085line",
        "vertical\vtab",
        "carriage return\r",
        os.fsdecode(b"latin-\xe9"),
    ],
)
def test_a_store_in_a_directory_of_that_name_is_ignored_and_listed_once(work_tree, git, name):
    (work_tree / name).mkdir(parents=True)
    assert_ignored(git, work_tree, name)
    Store.init(str(work_tree / name)).close()
    assert len(exclude_lines(git, work_tree)) == 1


def test_a_glob_character_in_a_name_hides_nothing_else(work_tree, git):
    Store.init(str(work_tree / "run*")).close()
    (work_tree / "run1" / ".capsules").mkdir(parents=True)
    (work_tree / "run1" / ".capsules" / "letter.txt").touch()
    git(work_tree, "add", ".")
    assert git(work_tree, "ls-files") == "letter.txt\nrun1/.capsules/letter.txt"


def test_adding_lists_the_store_again_where_the_line_was_lost(work_tree, git, add):
    with Store.init(str(work_tree)) as store:
        (work_tree / ".git" / "info" / "exclude").write_text("*.o")
        add(store)
        add(store, "another")
    assert exclude_lines(git, work_tree) == ["*.o", "/.capsules"]


def test_what_the_exclude_file_held_stays(work_tree, git):
    exclude = work_tree / ".git" / "info" / "exclude"
    exclude.write_bytes(b"*.o\r\n\xe9\n# the end")
    Store.init(str(work_tree)).close()
    assert exclude.read_bytes() == b"*.o\r\n\xe9\n# the end\n/.capsules\n"


def test_an_exclude_file_that_is_not_there_is_made(work_tree, git):
    (work_tree / ".git" / "info" / "exclude").unlink()
    (work_tree / ".git" / "info").rmdir()
    assert_ignored(git, work_tree)


def test_a_store_in_a_linked_work_tree_is_ignored(work_tree, tmp_path, git):
    who = ("-c", "user.name=Git", "-c", "user.email=git@example.org")
    git(work_tree, *who, "commit", "-q", "--allow-empty", "-m", "first")
    linked = tmp_path / "linked"
    git(work_tree, "worktree", "add", "-q", str(linked))
    (linked / "letter.txt").touch()
    assert_ignored(git, linked)


def test_a_store_in_a_submodule_is_ignored(work_tree, tmp_path, git):
    who = ("-c", "user.name=Git", "-c", "user.email=git@example.org", "-c", "protocol.file.allow=always")
    git(tmp_path, "init", "-q", "module")
    git(tmp_path / "module", *who, "commit", "-q", "--allow-empty", "-m", "first")
    git(work_tree, *who, "submodule", "--quiet", "add", str(tmp_path / "module"), "part")
    assert (work_tree / "part" / ".git").is_file()
    (work_tree / "part" / "letter.txt").touch()
    assert_ignored(git, work_tree / "part")


def test_a_store_in_a_work_tree_whose_repository_lies_elsewhere_is_ignored(project, tmp_path, git):
    git(tmp_path, "init", "-q", "--separate-git-dir", str(tmp_path / "elsewhere.git"), str(project))
    (project / "letter.txt").touch()
    assert (project / ".git").is_file()
    assert_ignored(git, project)


def test_the_nearest_work_tree_is_the_one_told(work_tree, git):
    (work_tree / "inner").mkdir()
    git(work_tree / "inner", "init", "-q")
    Store.init(str(work_tree / "inner")).close()
    assert exclude_lines(git, work_tree / "inner") == ["/.capsules"]
    assert exclude_lines(git, work_tree) == []


def test_a_store_reached_by_a_link_is_ignored_where_it_really_lies(work_tree, tmp_path, git):
    (work_tree / "real").mkdir()
    (tmp_path / "link").symlink_to(work_tree / "real")
    Store.init(str(tmp_path / "link")).close()
    assert exclude_lines(git, work_tree) == ["/real/.capsules"]


def test_a_work_tree_whose_repository_is_gone_is_left_as_it_is(project, tmp_path):
    (project / ".git").write_text(f"gitdir: {tmp_path}/gone/.git/worktrees/project\n")
    Store.init(str(project)).close()
    assert not (tmp_path / "gone").exists()


def test_a_file_named_git_that_is_none_of_gits_is_left_as_it_is(project):
    (project / ".git").write_text("dear sir\n")
    Store.init(str(project)).close()
    assert sorted(os.listdir(project)) == [".capsules", ".git"]


def test_an_exclude_file_that_cannot_be_written_stops_nobody(work_tree, add):
    (work_tree / ".git" / "info" / "exclude").unlink()
    (work_tree / ".git" / "info" / "exclude").mkdir()
    with Store.init(str(work_tree)) as store:
        assert add(store).new
