"""Is the code here what a capsule recorded? Committing it, or telling git of it, does not make it another."""

import os

import pytest

from capsulestore.verification.code import said_of_code


def test_untouched_code_is_the_same(top, git, record, check):
    manifest = record(top, script="main.py")
    work_tree, file = check(manifest, top)
    commit, tree = git(top, "rev-parse", "HEAD"), git(top, "rev-parse", "HEAD^{tree}")
    assert work_tree.as_dict() == {
        "role": "work tree",
        "name": ".",
        "recorded": {"commit": commit, "tree": tree, "on_remote": False, "changes": None},
        "current": {"commit": commit, "tree": tree, "changes": None},
        "state": "same",
    }
    assert (file.role, file.name, file.state, file.recorded) == ("file", "main.py", "same", file.current)
    assert list(said_of_code([work_tree, file])) == []


def test_changed_code_is_told_by_commit(top, git, record, check):
    manifest = record(top, script="main.py")
    old = git(top, "rev-parse", "--short=7", "HEAD")
    (top / "main.py").write_text("changed\n")
    assert list(said_of_code(check(manifest, top))) == [
        f"code: work tree `.`: {old}, now {old} with changes",
        "code: file `main.py`: is not what was recorded",
    ]
    with_changes = record(top)
    (top / "main.py").write_text("changed again\n")
    assert list(said_of_code(check(with_changes, top))) == [f"code: work tree `.`: {old} with changes, now with others"]
    git(top, "commit", "-q", "-am", "two")
    new = git(top, "rev-parse", "--short=7", "HEAD")
    assert list(said_of_code(check(with_changes, top))) == [f"code: work tree `.`: {old} with changes, now {new}"]


def test_what_was_changed_is_the_same_when_it_is_staged_and_committed_and_more_is_committed_and_taken_back(
    top, git, record, states, change_everything
):
    change_everything(top)
    manifest = record(top)
    git(top, "add", "-A")
    assert states(manifest, top) == ["same"]
    git(top, "commit", "-q", "-m", "two")
    assert states(manifest, top) == ["same"]
    git(top, "commit", "-q", "--amend", "-m", "two, better said")
    assert states(manifest, top) == ["same"]
    (top / "more.py").write_text("")
    assert states(manifest, top) == ["changed"]
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "three")
    assert states(manifest, top) == ["changed"]
    (top / "more.py").unlink()
    assert states(manifest, top) == ["same"]
    git(top, "commit", "-q", "-am", "four")
    assert states(manifest, top) == ["same"]


def test_a_clean_commit_is_the_same_while_its_files_are_whatever_is_committed(top, git, record, states):
    manifest = record(top)
    (top / "main.py").write_text("changed\n")
    git(top, "commit", "-q", "-am", "two")
    assert states(manifest, top) == ["changed"]
    git(top, "revert", "--no-edit", "HEAD")
    assert states(manifest, top) == ["same"]
    git(top, "checkout", "-q", "HEAD~1")
    (top / "main.py").write_text("import pkg.core\n")
    assert states(manifest, top) == ["same"]
    git(top, "reset", "-q", "--hard")
    assert states(manifest, top) == ["changed"]


def test_a_file_that_git_forgets_and_that_stays_is_the_same(top, git, record, states):
    manifest = record(top)
    git(top, "rm", "-q", "--cached", "pkg/core.py", "data.csv")
    git(top, "commit", "-q", "-m", "two")
    assert states(manifest, top) == ["same"]
    (top / "pkg/core.py").write_text("changed\n")
    assert states(manifest, top) == ["changed"]


def test_what_was_staged_and_is_no_module_counts(top, git, record, states):
    (top / "notes.txt").write_text("told\n")
    git(top, "add", "notes.txt")
    manifest = record(top)
    git(top, "commit", "-q", "-m", "two")
    assert states(manifest, top) == ["same"]
    (top / "notes.txt").write_text("changed\n")
    assert states(manifest, top) == ["changed"]


def test_outputs_are_no_code_then_and_now(top, git, record, states):
    manifest = record(top, outputs=[str(top / "data.csv")])
    (top / "data.csv").write_text("other results\n")
    assert states(manifest, top) == ["same"]
    git(top, "commit", "-q", "-am", "two")
    assert states(manifest, top) == ["same"]


@pytest.mark.parametrize("declared", ["results", "results/*.csv", "results/**/*.csv", "**/*.csv", "resu*"])
@pytest.mark.parametrize("refilled", [True, False])
def test_tracked_outputs_that_the_run_deletes_or_writes_anew_are_no_code(
    top, git, record, states, monkeypatch, declared, refilled
):
    (top / "results").mkdir()
    (top / "results/old.csv").write_text("1\n")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "results")
    monkeypatch.chdir(top)
    manifest = record(top, declared=[declared])
    (top / "results/old.csv").unlink()
    if refilled:
        (top / "results/new.csv").write_text("2\n")
        git(top, "add", ".")
    else:
        (top / "results").rmdir()
    assert states(manifest, top) == ["same"]
    (top / "main.py").write_text("changed\n")
    assert states(manifest, top) == ["changed"]


def test_a_submodule_that_is_edited_again_is_changed(top, git, tmp_path, record, states, manifest_of):
    git(tmp_path, "clone", "-q", top, "other")
    git(top, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", tmp_path / "other", "inner")
    git(top, "commit", "-q", "-m", "with a submodule")
    clean = record(top)
    (top / "inner/main.py").write_text("one\n")
    manifest = record(top)
    assert states(manifest, top) == ["same"]
    assert states(clean, top) == ["changed"]
    (top / "inner/main.py").write_text("two\n")
    assert states(manifest, top) == ["changed"]
    code = manifest.value["code"]
    not_hashed = {"trees": [{**code["trees"][0], "submodules": {"inner": None}}]}
    assert states(manifest_of(not_hashed), top) == ["unreadable"]


def test_checking_only_reads(top, git, record, states, change_everything):
    change_everything(top)
    manifest = record(top, script="main.py")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "two")
    os.utime(top / "main.py", ns=(1, 1))

    def listing():
        return {path: path.lstat() for path in top.rglob("*")}

    before = {path: (status.st_mtime_ns, status.st_size, status.st_ino) for path, status in listing().items()}
    assert states(manifest, top) == ["same", "same"]
    assert {path: (one.st_mtime_ns, one.st_size, one.st_ino) for path, one in listing().items()} == before
