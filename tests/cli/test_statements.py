"""`capsule verify --record`: verdicts kept in the store as statements about their capsules, as in-toto writes them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from capsulestore.model.digest import Digest
from capsulestore.store import Store

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
FOUR, EIGHT = {"OMP_NUM_THREADS": "4"}, {"OMP_NUM_THREADS": "8"}


@pytest.fixture
def digest(capsule, store, project) -> str:
    (project / "fit.csv").write_text("1")
    return capsule("add", "-m", "first fit", "--output", "fit.csv", env=FOUR).line


@pytest.fixture
def git(store) -> Callable[..., str]:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", store, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return git


@pytest.fixture
def stated(capsule, store) -> Callable[..., dict]:
    """Verify and record; return the statement with its digest, the status and the whole answer."""

    def stated(*options: str, env: dict[str, str] = FOUR) -> dict:
        done = capsule("verify", "--record", "--json", *options, env=env)
        digest = done.json["statement_id"]
        with Store(str(store)) as opened:
            value = opened.statement(Digest.parse(digest)).value
        return {"status": done.status, "answer": done.json, "digest": digest, "value": value}

    return stated


def test_an_identical_environment_has_passed_as_in_toto_says_it(digest, stated):
    found = stated()
    statement = found["value"]
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": "first fit", "digest": {"gitTree": digest}}]
    assert statement["predicateType"] == TEST_RESULT
    predicate = statement["predicate"]
    assert (found["status"], predicate["result"], predicate["verdict"]) == (0, "PASSED", "identical")
    (configuration,) = predicate["configuration"]
    assert configuration["digest"] == {"gitTree": found["answer"]["current_digest"]}
    assert configuration["annotations"]["rules"].keys() == {"python", "system", "variables", "host"}
    assert set(configuration["annotations"]["rules"].values()) == {1}
    tests = [f"context/{layer}" for layer in ("host", "python", "system", "variables")]
    assert predicate["passedTests"] == [*tests, "file/fit.csv", "layer/python"]
    assert predicate["warnedTests"] == predicate["failedTests"] == []
    assert datetime.fromisoformat(predicate["timeVerified"]).utcoffset().total_seconds() == 0
    assert urlsplit(predicate["verifier"]["id"]).scheme
    assert predicate["verifier"]["version"]["capsulestore"]


def test_context_that_differs_is_a_warning(digest, stated):
    found = stated(env=EIGHT)
    predicate = found["value"]["predicate"]
    assert (found["status"], predicate["result"], predicate["verdict"]) == (0, "WARNED", "identical")
    assert predicate["warnedTests"] == ["context/variables"]
    assert "layer/python" in predicate["passedTests"]
    strict = stated("--strict", env=EIGHT)["value"]["predicate"]
    assert (strict["result"], strict["failedTests"]) == ("FAILED", ["layer/variables"])


def test_an_environment_or_a_file_that_is_another_has_failed(digest, stated, project, install):
    (project / "fit.csv").write_text("2")
    found = stated()
    predicate = found["value"]["predicate"]
    assert (found["status"], predicate["result"], predicate["verdict"]) == (1, "FAILED", "identical")
    assert predicate["failedTests"] == ["file/fit.csv"]
    (project / "fit.csv").unlink()
    install("six==1.17.0")
    found = stated()
    predicate = found["value"]["predicate"]
    assert (found["status"], predicate["result"], predicate["verdict"]) == (1, "FAILED", "different")
    # The file is not here, and so it was not tested.
    assert predicate["failedTests"] == ["layer/python"]
    assert predicate["configuration"][0]["digest"] == {"gitTree": found["answer"]["current_digest"]}


def test_what_is_not_comparable_has_failed_and_says_so(capsule, store, stated):
    capsule("add", "--layer", "python")
    found = stated("--strict")
    predicate = found["value"]["predicate"]
    assert (found["status"], predicate["result"], predicate["verdict"]) == (1, "FAILED", "not comparable")
    assert predicate["failedTests"] == ["layer/system", "layer/variables"]
    assert "layer/python" in predicate["passedTests"]


def test_a_statement_is_listed_by_show_and_not_by_log(capsule, digest, stated):
    first, second = stated(), stated(env=EIGHT)
    statements = capsule("show", "--json").json["statements"]
    assert [(statement["statement_id"], statement["result"]) for statement in statements] == [
        (first["digest"], "PASSED"),
        (second["digest"], "WARNED"),
    ]
    for statement in statements:
        assert statement["predicate_type"] == TEST_RESULT
        assert statement["verdict"] == "identical"
        assert statement["registered_at"].endswith("+00:00")
    shown = capsule("show").out.splitlines()
    lines = shown[shown.index("statements") + 1 :]
    assert [line.split()[0] for line in lines] == [first["digest"][:12], second["digest"][:12]]
    assert [capsule["capsule_id"] for capsule in capsule("log", "--json").json] == [digest]
    shown = capsule("show", first["digest"], "--json").json
    assert shown == {"kind": "statement", "digest": first["digest"], "value": first["value"]}
    text = capsule("show", first["digest"][:16])
    assert text.out.startswith(f"statement {first['digest']}\n")
    assert "PASSED" in text.out


def test_its_tree_holds_its_subject_and_git_finds_it_sound(capsule, digest, stated, git):
    statement = stated()["digest"]
    entries = dict(line.split("\t")[::-1] for line in git("ls-tree", statement).splitlines())
    assert entries.keys() == {"statement.json", "subject"}
    assert entries["subject"] == f"040000 tree {digest}"
    assert git("rev-parse", "main^{tree}").strip() == statement
    assert json.loads(git("cat-file", "blob", f"{statement}:statement.json"))["predicateType"] == TEST_RESULT
    assert git("fsck", "--strict", "--no-dangling") == ""
    # Complete wherever the statement is, though nothing else leads to the capsule.
    git("update-ref", "-d", "refs/capsules/last")
    who = ("-c", "user.name=Git", "-c", "user.email=git@example.org")
    git("update-ref", "refs/heads/main", git(*who, "commit-tree", statement, "-m", "alone").strip())
    git("gc", "-q", "--prune=now")
    assert capsule("show", digest, "--json").json["registrations"] == []
    assert capsule("log", "--json").json == []
    assert capsule("add", "-m", "first fit", "--output", "fit.csv", "--json", env=FOUR).json == {
        "capsule_id": digest,
        "environment_digest": capsule("show", digest, "--json").json["environment_digest"],
        "registered": True,
    }


@pytest.mark.slow
def test_a_statement_is_not_what_was_added_last(capsule, digest, stated):
    statement = stated()["digest"]
    assert capsule("show", "--json").json["capsule_id"] == digest
    for command in (["tag", "x-tag", statement], ["verify", statement]):
        done = capsule(*command)
        assert (done.status, done.out) == (3, "")
    done = capsule("show", f"{statement}:python")
    assert (done.status, "a statement has nothing below it" in done.err) == (3, True)


def test_the_text_form_says_the_verdict_and_where_it_was_recorded(capsule, digest):
    done = capsule("verify", "--record", env=FOUR)
    assert done.out.startswith("identical to ")
    (line,) = done.err.splitlines()
    assert capsule("show", line.split()[-1], "--json").json["kind"] == "statement"


def test_an_environment_by_its_own_digest_is_refused_and_nothing_written(capsule, digest, project, unchanged):
    environment = capsule("show", "--json").json["environment_digest"]
    before = unchanged(project)
    done = capsule("verify", environment, "--record", env=FOUR)
    assert done.status == 2
    assert "only the verification of a capsule can be recorded" in done.err
    assert unchanged(project) == before


@pytest.mark.slow
def test_where_the_verdict_cannot_be_reached_nothing_is_recorded(capsule, digest, project, unchanged):
    before = unchanged(project)
    done = capsule("verify", "--record", "--python", str(Path("nowhere/python")))
    assert (done.status, done.out) == (6, "")
    assert unchanged(project) == before
