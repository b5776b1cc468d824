"""`capsule token`: printed once, listed without its text, revoked at once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from shared_stores import register

from capsulestore.serving.access.tokens import Tokens

SERVER_PACKAGES = ("fastapi", "starlette", "uvicorn", "h11", "pydantic", "anyio")


@pytest.fixture
def project(tmp_path):
    """A directory with a store in it, and nothing else."""
    (tmp_path / "project").mkdir()
    register(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def tokens(project):
    return Tokens(str(project / ".capsules"))


@pytest.mark.slow
def test_a_token_is_made_listed_and_revoked(capsule, tokens):
    done = capsule("token", "create", "Ada Lovelace", "--scope", "write")
    assert (done.status, done.err) == (0, "note: the token of `Ada Lovelace` may write; it is not shown again\n")
    assert tokens.holder(done.line).scope == "write"
    read = capsule("token", "create", "ben", "--json").json
    assert read == {"name": "ben", "scope": "read", "token": read["token"]}
    assert tokens.holder(read["token"]).name == "ben"
    listed, document = capsule("token"), capsule("token", "list", "--json")
    assert [line.split()[:-1] for line in listed.out.splitlines()] == [["Ada", "Lovelace", "write"], ["ben", "read"]]
    assert [sorted(entry) for entry in document.json] == [["created_at", "name", "scope"]] * 2
    for shown in (listed, document):
        assert not any(secret in shown.out + shown.err for secret in ("capsule_", tokens.listed()[0].sha256))
    assert capsule("token", "revoke", "ben").err == "note: the token of `ben` counts for nothing from now on\n"
    assert tokens.holder(read["token"]) is None
    assert capsule("token", "revoke", "Ada Lovelace", "--json").json == {"name": "Ada Lovelace", "revoked": True}
    assert capsule("token").out == ""


REFUSED = {
    "a name that has one": (["create", "taken"], 2, "`taken` already"),
    "no name": (["create"], 2, "capsule token create NAME"),
    "a name for a list": (["list", "taken"], 2, "capsule token list"),
    "a scope that is none": (["create", "ben", "--scope", "all"], 2, "`read`, `write`"),
    "a scope for a list": (["--scope", "read"], 2, "`--scope` is for a new token"),
    "a name of nobody": (["revoke", "nobody"], 3, "no token `nobody`"),
    "a name that cannot be an author": (["create", "a\nb"], 2, "the name of a token"),
}


@pytest.mark.slow
def test_what_cannot_be_is_refused_and_changes_nothing(capsule, tokens, project, unchanged):
    tokens.create("taken", "read")
    before = unchanged(project)
    for words, status, said in REFUSED.values():
        done = capsule("token", *words)
        assert (done.status, done.out, "Traceback" in done.err) == (status, "", False)
        assert said in done.err
    assert unchanged(project) == before


def test_where_the_tokens_are_damaged_one_line_says_so(capsule, project):
    (project / ".capsules" / "capsulestore" / "tokens.json").write_text("{")
    done = capsule("token", "create", "ada", "--json")
    assert (done.status, done.out) == (4, "")
    assert json.loads(done.err)["error"]["code"] == "store_unreadable"


def test_without_a_store_there_are_no_tokens(capsule, tmp_path):
    done = capsule("token", "create", "ada", cwd=tmp_path)
    assert (done.status, done.out) == (3, "")


def test_nothing_of_the_server_is_imported(project):
    code = "import sys\nfrom capsulestore_cli.running import run\nstatus = run(sys.argv[1:])\n"
    code += f"sys.exit(status or [name for name in {SERVER_PACKAGES} if name in sys.modules] or 0)"
    for words in (["token", "create", "ada"], ["serve", "--help"]):
        done = subprocess.run([sys.executable, "-c", code, *words], cwd=project, capture_output=True, check=False)
        assert (done.returncode, done.stderr.count(b"\n") < 2) == (0, True), done.stderr
