"""What a stranger tries: each gets one clear line, a next step, the right status, and a store as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

WRONG = {
    # the command line
    "no such command": (["bogus"], 2, "bogus"),
    "no such option": (["add", "--frobnicate"], 2, "--frobnicate"),
    "a file given to add": (["add", "fit.csv"], 2, "--output fit.csv"),
    "a parameter without a value": (["add", "--param", "alpha"], 2, "KEY=VALUE"),
    "a parameter that is no JSON": (["add", "--param-json", "alpha={"], 2, "--param-json alpha={"),
    "a parameter that JSON cannot hold exactly": (["add", "--param-json", "n=12345678901234567890"], 2, "2^53"),
    "a parameter given twice over": (["add", "--param", "a=1", "--param-json", "a=1"], 2, "`a`"),
    "a parameter given twice": (["add", "--param", "a=1", "--param", "a=2"], 2, "twice"),
    "a parameter too large for a double": (["add", "--param-json", f"n={2**64}"], 2, "2^53"),
    "a layer for a diff that there is none of": (["diff", "@", "@", "--layer", "pyhton"], 2, "pyhton"),
    "an interpreter for two stored ones": (["diff", "@", "@", "--python", "python3"], 2, "--python"),
    "an environment file and an interpreter": (["add", "--environment", "e.json", "--python", "x"], 2, "--environment"),
    "an argument that is no text": (["show", "--json", os.fsdecode(b"\xff")], 3, "nothing is called"),
    "a layer that there is none of": (["capture", "--layer", "julia"], 2, "julia"),
    "too many names": (["verify", "@", "@"], 2, "@"),
    # names
    "an unknown tag": (["show", "nobody"], 3, "nobody"),
    "an unknown prefix": (["verify", "0000"], 3, "0000"),
    "an unknown digest": (["show", "0" * 64], 3, "0" * 64),
    "a prefix that is too short": (["show", "abc"], 3, "too short"),
    "a name with a space": (["show", "a b"], 3, "a b"),
    "an empty name": (["show", ""], 3, "``"),
    "a path to nothing": (["show", "@:python/packages/sixx"], 3, "did you mean `six`?"),
    "a layer where a capsule is needed": (["verify", "@:python"], 3, "neither a capsule nor an environment"),
    "an environment as a parent": (["add", "--parent", "@:"], 3, "no capsule"),
    "no such store": (["--store", "nowhere", "show"], 3, "capsule init"),
    # what failed here
    "no such interpreter": (["verify", "--python", "nowhere/python"], 6, "nowhere/python"),
    "an interpreter that is no Python": (["capture", "--python", "/bin/ls"], 6, "/bin/ls"),
    "an output that is not there": (["add", "--output", "nowhere.csv"], 6, "nowhere.csv"),
    "an environment file that is not there": (["add", "--environment", "nowhere.json"], 6, "nowhere.json"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_request_is_told_in_one_line_and_changes_nothing(case, capsule, store, project, unchanged):
    arguments, status, said = WRONG[case]
    capsule("add", "-m", "what is there")
    before = unchanged(project)
    done = capsule(*arguments)
    errors = [line for line in done.err.splitlines() if line.startswith(("error: ", '{"error":', '{"error": '))]
    assert (done.status, done.out, len(errors)) == (status, "", 1)
    assert said in done.err
    assert "Traceback" not in done.err
    assert unchanged(project) == before


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("not json", 6),
        ("[1, 2]", 2),
        ('{"python": {"packages": {"x": NaN}}}', 6),
        ("{}", 2),
        ('{"a": 1}', 2),
        ('{"": {}}', 2),
        ('{"environment_digest": "00", "environment": {}}', 2),
        ('{"environment_digest": "00"}', 2),
        ('{"python": ' + '{"a": ' * 200 + "1" + "}" * 201, 2),
    ],
)
def test_a_file_that_holds_no_environment_is_refused(text, status, capsule, store, project, unchanged):
    (project / "environment.json").write_text(text)
    before = unchanged(store)
    done = capsule("add", "--environment", "environment.json")
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith("error: ")
    assert unchanged(store) == before


def test_without_a_store_the_way_to_one_is_told(capsule, tmp_path):
    for command in (["add"], ["show"], ["verify"], ["diff", "@"]):
        done = capsule(*command, cwd=tmp_path)
        assert done.status == 3
        assert done.err.splitlines()[1] == "hint: make one with `capsule init`"


def test_an_empty_store_says_that_nothing_was_added(capsule, store):
    done = capsule("verify")
    assert (done.status, done.err.splitlines()[-1]) == (3, "hint: add one with `capsule add`")


def test_a_repository_that_is_no_store_is_left_alone(capsule, tmp_path, unchanged):
    for name, arguments in {"sha1": [], "sha256": ["--object-format=sha256"]}.items():
        repository = tmp_path / name / ".capsules"
        subprocess.run(["git", "init", "-q", "--bare", *arguments, repository], check=True)
        before = unchanged(repository)
        for command in (["init"], ["add"], ["show"]):
            done = capsule(*command, cwd=repository.parent)
            assert (done.status, done.out) == (4, "")
            assert "not a store of capsules" in done.err
        assert unchanged(repository) == before


def test_a_store_of_a_newer_schema_is_not_touched(capsule, store, unchanged):
    subprocess.run(["git", "config", "-f", store / "config", "capsulestore.schema", "99"], check=True)
    before = unchanged(store)
    for command in (["init"], ["add"], ["show"]):
        done = capsule(*command)
        assert done.status == 4
        assert "schema 99" in done.err
    assert unchanged(store) == before


def test_a_damaged_object_is_named_with_its_file(capsule, store):
    capsule("add")
    digest = capsule("add", "-m", "few new objects, each in a file of its own").line
    path = store / "objects" / digest[:2] / digest[2:]
    path.chmod(0o600)
    path.write_bytes(b"damaged" + path.read_bytes()[7:])
    done = capsule("show", digest)
    assert (done.status, done.out) == (4, "")
    assert digest in done.err
    assert str(path) in done.err


def test_what_names_hold_reaches_the_terminal_escaped(capsule, store):
    title = "red \x1b[31m alert \u202e and\nlines"
    capsule("add", "-m", title)
    shown = capsule("show").out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert r"red \x1b[31m alert" in shown
    assert capsule("show", "--json").json["manifest"]["title"] == title


def test_a_name_with_controls_is_escaped_in_the_error(capsule, store):
    done = capsule("show", "a\x1b]0;b")
    assert "\x1b" not in done.err


def test_paths_with_spaces_umlauts_and_newlines_are_kept(capsule, store, project):
    names = ["größe 1.csv", "two\nlines.csv"]
    for name in names:
        (project / name).write_text("1")
    capsule("add", *(part for name in names for part in ("--output", name)))
    outputs = capsule("show", "--json").json["manifest"]["outputs"]
    assert sorted(output["path"] for output in outputs) == sorted(names)
    assert capsule("verify").status == 0


def test_a_file_name_that_is_not_utf8_is_recorded_all_the_same(capsule, store, project):
    (project / os.fsdecode(b"r\xe9sultat.csv")).write_text("1")
    done = capsule("add", "--output", os.fsdecode(b"r\xe9sultat.csv"))
    assert done.status == 0
    (output,) = capsule("show", "--json").json["manifest"]["outputs"]
    assert output["path"] == r"r\xe9sultat.csv"


@pytest.fixture
def bound_by_permissions() -> list[str]:
    """How to run a command that permissions hold for, which root is above: without any of its capabilities."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


def test_a_store_that_may_not_be_written_is_told_and_left(store, project, capsule, bound_by_permissions, unchanged):
    capsule("add", "-m", "what is there")
    for path in (store, *store.rglob("*")):
        path.chmod(path.stat().st_mode & 0o555)
    before = unchanged(store)
    command = [*bound_by_permissions, sys.executable, "-m", "capsulestore_cli", "add", "--json", "-m", "more"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (6, "")
    assert json.loads(done.stderr)["error"]["code"] == "store_unwritable"
    assert unchanged(store) == before


def test_a_recorded_file_that_may_not_be_read_leaves_the_verdict(store, project, capsule, bound_by_permissions):
    (project / "out.csv").write_text("1")
    capsule("add", "--output", "out.csv")
    (project / "out.csv").chmod(0)
    command = [*bound_by_permissions, sys.executable, "-m", "capsulestore_cli", "verify", "--json"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["verdict"]) == (1, "identical")
    assert answer["files"] == [{"path": "out.csv", "state": "unreadable"}]
