"""`capsule remote`: other stores get names, which git knows too."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from shared_stores import git, register


@pytest.fixture
def project(tmp_path):
    """A directory with a store in it, and nothing else."""
    (tmp_path / "project").mkdir()
    register(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def store(project):
    return project / ".capsules"


def test_a_remote_is_added_listed_and_removed(capsule, store, tmp_path):
    done = capsule("remote", "add", "origin", tmp_path / "team.git")
    assert (done.status, done.out) == (0, "")
    assert done.err == f"note: the remote `origin` is {tmp_path / 'team.git'}\n"
    answer = capsule("remote", "add", "lab", "ada@lab.example.org:thesis/.capsules", "--json").json
    assert answer == {"remote": "lab", "url": "ada@lab.example.org:thesis/.capsules", "push_url": answer["url"]}
    assert [line.split() for line in capsule("remote").out.splitlines()] == [
        ["lab", "ada@lab.example.org:thesis/.capsules"],
        ["origin", str(tmp_path / "team.git")],
    ]
    assert git(store, "remote", "get-url", "origin") == str(tmp_path / "team.git")
    done = capsule("remote", "remove", "origin")
    assert (done.status, done.out) == (0, "")
    assert done.err == f"note: removed the remote `origin`, which was {tmp_path / 'team.git'}\n"
    assert capsule("remote", "list", "--json").json == [answer]
    assert git(store, "remote") == "lab"


def test_one_that_git_added_is_as_good(capsule, store):
    git(store, "remote", "add", "forge", "https://ada:secret@forge.example.org/fits.git")
    git(store, "remote", "set-url", "--push", "forge", "ssh://git@forge.example.org/fits.git")
    done = capsule("remote")
    assert done.line.split(maxsplit=1)[0] == "forge"
    assert done.line.endswith("to push ssh://git@forge.example.org/fits.git")
    assert "secret" not in done.out + capsule("remote", "--json").out
    assert capsule("remote", "--json").json[0]["push_url"] == "ssh://git@forge.example.org/fits.git"


def test_a_relative_path_is_one_from_here(capsule, store, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    capsule("--store", store, "remote", "add", "origin", "team.git", cwd=tmp_path / "elsewhere")
    assert git(store, "remote", "get-url", "origin") == str(tmp_path / "elsewhere" / "team.git")


REFUSED = {
    "a name that is taken": (["add", "taken", "/elsewhere"], 2, "`taken` already"),
    "a name that git refuses": (["add", "a b", "/elsewhere"], 3, "cannot be the name of a remote"),
    "an address with a password": (["add", "forge", "https://ada:secret@forge.example.org/x"], 2, "CAPSULE_TOKEN"),
    "an address that would be an option": (["add", "lab", "--", "-oProxyCommand=x:y"], 2, "begins with `-`"),
    "an address of another kind": (["add", "ftp", "ftp://example.org/x"], 2, "ftp://"),
    "no address": (["add", "forge"], 2, "capsule remote add NAME URL"),
    "no name": (["remove"], 2, "capsule remote remove NAME"),
    "a name for a list": (["list", "taken"], 2, "capsule remote list"),
    "what it does not do": (["rename", "taken", "free"], 2, "`add`, `remove`, `list`"),
    "a name of no remote": (["remove", "nobody"], 3, "no remote `nobody`"),
}


@pytest.mark.slow
def test_what_cannot_be_is_refused_and_changes_nothing(capsule, store, project, unchanged):
    capsule("remote", "add", "taken", "/somewhere")
    before = unchanged(project)
    for words, status, said in REFUSED.values():
        done = capsule("remote", *words)
        assert (done.status, done.out, "Traceback" in done.err, "secret" in done.err) == (status, "", False, False)
        assert said in done.err, words
    assert unchanged(project) == before


def test_without_origin_the_hint_says_what_to_do(capsule, store):
    done = capsule("push")
    assert (done.status, done.out) == (3, "")
    assert "no remote `origin`\nhint: `capsule remote add origin URL` makes it" in done.err
    capsule("remote", "add", "lab", "/lab")
    assert "hint: `capsule pull lab` names the one that there is" in capsule("pull").err
    capsule("remote", "add", "backup", "/backup")
    assert "hint: there is `backup`, `lab`" in capsule("push").err
    done = capsule("pull", "lap", "--json")
    assert (done.status, json.loads(done.err)["error"]["code"]) == (3, "unknown_name")
    assert "`backup`, `lab`" in json.loads(done.err)["error"]["hint"]


class EmptyRepository(BaseHTTPRequestHandler):
    """A place on a web server where an empty repository is, for who has the token."""

    def do_GET(self):
        if self.headers["Authorization"] == "Bearer of-the-token":
            self.send_response(200)
            self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
            self.end_headers()
            self.wfile.write(b"001e# service=git-upload-pack\n0000" + b"0000")
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Bearer")
            self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def guarded():
    """The address of a repository that takes a token."""
    with HTTPServer(("127.0.0.1", 0), EmptyRepository) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/fits.git"
        server.shutdown()
        thread.join()


def test_the_token_is_the_variables_and_never_shown(capsule, store, guarded):
    capsule("remote", "add", "origin", guarded)
    done = capsule("pull", env={"CAPSULE_TOKEN": "of-the-token"})
    assert (done.status, done.line) == (0, "everything is here already")
    for token in ("another-token", ""):
        done = capsule("pull", env={"CAPSULE_TOKEN": token})
        assert (done.status, done.out) == (5, "")
        assert done.err.startswith(f"error: `origin` ({guarded}): ")
        assert "-token" not in done.err


@pytest.mark.slow
def test_a_shell_completes_their_names_and_else_paths(capsule, store):
    def completed(line: str) -> list[str]:
        done = capsule(env={"_CAPSULE_COMPLETE": "bash_complete", "COMP_WORDS": line})
        assert (done.status, done.err) == (0, "")
        return done.out.splitlines()

    git(store, "remote", "add", "lab", "/lab")
    # Bash would run what is in it.
    git(store, "remote", "add", "origin$(date)", "/elsewhere")
    assert completed("capsule remote ") == ["plain,add", "plain,remove", "plain,list"]
    for line in ("capsule push ", "capsule pull l", "capsule remote remove la"):
        assert completed(line) == ["plain,lab"]
    assert completed("capsule pull thesis.b") == ["file,thesis.b"]
    assert completed("capsule clone ../o") == ["file,../o"]
