"""Input and output files as a manifest lists them: path from where the store is, SHA-256, size."""

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from capsulestore.capture.artifacts import Artifact, digest_artifacts, files_at, recorded_path
from capsulestore.errors import FileProblem


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "root" / "data" / "inner").mkdir(parents=True)
    for name, text in {"a.csv": "1\n", "data/b.csv": "2\n", "data/inner/c.csv": "3\n"}.items():
        (tmp_path / "root" / name).write_text(text)
    return tmp_path / "root"


def artifact(path: str, data: bytes) -> Artifact:
    return Artifact(path, hashlib.sha256(data).hexdigest(), len(data))


def test_a_file_has_path_sha256_and_size(root):
    (found,) = digest_artifacts([str(root / "a.csv")], root=str(root))
    assert found.as_dict() == {"path": "a.csv", "sha256": hashlib.sha256(b"1\n").hexdigest(), "size": 2}


def test_a_directory_stands_for_all_files_below_it(root):
    found = digest_artifacts([str(root / "data")], root=str(root))
    assert found == [artifact("data/b.csv", b"2\n"), artifact("data/inner/c.csv", b"3\n")]


def test_each_file_is_listed_once_and_sorted_however_it_is_named(root, monkeypatch):
    monkeypatch.chdir(root)
    names = ["data/inner", "./a.csv", "data", str(root / "a.csv"), "data/../a.csv", "data/b.csv"]
    assert [found.path for found in digest_artifacts(names, root=str(root))] == [
        "a.csv",
        "data/b.csv",
        "data/inner/c.csv",
    ]


def test_no_paths_are_no_artifacts(root):
    assert digest_artifacts([], root=str(root)) == []


def test_an_empty_file_is_a_file(root):
    (root / "empty").touch()
    assert digest_artifacts([str(root / "empty")], root=str(root)) == [artifact("empty", b"")]


def test_a_link_to_a_file_is_read_through(root):
    (root / "link.csv").symlink_to("data/b.csv")
    assert digest_artifacts([str(root / "link.csv")], root=str(root)) == [artifact("link.csv", b"2\n")]


PATHS: dict[str, tuple[str, str]] = {
    "inside": ("{root}/data/b.csv", "data/b.csv"),
    "inside, with dots": ("{root}/data/./inner/../b.csv", "data/b.csv"),
    "relative": ("data/b.csv", "data/b.csv"),
    "a name that begins with dots": ("..data/x", "..data/x"),
    "a name of dots alone": (".../x", ".../x"),
    "with a space and umlauts": ("größe x.csv", "größe x.csv"),
    "not UTF-8": ("caf\udce9.csv", "caf\\xe9.csv"),
    "outside": ("{root}/../elsewhere/x", "{outside}/elsewhere/x"),
    "beside, with the same beginning": ("{root}-2/x", "{root}-2/x"),
    "above": ("..", "{outside}"),
    "absolute": ("/etc/hostname", "/etc/hostname"),
}


@pytest.mark.parametrize(("path", "recorded"), PATHS.values(), ids=PATHS.keys())
def test_a_path_is_recorded_from_the_root_or_absolute(path, recorded, root, monkeypatch):
    monkeypatch.chdir(root)
    places = {"root": root, "outside": root.parent}
    assert recorded_path(path.format(**places), str(root)) == recorded.format(**places)


def test_a_path_has_a_form_in_json_whatever_its_bytes(root):
    (root / os.fsdecode(b"caf\xe9.csv")).write_text("1\n")
    (found,) = digest_artifacts([str(root / os.fsdecode(b"caf\xe9.csv"))], root=str(root))
    assert json.loads(json.dumps(found.as_dict()).encode()) == found.as_dict()


@pytest.mark.parametrize("name", ["missing", "missing/below", "a.csv/below", "pipe", "null\0byte"])
def test_what_is_no_file_is_told_by_its_name(name, root):
    os.mkfifo(root / "pipe")
    with pytest.raises(FileProblem, match=name.partition("\0")[0]):
        digest_artifacts([str(root / name)], root=str(root))


DIGEST_APART = """
import sys
from capsulestore.capture.artifacts import digest_artifacts
from capsulestore.errors import FileProblem
try:
    print([artifact.path for artifact in digest_artifacts([sys.argv[1]], root=sys.argv[1])])
except FileProblem as problem:
    print("problem:", problem.message)
"""


@pytest.mark.parametrize("what", ["a.csv", "data"])
def test_a_file_or_directory_that_may_not_be_read_is_told(what, root, as_nobody_special, run_command):
    (root / what).chmod(0o000)
    try:
        said = run_command(*as_nobody_special, sys.executable, "-c", DIGEST_APART, root)
    finally:
        (root / what).chmod(0o755)
    assert said.startswith("problem:")
    assert what in said


def test_what_is_nobodys_output_is_not_looked_at_below_a_directory(root):
    for directory in (".git", ".capsules", "environment"):
        (root / directory).mkdir()
        (root / directory / "file").write_text("x")
    (root / "environment" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    assert [found.path for found in digest_artifacts([str(root)], root=str(root))] == [
        "a.csv",
        "data/b.csv",
        "data/inner/c.csv",
    ]


def test_a_link_to_a_directory_is_followed_and_a_loop_ends(root):
    (root / "inner").symlink_to(root / "data" / "inner")
    (root / "data" / "again").symlink_to(root)
    paths = [found.path for found in digest_artifacts([str(root / "inner"), str(root / "data")], root=str(root))]
    assert "data/inner/c.csv" in paths
    assert len(paths) == len(set(paths))


def test_a_directory_is_walked_no_further_than_files_are_asked_for(root):
    found = files_at(str(root))
    assert next(found) == str(root / "a.csv")
    (root / "data" / "later.csv").touch()
    assert str(root / "data" / "later.csv") in found


def test_a_directory_without_a_file_is_told(root):
    (root / "empty").mkdir()
    with pytest.raises(FileProblem, match="no file in the directory"):
        digest_artifacts([str(root / "empty")], root=str(root))
