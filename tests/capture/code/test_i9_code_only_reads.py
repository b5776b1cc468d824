"""I9: capturing code only reads. Git is started, and writes nothing: no index, no lock, no object, no time."""

import os
import shutil
import subprocess

from capsulestore.capture.code import LiveSource


def test_i9_nothing_under_the_work_tree_or_its_git_directory_changes(repository, git, code_in, listing):
    (repository / "pkg/core.py").write_text("changed\n")
    (repository / "data.csv").write_text("staged\n")
    git(repository, "add", "data.csv")
    (repository / "found.py").write_text("")
    # Stale times in the index are what git would like to write anew.
    os.utime(repository / "main.py", ns=(1, 1))
    before = listing(repository)
    code = code_in(repository, LiveSource("editable", "pkg", str(repository / "pkg")), script="main.py")
    assert code.kept
    assert listing(repository) == before
    git(repository, "status")
    assert listing(repository) != before, "git writes its index, so this test can fail"


def test_i9_no_program_that_the_repository_names_is_run(repository, git, tmp_path, code_in):
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch '{tmp_path}/was-run'\nexit 1\n")
    trap.chmod(0o755)
    for setting in ("core.fsmonitor", "core.pager", "diff.external", "diff.trap.textconv", "diff.trap.command"):
        git(repository, "config", setting, str(trap))
    (repository / ".git/hooks").mkdir(exist_ok=True)
    for hook in ("fsmonitor-watchman", "post-index-change", "post-checkout", "pre-commit"):
        shutil.copy(trap, repository / ".git/hooks" / hook)
    (repository / ".gitattributes").write_text("*.py diff=trap\n")
    (repository / "main.py").write_text("changed\n")
    assert code_in(repository).kept
    assert not (tmp_path / "was-run").exists()
    subprocess.run(["git", "-C", repository, "diff"], capture_output=True, check=False)
    assert (tmp_path / "was-run").exists(), "git runs what is named, so this test can fail"


def test_i9_what_a_partial_clone_lacks_is_not_fetched(repository, git, tmp_path, code_in, listing):
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{repository}", "partial")
    partial = (tmp_path / "partial").resolve()
    git(partial, "read-tree", "HEAD")
    (partial / "main.py").write_text("changed\n")
    before = listing(partial)
    code = code_in(partial)
    assert code.as_json()["trees"][0]["changes"]
    assert listing(partial) == before
