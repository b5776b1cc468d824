"""What git knows of a work tree, whatever state and surroundings it is in."""

import os
import subprocess

import pytest

from capsulestore.capture.code import LiveSource


def only(code):
    (tree,) = code.as_json()["trees"]
    return tree


@pytest.fixture
def clone(repository, git, tmp_path):
    """A clone of the repository, its branch following the one cloned."""
    git(tmp_path, "clone", "-q", repository, "clone")
    return tmp_path.resolve() / "clone"


def test_the_commit_of_a_clone_is_on_its_remote(clone, repository, code_in, codes):
    code = code_in(clone)
    assert (only(code)["remote"], only(code)["on_remote"]) == (str(repository), True)
    assert codes(code) == []


def test_a_commit_that_was_not_pushed_is_on_no_remote(clone, git, code_in, codes):
    git(clone, "commit", "-q", "--allow-empty", "-m", "two")
    code = code_in(clone)
    assert not only(code)["on_remote"]
    assert codes(code) == ["not-on-a-remote"]
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/elsewhere")
    assert only(code_in(clone))["on_remote"]


def test_a_detached_head_has_the_commit_that_is_checked_out(clone, git, code_in):
    git(clone, "checkout", "-q", "--detach")
    assert only(code_in(clone))["on_remote"]
    assert only(code_in(clone))["commit"] == git(clone, "rev-parse", "HEAD")


def test_the_remote_is_that_of_the_branch_else_origin_else_the_only_one(repository, git, code_in):
    git(repository, "remote", "add", "fork", "https://example.org/fork.git")
    assert only(code_in(repository))["remote"] == "https://example.org/fork.git"
    git(repository, "remote", "add", "other.one", "https://example.org/other.git")
    assert "remote" not in only(code_in(repository))
    git(repository, "remote", "add", "origin", "https://example.org/origin.git")
    assert only(code_in(repository))["remote"] == "https://example.org/origin.git"
    git(repository, "config", "branch.main.remote", "other.one")
    assert only(code_in(repository))["remote"] == "https://example.org/other.git"


def test_a_remotes_url_is_recorded_without_its_secrets(repository, git, code_in, codes):
    git(repository, "remote", "add", "origin", "https://me:s3cret@example.org/x.git")
    code = code_in(repository)
    assert only(code)["remote"] == "https://example.org/x.git"
    assert "redacted" in codes(code)
    assert "s3cret" not in repr(code)


def test_a_directory_below_the_top_means_the_whole_work_tree(repository, code_in):
    (repository / "main.py").write_text("changed\n")
    assert code_in(repository / "pkg", root=repository).as_json() == code_in(repository).as_json()


def test_a_work_tree_around_the_store_is_named_by_its_absolute_path(repository, code_in):
    assert only(code_in(repository, root=repository / "pkg"))["name"] == str(repository)


def test_a_directory_in_no_work_tree_has_no_code(tmp_path, git, code_in):
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    (tmp_path / "empty" / ".git").mkdir(parents=True)
    for directory in (tmp_path, tmp_path / "bare.git", tmp_path / "empty"):
        assert code_in(directory.resolve()).as_json() == {}


def test_a_git_directory_and_a_store_are_no_work_trees(repository, git, code_in):
    git(repository, "init", "-q", "--bare", ".capsules")
    (repository / ".capsules" / ".git").write_text("gitdir: .\n")
    for directory in (".capsules", ".capsules/objects", ".git"):
        assert code_in(repository / directory, root=repository).as_json() == {}
    assert only(code_in(repository))["changes"] is None


def test_a_repository_without_a_commit_has_the_digest_of_its_files(tmp_path, git, code_in, codes):
    git(tmp_path, "init", "-q", "--object-format=sha256", "new")
    (tmp_path / "new" / "main.py").write_text("")
    git(tmp_path / "new", "add", ".")
    code = code_in((tmp_path / "new").resolve())
    assert only(code) == {"role": "work tree", "name": ".", "digest": git(tmp_path / "new", "write-tree")}
    assert codes(code) == []


def test_a_shallow_clone_is_as_good(repository, git, tmp_path, code_in):
    git(repository, "commit", "-q", "--allow-empty", "-m", "two")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", "shallow")
    there = only(code_in((tmp_path / "shallow").resolve()))
    assert (there["commit"], there["on_remote"], there["changes"]) == (git(repository, "rev-parse", "HEAD"), True, None)


def test_a_linked_work_tree_is_itself(repository, git, tmp_path, code_in, digest_of):
    git(repository, "worktree", "add", "-q", "-b", "side", tmp_path / "linked")
    (tmp_path / "linked" / "main.py").write_text("linked\n")
    there = only(code_in((tmp_path / "linked").resolve()))
    assert there["changes"] == digest_of({"main.py": ("100644", b"linked\n")})
    assert only(code_in(repository))["changes"] is None


def test_what_a_sparse_checkout_leaves_out_is_not_deleted(repository, git, code_in):
    git(repository, "sparse-checkout", "set", "--no-cone", "/main.py")
    assert not (repository / "pkg").exists()
    assert only(code_in(repository))["changes"] is None


def test_variables_that_name_another_repository_make_no_difference(repository, git, tmp_path, code_in, monkeypatch):
    before = code_in(repository)
    git(tmp_path, "init", "-q", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    assert code_in(repository) == before


def test_a_path_with_a_newline_is_a_directory_like_another(make_repository, tmp_path, code_in):
    top = make_repository(tmp_path.resolve() / "a\nsha1\n" / "project ")
    assert (only(code_in(top))["name"], only(code_in(top))["changes"]) == (".", None)


def test_without_git_the_files_are_hashed_and_that_is_told(repository, tmp_path, code_in, codes, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    code = code_in(repository)
    assert set(only(code)) == {"role", "name", "digest"}
    assert codes(code) == ["git-missing"]


def test_a_repository_that_git_refuses_is_hashed_and_that_is_told(repository, code_in, codes):
    if os.geteuid():
        pytest.skip("only root can give a repository to somebody else")
    for path in (repository, repository / ".git"):
        os.chown(path, 12345, 12345)
    code = code_in(repository)
    assert set(only(code)) == {"role", "name", "digest"}
    assert codes(code) == ["git-failed"]
    assert "dubious ownership" in code.findings[0].message


def test_a_damaged_repository_is_hashed_and_that_is_told(repository, code_in, codes):
    (repository / ".git" / "index").write_bytes(b"no index")
    code = code_in(repository)
    assert set(only(code)) == {"role", "name", "digest"}
    assert codes(code) == ["git-failed"]


@pytest.fixture
def submodule(repository, make_repository, git, tmp_path):
    """A submodule `inner` of the repository, committed."""
    algorithm = git(repository, "rev-parse", "--show-object-format")
    other = make_repository(tmp_path / "other", algorithm)
    git(repository, "submodule", "--quiet", "add", other, "inner")
    git(repository, "commit", "-q", "-m", "with a submodule")
    return repository / "inner"


def test_a_submodule_counts_by_its_commit(submodule, repository, git, code_in, codes):
    assert only(code_in(repository))["changes"] is None
    git(submodule, "commit", "-q", "--allow-empty", "-m", "moved")
    moved = only(code_in(repository))["changes"]
    assert moved
    git(repository, "add", "inner")
    assert only(code_in(repository))["changes"] == moved
    git(submodule, "commit", "-q", "--allow-empty", "-m", "moved again")
    assert only(code_in(repository))["changes"] not in {None, moved}


def test_changes_in_a_submodule_are_told_and_hashed(submodule, repository, code_in, codes, digest_of):
    (submodule / "main.py").write_text("changed\n")
    code = code_in(repository)
    assert only(code)["changes"]
    assert only(code)["submodules"] == {"inner": digest_of({"main.py": ("100644", b"changed\n")})}
    assert "submodule-changed" in codes(code)


def test_outputs_in_a_submodule_are_no_changes_in_it(submodule, repository, code_in):
    (submodule / "data.csv").write_text("3,4\n")
    assert "submodules" in only(code_in(repository))
    assert "submodules" not in only(code_in(repository, declared=["inner/*.csv"]))


def test_changes_in_a_submodule_of_a_submodule_are_hashed(submodule, make_repository, git, tmp_path, code_in):
    deepest = make_repository(tmp_path / "deepest", git(submodule, "rev-parse", "--show-object-format"))
    git(submodule, "submodule", "--quiet", "add", deepest, "deep")
    git(submodule, "commit", "-q", "-m", "deeper")
    digests = set()
    for text in ("one", "two"):
        (submodule / "deep/main.py").write_text(text)
        digests.add(only(code_in(submodule.parent))["submodules"]["inner"])
    assert len(digests) == 2


def test_a_file_replaced_by_one_as_large_and_as_old_is_seen_though_git_was_told_to_overlook_it(
    repository, git, code_in, digest_of
):
    # Long ago, so that git trusts the time that its index has.
    os.utime(repository / "main.py", ns=(10**18, 10**18))
    git(repository, "status")
    git(repository, "config", "core.checkStat", "minimal")
    (repository / "new").write_text("import pkg.cor2\n")
    os.utime(repository / "new", ns=(10**18, 10**18))
    (repository / "new").rename(repository / "main.py")
    assert git(repository, "status", "--porcelain") == "", "git overlooks it, so this test can fail"
    assert only(code_in(repository))["changes"] == digest_of({"main.py": ("100644", b"import pkg.cor2\n")})


def test_what_a_user_has_git_ignore_everywhere_counts_as_what_it_does_not(repository, git, tmp_path, code_in):
    (tmp_path / "ignored").write_text("dist/\n")
    git(repository, "config", "core.excludesFile", tmp_path / "ignored")
    (repository / "dist").mkdir()
    (repository / "dist/found.py").write_text("")
    assert only(code_in(repository))["changes"]


def test_an_added_directory_in_a_submodule_is_a_tree_of_its_own(submodule, repository, git, code_in):
    live = LiveSource("path", "", str(submodule / "pkg"))
    tree = code_in(repository, live).as_json()["trees"][0]
    assert (tree["name"], tree["path"]) == ("inner/pkg", "pkg")
    assert tree["tree"] == git(submodule, "rev-parse", "HEAD:pkg")


def test_few_processes_are_started_for_a_clean_clone(clone, code_in, tmp_path, monkeypatch):
    real = subprocess.run(["sh", "-c", "command -v git"], capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text(f'#!/bin/sh\necho x >>"{tmp_path}/started"\nexec "{real}" "$@"\n')
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    live = (LiveSource("editable", "one", str(clone)), LiveSource("path", "", str(clone / "pkg")))
    assert len(code_in(clone, *live).as_json()["trees"]) == 2
    assert (tmp_path / "started").read_text().count("x") == 3
