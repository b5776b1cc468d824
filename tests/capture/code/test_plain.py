"""A tree that git does not know has the digest that git would give its files in SHA-256; git is the judge."""

import os

import pytest

from capsulestore.capture.code import LiveSource
from capsulestore.capture.code.declared import Declared
from capsulestore.capture.code.plain import digest_of_files


@pytest.fixture
def plain(tmp_path):
    """A directory of sources in no repository, with what a tree can hold."""
    top = tmp_path.resolve() / "plain"
    (top / "pkg" / "deep").mkdir(parents=True)
    (top / "pkg.d").mkdir()
    (top / "empty").mkdir()
    for path in ("pkg/deep/core.py", "pkg/größe.py", "pkg.d/x.py", "pkg-a.py", "new\nline.py", "data.csv"):
        (top / path).write_text(f"# {path}\n")
    with open(os.path.join(os.fsencode(top), b"caf\xe9.py"), "wb") as file:
        file.write(b"")
    (top / "tool").write_text("#!/bin/sh\n")
    (top / "tool").chmod(0o755)
    (top / "link.py").symlink_to("pkg/deep/core.py")
    (top / "nowhere").symlink_to("/no/such/place")
    return top


def by_git(git, directory, tmp_path):
    repository = tmp_path / "judge.git"
    git(tmp_path, "init", "-q", "--bare", "--object-format=sha256", repository)
    environ = {"GIT_DIR": str(repository), "GIT_WORK_TREE": str(directory)}
    git(directory, "add", "-A", "-f", ".", **environ)
    return git(directory, "write-tree", **environ)


def test_the_digest_is_gits(plain, git, tmp_path):
    assert str(digest_of_files(str(plain), Declared())) == by_git(git, plain, tmp_path)


def test_a_directory_without_files_has_gits_empty_tree(git, tmp_path):
    (tmp_path / "none").mkdir()
    assert str(digest_of_files(str(tmp_path / "none"), Declared())) == by_git(git, tmp_path / "none", tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "pkg/__pycache__/core.cpython-311.pyc",
        ".git/config",
        ".capsules/HEAD",
        ".venv/lib/x.py",
        "venv/pyvenv.cfg",
        "node_modules/x.js",
        "pkg.egg-info/PKG-INFO",
        "pkg-1.0.dist-info/RECORD",
    ],
)
def test_what_is_no_source_is_no_part_of_it(plain, path):
    before = digest_of_files(str(plain), Declared())
    (plain / path).parent.mkdir(parents=True, exist_ok=True)
    (plain / path).write_text("x")
    assert digest_of_files(str(plain), Declared()) == before


def test_a_pipe_is_no_part_of_it(plain):
    before = digest_of_files(str(plain), Declared())
    os.mkfifo(plain / "pipe")
    assert digest_of_files(str(plain), Declared()) == before


def test_inputs_and_outputs_are_no_part_of_it(plain, code_in):
    live = LiveSource("editable", "plain", str(plain))
    (before,) = code_in(plain.parent, live).as_json()["trees"]
    assert before == {"role": "editable", "name": "plain", "digest": str(digest_of_files(str(plain), Declared()))}
    (plain / "results").mkdir()
    (plain / "results/a.csv").write_text("")
    assert code_in(plain.parent, live).as_json()["trees"] != [before]
    assert code_in(plain.parent, live, declared=["plain/results"]).as_json()["trees"] == [before]


def test_of_a_directory_on_the_search_path_only_what_import_would_find_counts(plain, code_in):
    live = LiveSource("path", "", str(plain))
    (before,) = code_in(plain.parent, live).as_json()["trees"]
    (plain / "results.csv").write_text("1\n")
    (plain / "data.csv").unlink()
    assert code_in(plain.parent, live).as_json()["trees"] == [before]
    (plain / "pkg/_fast.abi3.so").write_bytes(b"")
    (with_extension,) = code_in(plain.parent, live).as_json()["trees"]
    (plain / "pkg/deep/core.py").write_text("changed\n")
    (changed,) = code_in(plain.parent, live).as_json()["trees"]
    assert len({before["digest"], with_extension["digest"], changed["digest"]}) == 3


def test_a_tree_is_found_by_a_link_to_it(plain, tmp_path):
    (tmp_path / "link").symlink_to(plain)
    assert digest_of_files(str(tmp_path / "link"), Declared()) == digest_of_files(str(plain), Declared())


def test_a_tree_that_is_too_large_is_not_hashed(plain, code_in, codes):
    with open(plain / "sparse.bin", "wb") as file:
        file.truncate(256 * 2**20 + 1)
    code = code_in(plain.parent, LiveSource("editable", "plain", str(plain)))
    assert code.as_json()["trees"] == [{"role": "editable", "name": "plain", "unhashed": "too large"}]
    assert codes(code) == ["unhashed"]
    assert code.findings[0].incomplete


def test_sources_that_are_gone_are_told(tmp_path, code_in, codes):
    live = (LiveSource("editable", "gone", str(tmp_path / "gone")), LiveSource("editable", "lost", ""))
    code = code_in(tmp_path.resolve(), *live)
    assert code.as_json()["trees"] == [
        {"role": "editable", "name": "gone", "unhashed": "unreadable"},
        {"role": "editable", "name": "lost", "unhashed": "unreadable"},
    ]
    assert codes(code) == ["source-missing", "source-missing"]


def test_without_any_code_nothing_is_said(tmp_path, code_in):
    assert code_in(tmp_path.resolve()).as_json() == {}
