"""`capsule add --to URL`: what is here is registered by a server, and no store is needed."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from capsule_servers import CapsuleServer, serving

from capsulestore.artifact_registry import get_capsule
from capsulestore.store import Store

SAYS = [
    *("-m", "first fit", "--param", "alpha=0.5", "--param-json", 'grid=[1, 2.5, 1e20, null, "ü"]', "--label", "site=a"),
    *("--input", "data", "--output", "fit.csv", "--output", "../elsewhere.csv"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CapsuleServer]:
    directory = tmp_path_factory.mktemp("served")
    Store.init(str(directory)).close()
    with serving(directory / ".capsules") as server:
        yield server


@pytest.fixture(scope="module")
def token(server) -> dict[str, str]:
    """What somebody has set who may register."""
    return {"CAPSULE_TOKEN": server.token("ada")}


@pytest.fixture
def analysed(project) -> Path:
    """A project without a store, whose analysis has read and written files."""
    (project / "data").mkdir()
    for name in ("data/a.csv", "data/b.csv", "fit.csv", "../elsewhere.csv"):
        (project / name).write_text(name)
    return project


@pytest.mark.slow
def test_the_capsule_is_the_one_that_a_store_here_has_of_the_same_environment_in_a_file(
    capsule, analysed, server, token
):
    there = capsule("add", "--to", server.url, *SAYS, env=token)
    assert (there.status, there.err) == (0, "")
    assert not (analysed / ".capsules").exists()
    (analysed / "environment.json").write_text(capsule("capture", "--json").out)
    capsule("init")
    here = capsule("add", "--environment", "environment.json", *SAYS)
    assert there.line == here.line
    found = get_capsule(there.line, store=server.store)
    assert [file["path"] for file in found["manifest"]["inputs"]] == ["data/a.csv", "data/b.csv"]
    assert found["registrations"][0]["author"] == "ada <>"
    again = capsule("add", "--to", server.url, "--environment", "environment.json", *SAYS, env=token)
    assert (again.line, again.err) == (there.line, "note: registered before; nothing was added\n")


def test_it_answers_what_add_answers_and_says_what_is_not_recorded(capsule, analysed, server, token):
    parent = capsule("add", "--to", server.url, "--layer", "python", env=token).line
    says = ["--parent", parent[:10], "--param", "api_key=abc", "--layer", "python"]
    added = capsule("add", "--to", server.url, "--json", *says, env=token)
    assert (added.status, set(added.json)) == (0, {"capsule_id", "environment_digest", "registered"})
    assert added.err == "note: parameters: held what looks like credentials, which are not recorded\n"
    manifest = get_capsule(added.json["capsule_id"], store=server.store)["manifest"]
    assert (manifest["title"], manifest["parents"]) == (f"environment of {analysed.name}", [parent])
    assert manifest["parameters"] == {"api_key": "redacted"}


def test_who_may_not_register_is_told_what_to_do(capsule, analysed, server):
    environment = analysed / "environment.json"
    environment.write_text('{"python": {"rules": 1}}')
    for variables in ({}, {"CAPSULE_TOKEN": server.token("reader", "read")}, {"CAPSULE_TOKEN": "capsule_" + "x" * 43}):
        refused = capsule("add", "--to", server.url, "--environment", environment, env=variables)
        assert (refused.status, refused.out) == (5, "")
        assert refused.err.startswith(f"error: `{server.url}`: it ")
        assert "hint: `capsule token create NAME --scope write` on the server's machine" in refused.err
        assert refused.err.endswith("it goes into CAPSULE_TOKEN\n")
        assert not variables or variables["CAPSULE_TOKEN"] not in refused.err


def test_a_parent_that_the_server_does_not_know_is_a_name_that_leads_nowhere(capsule, analysed, server, token):
    environment = analysed / "environment.json"
    environment.write_text('{"python": {"rules": 1}}')
    orphan = capsule("add", "--to", server.url, "--environment", environment, "--parent", "nowhere", env=token)
    assert (orphan.status, orphan.out) == (3, "")
    assert "nothing is called `nowhere`" in orphan.err


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--to", "http://127.0.0.1:1", "--store", "."], 2, "`--to` names a server and `--store` a store here"),
        (["--to", "capsules.example.org"], 2, "error: `capsules.example.org` is no address of a web server"),
        (["--to", "origin"], 2, "error: `origin` is no address of a web server"),
        (["--to", "origin"], 2, "and not the name of a remote"),
        (["--to", ""], 2, "an address is empty"),
        (["--to", "http://ada:secret@127.0.0.1:1"], 2, "the address has a password in it"),
        (["--to", "http://127.0.0.1:1", "fit.csv"], 2, "`add` takes no file"),
        (["--to", "http://127.0.0.1:1", "--output", "absent.csv"], 6, "cannot read `absent.csv`"),
    ],
)
def test_a_mistake_is_told_before_anything_is_looked_at(options, status, words, capsule, analysed):
    wrong = capsule("add", *options)
    assert (wrong.status, wrong.out) == (status, "")
    assert words in wrong.err
    assert "secret" not in wrong.err


@pytest.mark.parametrize("token", ["tökén", "a\nb", "a b"])
def test_what_no_token_can_be_is_told(token, capsule, analysed):
    wrong = capsule("add", "--to", "http://127.0.0.1:1", env={"CAPSULE_TOKEN": token})
    assert (wrong.status, token in wrong.err) == (2, False)
    assert "the token in CAPSULE_TOKEN is empty, or holds" in wrong.err
    assert "hint: a token is of ASCII letters, digits and signs, with no space and no line break" in wrong.err


def test_the_address_of_the_repository_is_told_from_the_servers(capsule, analysed, server, token):
    (analysed / "environment.json").write_text('{"python": {"rules": 1}}')
    wrong = capsule("add", "--to", f"{server.url}/git", "--environment", "environment.json", env=token)
    assert (wrong.status, wrong.out) == (5, "")
    assert wrong.err.endswith(f"hint: `/git` is for git: leave out `/git`, as in `{server.url}`\n")
    capsule("init")
    for command in (["push", server.url], ["clone", server.url, "x"]):
        wrong = capsule(*command, env=token)
        assert (wrong.status, wrong.out) == (5, "")
        assert wrong.err.endswith(f"hint: add `/git`: `{server.url}/git`\n")


def test_a_push_that_is_refused_is_told_in_the_servers_words(capsule, analysed, server):
    capsule("init")
    reader = {"CAPSULE_TOKEN": server.token("pusher", "read")}
    refused = capsule("push", f"{server.url}/git", env=reader)
    assert refused.err.splitlines() == [
        f"error: `{server.url}/git`: the token is good for reading only",
        "hint: make one that may write with `capsule token create NAME --scope write`",
    ]


def test_a_server_that_is_not_there_is_out_of_reach(capsule, analysed):
    (analysed / "environment.json").write_text('{"python": {"rules": 1}}')
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    gone = capsule("add", "--json", "--to", url, "--environment", "environment.json")
    assert (gone.status, gone.out) == (5, "")
    assert json.loads(gone.err)["error"]["code"] == "remote_unreachable"
