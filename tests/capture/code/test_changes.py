"""`changes`: what of a work tree is not as its commit has it, by a digest that anybody can compute."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsulestore.capture.code.changes import digest_of_changes
from capsulestore.capture.code.walk import Entry


def changed(code):
    return code.as_json()["trees"][0]["changes"]


def test_a_clean_work_tree_has_none(repository, git, code_in):
    (tree,) = code_in(repository).as_json()["trees"]
    assert tree == {
        "role": "work tree",
        "name": ".",
        "commit": git(repository, "rev-parse", "HEAD"),
        "tree": git(repository, "rev-parse", "HEAD^{tree}"),
        "on_remote": False,
        "changes": None,
    }


def test_a_file_that_was_only_touched_is_none(repository, code_in):
    os.utime(repository / "main.py", ns=(1, 1))
    assert changed(code_in(repository)) is None


def test_a_changed_file_counts_by_its_bytes_staged_or_not(repository, git, code_in, digest_of):
    (repository / "pkg/core.py").write_text("x = 2\n")
    expected = digest_of({"pkg/core.py": ("100644", b"x = 2\n")})
    assert changed(code_in(repository)) == expected
    git(repository, "add", ".")
    assert changed(code_in(repository)) == expected


def test_a_file_changed_in_the_index_and_back_on_disk_counts_by_what_is_on_disk(repository, git, code_in, digest_of):
    (repository / "main.py").write_text("staged\n")
    git(repository, "add", ".")
    (repository / "main.py").write_text("on disk\n")
    assert changed(code_in(repository)) == digest_of({"main.py": ("100644", b"on disk\n")})


def test_a_deleted_file_is_null(repository, code_in, digest_of):
    (repository / "pkg/core.py").unlink()
    assert changed(code_in(repository)) == digest_of({"pkg/core.py": None})


def test_a_mode_alone_counts(repository, code_in, digest_of):
    (repository / "main.py").chmod(0o755)
    (repository / "pkg/tool.sh").chmod(0o644)
    expected = {"main.py": ("100755", b"import pkg.core\n"), "pkg/tool.sh": ("100644", b"#!/bin/sh\n")}
    assert changed(code_in(repository)) == digest_of(expected)


def test_a_link_counts_by_its_target(repository, git, code_in, digest_of):
    (repository / "main.py").unlink()
    (repository / "main.py").symlink_to("pkg/core.py")
    (repository / "found.py").symlink_to("nowhere/at all")
    expected = {"main.py": ("120000", b"pkg/core.py"), "found.py": ("120000", b"nowhere/at all")}
    assert changed(code_in(repository)) == digest_of(expected)


def test_a_file_that_a_directory_replaced_is_gone(repository, code_in, digest_of):
    (repository / "main.py").unlink()
    (repository / "main.py").mkdir()
    (repository / "main.py" / "inner.py").write_text("")
    assert changed(code_in(repository)) == digest_of({"main.py": None, "main.py/inner.py": ("100644", b"")})


def test_a_renamed_file_is_gone_and_there(repository, git, code_in, digest_of):
    git(repository, "config", "status.renames", "copies")
    git(repository, "mv", "data.csv", "moved.csv")
    assert changed(code_in(repository)) == digest_of({"data.csv": None, "moved.csv": ("100644", b"1,2\n")})


def test_a_file_in_conflict_counts_by_what_is_on_disk(repository, git, code_in, digest_of):
    git(repository, "checkout", "-q", "-b", "other")
    (repository / "main.py").write_text("theirs\n")
    git(repository, "commit", "-q", "-am", "theirs")
    git(repository, "checkout", "-q", "main")
    (repository / "main.py").write_text("ours\n")
    git(repository, "commit", "-q", "-am", "ours")
    with pytest.raises(AssertionError, match="CONFLICT"):
        git(repository, "merge", "other")
    on_disk = (repository / "main.py").read_bytes()
    assert b"<<<<<<<" in on_disk
    assert changed(code_in(repository)) == digest_of({"main.py": ("100644", on_disk)})


def test_a_file_told_to_git_counts_whatever_it_is_and_another_only_where_import_finds_it(
    repository, git, code_in, digest_of
):
    (repository / "told.txt").write_text("told\n")
    git(repository, "add", "told.txt")
    (repository / "untold.txt").write_text("untold\n")
    (repository / "untold.py").write_text("untold = True\n")
    expected = {"told.txt": ("100644", b"told\n"), "untold.py": ("100644", b"untold = True\n")}
    assert changed(code_in(repository)) == digest_of(expected)


def test_a_file_that_git_forgot_counts_by_what_is_on_disk_where_import_finds_it(repository, git, code_in, digest_of):
    git(repository, "rm", "-q", "--cached", "main.py", "data.csv")
    expected = {"main.py": ("100644", b"import pkg.core\n"), "data.csv": None}
    assert changed(code_in(repository)) == digest_of(expected)


def test_inputs_and_outputs_are_no_code(repository, code_in, digest_of):
    (repository / "data.csv").write_text("3,4\n")
    (repository / "results").mkdir()
    (repository / "results/generated.py").write_text("")
    (repository / "pkg/core.py").write_text("x = 2\n")
    declared = [str(repository / "data.csv"), str(repository / "results")]
    assert changed(code_in(repository, declared=declared)) == digest_of({"pkg/core.py": ("100644", b"x = 2\n")})
    code = code_in(repository, declared=[*declared, "pkg"])
    assert changed(code) is None
    assert code.as_json()["declared"] == ["data.csv", "pkg", "results"]


@pytest.mark.parametrize("name", ["a blank.py", "größe.py", "new\nline.py", 'quo"te.py', "tab\t.py", ":(top)x.py"])
def test_any_name_is_one_path(repository, git, code_in, digest_of, name):
    (repository / name).write_text("1\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "two")
    assert changed(code_in(repository)) is None
    (repository / name).write_text("2\n")
    code = code_in(repository)
    assert changed(code) == digest_of({name: ("100644", b"2\n")})
    assert b"+2\n" in code.kept["code/work tree/changes.patch"]


def test_bytes_that_are_no_text_are_escaped_in_a_path(repository, git, code_in, digest_of):
    path = os.path.join(os.fsencode(repository), b"caf\xe9.txt")
    with open(path, "wb") as file:
        file.write(b"1\n")
    git(repository, "add", ".")
    assert changed(code_in(repository)) == digest_of({r"caf\xe9.txt": ("100644", b"1\n")})


ENTRIES = st.none() | st.builds(Entry, st.sampled_from(["100644", "100755", "120000"]), st.text("0123456789abcdef"))


@given(st.dictionaries(st.binary(min_size=1), ENTRIES, min_size=1), st.randoms())
def test_the_order_in_which_files_are_met_makes_no_difference(entries, random):
    shuffled = list(entries.items())
    random.shuffle(shuffled)
    assert digest_of_changes(dict(shuffled)) == digest_of_changes(entries)
