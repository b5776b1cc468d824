"""Stores exchange capsules by one that is served, as by any other remote; and a plain git takes part."""

import os
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path

import pytest
from capsule_servers import serving
from exchangers import Job, run
from exchanges import add, clone_from, objects, pull_from, push_to, refs, registered, state
from git_peers import make_bare, run_git, sound

from capsulestore.store import Store

pytest_plugins = ["exchange_fixtures", "remote_fixtures"]


@pytest.fixture
def hub(served, request):
    """An empty store that is served."""
    peer = served.peer(f"{request.node.originalname}.git")
    make_bare(peer.repository, **served.config)
    return peer


def test_all_is_pushed_cloned_and_pulled(hub, ours, tmp_path):
    first = add(ours, "first")
    statement = state(ours, first)
    ours.tags.set("paper", first)
    assert push_to(hub.url, ours).capsules == (first,)
    assert objects(hub.repository) == objects(ours.path)
    assert registered(hub.repository) == {str(first), str(statement)}
    with Store(str(clone_from(hub.url, tmp_path / "clone"))) as clone:
        assert (clone.tip, clone.tags.all()) == (ours.tip, {"paper": first})
        second = add(clone, "second", environment="second")
        push_to(hub.url, clone)
        assert pull_from(hub.url, ours).capsules == (second,)
        assert ours.tip == clone.tip
    assert objects(hub.repository) == objects(ours.path)
    sound(hub.repository)


@pytest.mark.slow
def test_i10_stores_that_exchange_all_by_it_are_equal(hub, new_store):
    stores = [new_store(name) for name in ("ada", "grace", "mary")]
    capsules = {str(add(store, f"{number} of {store.path}")) for store in stores for number in range(2)}
    for store in islice(cycle(stores), 5):
        push_to(hub.url, store)
        pull_from(hub.url, store)
    assert {str(store.tip) for store in stores} == {refs(hub.repository)["refs/heads/main"]}
    for store in stores:
        assert registered(store.path) == capsules
    sound(hub.repository)


@pytest.mark.slow
def test_i5_many_that_push_and_add_at_once_lose_nothing(hub, tmp_path):
    titles = {name: [f"{name} {number}!" for number in range(4)] for name in ("ada", "grace", "mary")}
    pushing = [Job("add and push", str(tmp_path / name), hub.url, said) for name, said in titles.items()]
    adding = [Job("add", str(hub.repository), titles=[f"here {n} {k}" for k in range(8)]) for n in range(2)]
    ended = run([*pushing, *adding], at_once=True)
    assert [one.error for one in ended] == [""] * 5
    with Store(str(hub.repository)) as store:
        found = {registration.commit.message.strip() for registration in store.commits()} - {"join"}
    assert found == {title for job in (*pushing, *adding) for title in job.titles}
    sound(hub.repository)


@pytest.fixture
def team(new_store):
    """A store that is served as `capsule serve` does, with a capsule in it."""
    store = new_store("team")
    add(store, "first")
    with serving(store.path) as server:
        yield server


def git(directory, *arguments, **environ):
    return subprocess.run(
        ["git", "-C", directory, "-c", "user.name=Git", "-c", "user.email=git@example.org", *arguments],
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_plain_git_clones_and_pushes_with_a_token_for_a_password(team, tmp_path):
    url = f"{team.url}/git"
    assert git(tmp_path, "clone", "-q", url, "clone").returncode == 0
    clone = tmp_path / "clone"
    git(clone, "commit", "-q", "--allow-empty", "-m", "once more")
    git(clone, "tag", "v1", "HEAD^{tree}")
    assert "terminal prompts disabled" in git(clone, "push", "-q", url, "main").stderr
    reader, writer = (team.token(scope, scope) for scope in ("read", "write"))
    for token, status in ((reader, 128), (writer, 0)):
        done = git(clone, "push", "-q", url.replace("://", f"://anybody:{token}@"), "main", "v1")
        assert (done.returncode, "error: 403" in done.stderr) == (status, status == 128), done.stderr
    assert "remote: error" not in done.stderr
    assert refs(team.store) == {
        "refs/heads/main": run_git(clone, "rev-parse", "main"),
        "refs/tags/v1": run_git(clone, "rev-parse", "v1"),
    }
    sound(Path(team.store))


def test_where_git_is_switched_off_a_plain_git_is_told_so(ours, tmp_path):
    with serving(ours.path, git=False) as server:
        answer = server.get("/git/info/refs?service=git-upload-pack")
        told = git(tmp_path, "clone", "-q", f"{server.url}/git", "clone").stderr
    assert (answer.status, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert "remote: git is switched off on this server (--no-git)\n" in told


def test_why_git_does_not_answer_is_logged_with_the_store_s_path_which_no_client_is_told(ours):
    with serving(ours.path) as server:
        Path(ours.path, "HEAD").unlink()
        answer = server.get("/git/info/refs?service=git-upload-pack")
    told = answer.body.decode().rstrip("\n")
    assert (answer.status, told) == (503, "fatal: not a git repository: .capsules/.")
    (line,) = server.log
    assert " GET /git/info/refs 503 " in line
    assert line.endswith(f"ms -: {told.replace('.capsules', ours.path)}")


def test_capsule_pushes_with_a_token(team, ours):
    """And what was pushed is there for the other routes at once."""
    capsule = add(ours, "pushed", environment="pushed")
    done = subprocess.run(
        [sys.executable, "-m", "capsulestore_cli", "--store", ours.path, "push", f"{team.url}/git"],
        env={**os.environ, "CAPSULE_TOKEN": team.token()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert team.get(f"/api/capsules/{capsule}").json["capsule_id"] == str(capsule)
