"""A store and the git work tree that comes later, or goes on around it: never added, never removed, never shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from capsulestore.store import Store

INIT = "import sys; from capsulestore.store import Store; Store.init(sys.argv[1]).close()"


@pytest.fixture
def git_as_someone(git):
    """Run git with an author to commit by."""

    def git_as_someone(directory: str | Path, *arguments: str) -> str:
        return git(directory, "-c", "user.name=Git", "-c", "user.email=git@example.org", *arguments)

    return git_as_someone


@pytest.fixture
def assert_unseen(git, whole, add):
    """Assert that git in a work tree neither stops at a store in it nor sees it, also as capsules are added."""

    def assert_unseen(store: Store, work_tree: Path) -> None:
        (work_tree / "letter.txt").touch()
        for title in ("first", "second"):
            git(work_tree, "add", ".")
            tracked = git(work_tree, "ls-files", "-z").split("\0")
            assert "letter.txt" in tracked
            assert [name for name in tracked if ".capsules" in name] == []
            shown = git(work_tree, "status", "--porcelain", "--untracked-files=all").splitlines()
            assert {line[:2] for line in shown} <= {"A "}
            whole(store, add(store, title).capsule)

    return assert_unseen


# Each makes a store and a work tree around it, in this or that order, and returns the two directories.
def init_then_git(project: Path, git) -> tuple[Path, Path]:
    Store.init(str(project)).close()
    git(project, "init", "-q")
    return project, project


def git_then_init(project: Path, git) -> tuple[Path, Path]:
    git(project, "init", "-q")
    Store.init(str(project)).close()
    return project, project


def init_then_git_above(project: Path, git) -> tuple[Path, Path]:
    Store.init(str(project / "analyses" / "fit")).close()
    git(project, "init", "-q")
    return project / "analyses" / "fit", project


def git_then_init_below(project: Path, git) -> tuple[Path, Path]:
    git(project, "init", "-q")
    Store.init(str(project / "analyses" / "fit")).close()
    return project / "analyses" / "fit", project


def init_then_linked_work_tree(project: Path, git) -> tuple[Path, Path]:
    """The store is there when its directory, moved away and back, becomes a linked work tree."""
    git(project, "init", "-q", "repository")
    who = ("-c", "user.name=Git", "-c", "user.email=git@example.org")
    git(project / "repository", *who, "commit", "-q", "--allow-empty", "-m", "first")
    linked = project / "linked"
    Store.init(str(linked)).close()
    linked.rename(project / "aside")
    git(project / "repository", "worktree", "add", "-q", str(linked))
    for path in (project / "aside").iterdir():
        path.rename(linked / path.name)
    return linked, linked


ORDERS = [init_then_git, git_then_init, init_then_git_above, git_then_init_below, init_then_linked_work_tree]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.__name__.replace("_", " "))
def test_whichever_comes_first_git_never_sees_the_store(project, git, assert_unseen, order):
    place, work_tree = order(project, git)
    with Store(str(place)) as store:
        assert_unseen(store, work_tree)


def test_a_store_that_holds_capsules_before_the_work_tree_comes_is_not_seen(project, git, add, assert_unseen):
    with Store.init(str(project)) as store:
        add(store, "before")
        git(project, "init", "-q")
        assert_unseen(store, project)


def test_cleaning_takes_what_keeps_a_store_out_and_the_next_add_brings_it_back(project, git, add, whole):
    """`git clean -x` removes a `.gitignore` that was never committed; from then on the exclude file serves."""
    with Store.init(str(project)) as store:
        git(project, "init", "-q")
        git(project, "clean", "-fdxq")
        assert os.listdir(project / ".capsules")
        assert not (project / ".gitignore").exists()
        whole(store, add(store).capsule)
        git(project, "add", ".")
        assert git(project, "status", "--porcelain") == ""
        assert not (project / ".gitignore").exists()


@pytest.mark.parametrize("chore", ["stash -u", "stash -a", "clean -fdxq", "clean -fdXq", "reset -q --hard"])
@pytest.mark.parametrize("order", [init_then_git, git_then_init], ids=["init first", "git first"])
def test_what_tidies_a_work_tree_spares_the_store(project, git, git_as_someone, add, whole, sound, order, chore):
    order(project, git)
    with Store(str(project)) as store:
        (project / "letter.txt").touch()
        git(project, "add", ".")
        git_as_someone(project, "commit", "-q", "-m", "first")
        digest = add(store).capsule
        (project / "rubbish").touch()
        (project / "letter.txt").write_text("dear sir")
        git_as_someone(project, *chore.split())
        if chore.startswith("stash"):
            git_as_someone(project, "stash", "pop")
            assert (project / "rubbish").exists()
        whole(store, digest)
        sound(store)
        git(project, "add", ".")
        assert ".capsules" not in git(project, "status", "--porcelain", "--untracked-files=all")


def test_cleaning_with_force_given_twice_removes_the_store(project, git, add):
    """That is what the second `-f` asks of git: repositories of others, too (git-clean(1))."""
    git(project, "init", "-q")
    with Store.init(str(project)) as store:
        add(store)
    git(project, "clean", "-ffdxq")
    assert not (project / ".capsules").exists()


def test_git_works_in_store_and_work_tree_where_only_explicit_bare_repositories_are_safe(project, git, add):
    with Store.init(str(project)) as store:
        git(project, "init", "-q")
        add(store, "first fit")
        explicit = ("-c", "safe.bareRepository=explicit")
        git(project, *explicit, "add", ".")
        assert git(project, *explicit, "status", "--porcelain") == "A  .gitignore"
        assert git(store.path, *explicit, "log", "--format=%s") == "first fit"
        assert git(Path(store.path, "objects"), *explicit, "log", "--format=%s") == "first fit"


class TestTheGitignoreBesideTheStore:
    def lines(self, project: Path) -> bytes:
        return (project / ".gitignore").read_bytes()

    def test_is_made_once(self, project):
        for _ in range(2):
            Store.init(str(project)).close()
        assert self.lines(project) == b"/.capsules\n"

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (b"", b"/.capsules\n"),
            (b"*.o\n", b"*.o\n/.capsules\n"),
            (b"*.o", b"*.o\n/.capsules\n"),
            (b"\xe9\r\n\n# the end", b"\xe9\r\n\n# the end\n/.capsules\n"),
            (b"# /.capsules\n/.capsules2\n", b"# /.capsules\n/.capsules2\n/.capsules\n"),
        ],
    )
    def test_keeps_what_it_held(self, project, before, after):
        (project / ".gitignore").write_bytes(before)
        Store.init(str(project)).close()
        assert self.lines(project) == after

    @pytest.mark.parametrize("line", [b"/.capsules", b"*.o\n.capsules\n", b".capsules/\r\n*.o\r\n", b"/.capsules/\n"])
    def test_is_left_where_it_names_the_store_already(self, project, git, line, assert_unseen):
        (project / ".gitignore").write_bytes(line)
        with Store.init(str(project)) as store:
            assert self.lines(project) == line
            git(project, "init", "-q")
            assert_unseen(store, project)

    def test_does_not_come_back_with_each_capsule(self, project, add):
        with Store.init(str(project)) as store:
            (project / ".gitignore").unlink()
            add(store)
        assert os.listdir(project) == [".capsules"]

    def test_is_not_made_in_a_work_tree(self, project, git):
        git(project, "init", "-q")
        Store.init(str(project / "fit")).close()
        assert os.listdir(project / "fit") == [".capsules"]
        assert sorted(os.listdir(project)) == [".git", "fit"]

    def test_is_made_where_a_directory_named_git_is_no_repository(self, project, git, assert_unseen):
        """git passes such a directory over, and `git init` makes a repository of it."""
        (project / ".git").mkdir()
        with Store.init(str(project)) as store:
            git(project, "init", "-q")
            assert_unseen(store, project)

    def test_lies_where_the_store_really_does(self, project, tmp_path):
        (tmp_path / "link").symlink_to(project)
        Store.init(str(tmp_path / "link")).close()
        assert self.lines(project) == b"/.capsules\n"

    def test_is_left_where_it_is_a_link_which_git_does_not_follow(self, project, tmp_path):
        (tmp_path / "elsewhere").write_text("*.o\n")
        (project / ".gitignore").symlink_to(tmp_path / "elsewhere")
        Store.init(str(project)).close()
        assert (tmp_path / "elsewhere").read_text() == "*.o\n"

    def test_that_cannot_be_written_stops_nobody(self, project, add):
        (project / ".gitignore").mkdir()
        with Store.init(str(project)) as store:
            assert add(store).new

    def test_has_its_line_once_however_many_make_the_store_at_once(self, project):
        makers = [subprocess.Popen([sys.executable, "-c", INIT, str(project)]) for _ in range(4)]
        assert [maker.wait() for maker in makers] == [0, 0, 0, 0]
        assert self.lines(project) == b"/.capsules\n"
