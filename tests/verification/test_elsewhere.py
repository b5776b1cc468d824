"""Recorded code in another place, in another repository, in none, or not at all."""

import json
import os
import shutil
import subprocess
import sys

from capsulestore.capture.code import LiveSource, capture_code
from capsulestore.verification.code import check_code, said_of_code


def test_a_clone_without_the_recorded_commit_is_the_same_where_its_tree_is(top, tmp_path, git, record, states):
    manifest = record(top)
    shutil.copytree(top, tmp_path / "again")
    again = (tmp_path / "again").resolve()
    shutil.rmtree(again / ".git")
    git(again, "init", "-q", f"--object-format={git(top, 'rev-parse', '--show-object-format')}")
    git(again, "add", ".")
    git(again, "commit", "-q", "-m", "history begins anew")
    assert states(manifest, again) == ["same"]
    (again / "main.py").write_text("changed\n")
    git(again, "commit", "-q", "-am", "two")
    assert states(manifest, again) == ["changed"]


def test_a_repository_in_another_object_format_cannot_be_compared(top, tmp_path, git, record, states):
    manifest = record(top)
    shutil.rmtree(top / ".git")
    other = {"40": "sha256", "64": "sha1"}[str(len(manifest.value["code"]["trees"][0]["tree"]))]
    git(top, "init", "-q", f"--object-format={other}")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "one")
    assert states(manifest, top) == ["unreadable"]


def test_a_tree_that_git_did_not_know_is_the_same_when_it_does(top, git, record, check, states):
    shutil.rmtree(top / ".git")
    live = LiveSource("editable", "a", str(top))
    manifest = record(top, live)
    assert [set(one) for one in manifest.value["code"]["trees"]] == [{"role", "name", "digest"}]
    git(top, "init", "-q")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "one")
    assert states(manifest, top, live) == ["same"]
    (top / "main.py").write_text("changed\n")
    assert list(said_of_code(check(manifest, top, live))) == ["code: editable `a`: is not what was recorded"]


def test_a_tree_that_git_knew_and_does_not_any_more_cannot_be_compared(top, record, check):
    live = LiveSource("editable", "a", str(top))
    manifest = record(top, live)
    shutil.rmtree(top / ".git")
    assert list(said_of_code(check(manifest, top, live))) == [
        "code: editable `a`: cannot be compared with what was recorded",
        "code: work tree `.`: is not here",
    ]


def test_what_takes_no_part_here_is_missing(top, tmp_path, record, check, states):
    lib = tmp_path.resolve() / "lib"
    lib.mkdir()
    live = (LiveSource("editable", "a", str(top / "pkg")), LiveSource("path", "", str(lib)))
    manifest = record(top, *live, script="main.py")
    assert states(manifest, top, *live) == ["same"] * 4
    (top / "main.py").unlink()
    shutil.rmtree(top / ".git")
    lib.rmdir()
    checks = check(manifest, top)
    assert [(one.state, one.current) for one in checks] == [("missing", None)] * 4
    assert next(iter(said_of_code(checks))) == "code: editable `a`: is not here"


def test_the_directory_that_a_program_started_in_is_found_again(tmp_path, record, states):
    here = tmp_path.resolve()
    (here / "scripts").mkdir()
    (here / "scripts/sibling.py").write_text("x = 1\n")
    manifest = record(here, starts_in="scripts")
    (here / "scripts/results.txt").write_text("no code\n")
    assert states(manifest, here) == ["same"]
    (here / "scripts/sibling.py").write_text("x = 2\n")
    assert states(manifest, here) == ["changed"]
    shutil.rmtree(here / "scripts")
    assert states(manifest, here) == ["missing"]


def test_a_work_tree_elsewhere_is_not_taken_for_the_one_around_the_working_directory(top, tmp_path, git, manifest_of):
    store = tmp_path.resolve() / "store"
    store.mkdir()
    manifest = manifest_of(capture_code((), directory=str(top), root=str(store)).as_json())
    git(tmp_path, "clone", "-q", top, "clone")
    (tmp_path / "clone/main.py").write_text("changed\n")
    clone = str((tmp_path / "clone").resolve())
    assert [one.state for one in check_code(manifest, (), directory=clone, root=str(store))] == ["same"]
    shutil.rmtree(top)
    assert [one.state for one in check_code(manifest, (), directory=clone, root=str(store))] == ["missing"]


ASCII = (
    "import json, sys\nfrom capsulestore.model.manifest import Manifest\n"
    "from capsulestore.verification.code import check_code\n"
    "manifest = Manifest.parse(json.load(open(sys.argv[1])))\n"
    "print(*[one.state for one in check_code(manifest, (), directory=sys.argv[2], root=sys.argv[2])])\n"
)


def test_names_that_the_locale_cannot_say_are_found(tmp_path, record):
    here = tmp_path.resolve() / "here"
    (here / "größe").mkdir(parents=True)
    (here / "größe/maß.py").write_text("")
    manifest = record(here, starts_in="größe", script="größe/maß.py", declared=["größe/*.txt", "ergebnis.ü"])
    (tmp_path / "manifest.json").write_text(json.dumps(manifest.value))
    environ = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", ASCII, tmp_path / "manifest.json", here]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert (done.stdout, done.stderr) == ("same same\n", "")


def test_the_work_tree_is_found_from_the_store_wherever_one_stands(top, tmp_path, record, states):
    manifest = record(top)
    assert states(manifest, top, directory=tmp_path) == ["same"]
    assert states(manifest, top, directory=top / "pkg") == ["same"]


def test_a_work_tree_around_the_store_is_found_in_another_place(top, tmp_path, git, manifest_of):
    code = capture_code((), directory=str(top), root=str(top / "pkg"))
    assert os.path.isabs(code.as_json()["trees"][0]["name"])
    git(tmp_path, "clone", "-q", top, "clone")
    clone = (tmp_path / "clone").resolve()
    checks = check_code(manifest_of(code.as_json()), (), directory=str(clone), root=str(clone / "pkg"))
    assert [one.state for one in checks] == ["same"]
