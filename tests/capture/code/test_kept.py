"""What is kept whole of uncommitted code, and what never is."""

import pytest

from capsulestore.capture.code import LiveSource
from capsulestore.model.capsule import decode_files, encode_files

PATCH = "code/work tree/changes.patch"
SECRET = "password = 'hunter2hunter2'\n"


def test_a_clean_work_tree_keeps_nothing(repository, code_in):
    assert code_in(repository).kept == {}


def test_the_patch_gives_the_files_again(repository, git, tmp_path, code_in):
    (repository / "main.py").write_text("changed\n")
    (repository / "main.py").chmod(0o755)
    (repository / "data.csv").unlink()
    (repository / "pkg/größe.bin").write_bytes(bytes(range(256)))
    git(repository, "add", "pkg")
    git(repository, "config", "diff.noprefix", "true")
    git(repository, "config", "color.ui", "always")
    kept = code_in(repository).kept
    assert list(kept) == [PATCH]
    git(tmp_path, "clone", "-q", repository, "again")
    (tmp_path / "patch").write_bytes(kept[PATCH])
    git(tmp_path / "again", "apply", "--index", tmp_path / "patch")
    git(repository, "add", ".")
    assert git(tmp_path / "again", "write-tree") == git(repository, "write-tree")


def test_untracked_modules_are_kept_beside_it_and_extension_modules_are_not(repository, code_in):
    for path in ("new/größe.py", "ignored.py", "_fast.so", "notes.txt"):
        (repository / path).parent.mkdir(exist_ok=True)
        (repository / path).write_text(f"# {path}\n")
    kept = code_in(repository).kept
    assert kept == {
        f"code/work tree/untracked/{path}": f"# {path}\n".encode() for path in ("ignored.py", "new/größe.py")
    }
    encoded = encode_files(kept)
    assert decode_files(encoded.id, encoded.objects.__getitem__) == kept


def test_the_patch_of_an_editable_in_a_directory_has_nothing_of_the_others(repository, code_in):
    (repository / "pkg/core.py").write_text("changed\n")
    (repository / "main.py").write_text("changed\n")
    code = code_in(repository.parent, LiveSource("editable", "pkg", str(repository / "pkg")))
    (patch,) = code.kept.values()
    assert list(code.kept) == ["code/pkg/changes.patch"]
    assert b"b/pkg/core.py" in patch
    assert b"main.py" not in patch


def test_what_is_in_two_trees_is_kept_once(repository, code_in):
    (repository / "pkg/core.py").write_text("changed\n")
    live = (LiveSource("editable", "all", str(repository)), LiveSource("editable", "pkg", str(repository / "pkg")))
    assert list(code_in(repository, *live).kept) == [PATCH]
    assert list(code_in(repository.parent, *live).kept) == ["code/all/changes.patch"]


def test_an_added_directory_keeps_under_its_path(repository, code_in):
    (repository / "pkg/core.py").write_text("changed\n")
    code = code_in(repository.parent, LiveSource("path", "", str(repository / "pkg")))
    assert list(code.kept) == ["code/path project%2Fpkg/changes.patch"]
    assert encode_files(code.kept)


def test_an_input_that_changed_is_not_in_the_patch(repository, code_in):
    (repository / "data.csv").write_text("changed\n")
    (repository / "main.py").write_text("changed\n")
    kept = code_in(repository, declared=["data.csv"]).kept
    assert b"main.py" in kept[PATCH]
    assert b"data.csv" not in kept[PATCH]
    assert code_in(repository, declared=["data.csv", "main.py"]).kept == {}


def test_a_credential_is_not_kept_and_what_is_beside_it_is(repository, git, code_in, codes, digest_of):
    (repository / "main.py").write_text(SECRET)
    (repository / "pkg/core.py").write_text("x = 2\n")
    (repository / "secret.py").write_text(SECRET)
    (repository / "plain.py").write_text("y = 1\n")
    code = code_in(repository)
    assert list(code.kept) == [PATCH, "code/work tree/untracked/plain.py"]
    assert b"b/pkg/core.py" in code.kept[PATCH]
    assert not any(b"hunter2" in data for data in code.kept.values())
    (finding,) = [finding for finding in code.findings if finding.code == "redacted"]
    assert "`main.py`, `secret.py`" in finding.message
    assert code.as_json()["trees"][0]["changes"] == digest_of(
        {
            "main.py": ("100644", SECRET.encode()),
            "pkg/core.py": ("100644", b"x = 2\n"),
            "secret.py": ("100644", SECRET.encode()),
            "plain.py": ("100644", b"y = 1\n"),
        }
    )


def test_a_credential_that_was_taken_out_is_not_kept_either(repository, git, code_in):
    (repository / "main.py").write_text(SECRET)
    git(repository, "commit", "-q", "-am", "two")
    (repository / "main.py").write_text("import os\n")
    assert code_in(repository).kept == {}


def test_a_credential_in_a_binary_file_is_not_kept(repository, git, code_in):
    (repository / "main.py").write_bytes(bytes(range(32)) + SECRET.encode() + bytes(32))
    assert code_in(repository).kept == {}
    (repository / "main.py").write_bytes(bytes(range(32)))
    assert list(code_in(repository).kept) == [PATCH]


@pytest.mark.parametrize("size", [2**20, 33 * 2**20])
def test_a_large_patch_is_not_kept_and_that_is_told(repository, code_in, codes, size):
    (repository / "main.py").write_text("x = 1\n" * (size // 6))
    code = code_in(repository)
    assert code.kept == {}
    assert "not-kept" in codes(code)
    assert code.as_json()["trees"][0]["changes"]


def test_a_large_file_that_git_does_not_track_is_not_kept_and_that_is_told(repository, code_in, codes):
    (repository / "large.py").write_bytes(b"#" * (64 * 2**10 + 1))
    (repository / "small.py").write_bytes(b"#" * 64 * 2**10)
    code = code_in(repository)
    assert list(code.kept) == ["code/work tree/untracked/small.py"]
    (finding,) = [finding for finding in code.findings if finding.code == "not-kept"]
    assert "`large.py`" in finding.message


def test_all_files_that_git_does_not_track_are_kept_up_to_a_size_together(repository, code_in, codes):
    for number in range(20):
        (repository / f"m{number:02}.py").write_bytes(b"#" * 60_000)
    code = code_in(repository)
    assert len(code.kept) == 2**20 // 60_000
    assert "not-kept" in codes(code)


def test_a_path_that_a_store_has_no_name_for_is_not_kept_and_that_is_told(repository, code_in, codes):
    (repository / ("ö" * 100 + ".py")).write_text("")
    code = code_in(repository)
    assert code.kept == {}
    assert "not-kept" in codes(code)
