"""A connection that is cut anywhere: a problem that says so, both sides as they were, and the next attempt succeeds."""

import os
import shutil
from dataclasses import replace

import pytest
from git_peers import Peer, commit, make_bare, run_git, sound
from lying_peers import cutting
from remote_exchanges import MAIN, Heard, fetched, pack_of, pushed, remote_of, tip

from capsulestore.errors import RemoteProblem, RemoteUnreachable
from capsulestore.model.digest import Digest
from capsulestore.sync.remote import Update

pytest_plugins = ["remote_fixtures"]

KILOBYTES = [1, *range(1024, 9 * 1024, 1024)]


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """A repository whose pack takes some kilobytes, and its tip."""
    repository = make_bare(tmp_path_factory.mktemp("noise") / "noise.git")
    tip = Digest(commit(repository, "noise", content=os.urandom(3000).hex()))
    run_git(repository, "update-ref", MAIN, tip.hex)
    return repository, tip


@pytest.fixture
def cut_ssh(tmp_path, nothing_is_left):
    """Give a peer behind an ssh that takes so many bytes from us, or sends so many: git runs in its place."""

    def cut_ssh(repository, *, sent: int | None = None, received: int | None = None) -> Peer:
        run = 'sh -c "$command"'
        if sent is not None:
            run = f"head -c {sent} | {run}"
        if received is not None:
            # The shell lets go of what it was given, or the connection would outlast the cut.
            run = f"exec 3<&0\n{run} <&3 | stdbuf -o0 head -c {received} &\nexec >&- <&- 3<&-\nwait"
        program = tmp_path / "ssh"
        program.write_text(f"#!/bin/sh\nfor command; do :; done\n{run}\n")
        program.chmod(0o755)
        return Peer(f"nobody:{repository}", repository, {**os.environ, "GIT_SSH": str(program)})

    return cut_ssh


@pytest.mark.slow
def test_a_fetch_over_a_process_that_is_cut(cut_ssh, noise):
    repository, _ = noise
    whole = fetched(cut_ssh(repository))
    for size in (size for size in KILOBYTES if size < len(whole)):
        with pytest.raises(RemoteUnreachable, match="the connection ended before"):
            fetched(cut_ssh(repository, received=size))
    assert fetched(cut_ssh(repository)) == whole
    sound(repository)


@pytest.mark.slow
def test_a_push_over_a_process_that_is_cut(cut_ssh, noise, tmp_path):
    repository, new = noise
    pack = pack_of(repository, new)
    target = make_bare(tmp_path / "target.git")
    for size in (size for size in KILOBYTES if size < len(pack)):
        with pytest.raises(RemoteProblem):
            pushed(cut_ssh(target, sent=size), pack, Update(MAIN, None, new))
        assert run_git(target, "for-each-ref") == ""
    assert pushed(cut_ssh(target), pack, Update(MAIN, None, new)).refusals == {}
    sound(target)


@pytest.fixture
def served(web, noise, nothing_is_left, request):
    peer = web.way("http").peer(f"{request.node.originalname}.git")
    shutil.copytree(noise[0], peer.repository)
    yield peer
    shutil.rmtree(peer.repository)


@pytest.mark.slow
def test_a_fetch_over_http_that_is_cut(served):
    whole = fetched(served)
    for size in (size for size in KILOBYTES if size < len(whole)):
        with cutting(served.url, received=size) as url, pytest.raises(RemoteUnreachable, match="ended before"):
            fetched(replace(served, url=url))
    assert fetched(served) == whole


@pytest.mark.slow
def test_a_push_over_http_that_is_cut(served, noise):
    pack, new = pack_of(*noise), noise[1]
    run_git(served.repository, "update-ref", "-d", MAIN)
    for size in (size for size in KILOBYTES if size < len(pack)):
        with cutting(served.url, sent=size) as url, pytest.raises(RemoteUnreachable):
            pushed(replace(served, url=url), pack, Update(MAIN, None, new))
        assert run_git(served.repository, "for-each-ref") == ""
    assert pushed(served, pack, Update(MAIN, None, new)).refusals == {}
    sound(served.repository)


def test_an_answer_that_is_lost_may_mean_that_the_refs_moved(cut_ssh, noise, tmp_path):
    repository, new = noise
    target = make_bare(tmp_path / "target.git")
    pack, update = pack_of(repository, new), Update(MAIN, None, new)
    heard = Heard()
    remote_of(cut_ssh(target), heard).push(lambda _: None)
    with pytest.raises(RemoteUnreachable, match="the connection ended before"):
        pushed(cut_ssh(target, received=heard.count + 10), pack, update)
    remote = remote_of(cut_ssh(target))
    assert remote.push(lambda _: None).advertised.main == tip(target)
    sound(target)


class Interrupting:
    """Somebody who presses Ctrl-C when the first bytes come."""

    def bytes(self, count: int) -> None:
        raise KeyboardInterrupt

    def objects(self, done: int, total: int) -> None:
        pass

    def said(self, text: str) -> None:
        pass


def test_who_is_interrupted_leaves_nothing_behind(cut_ssh, served):
    for peer in (cut_ssh(served.repository), served, replace(served, url=str(served.repository))):
        with pytest.raises(KeyboardInterrupt):
            remote_of(peer, Interrupting()).push(lambda _: None)
    sound(served.repository)
