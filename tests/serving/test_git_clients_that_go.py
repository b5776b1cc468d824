"""Clients that go, or hardly move, in the middle of a transfer, and servers that end: nothing is left, nobody waits."""

import os
import shutil
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from git_peers import make_bare, run_git, sound
from git_servers import STORE, git_server
from lying_peers import packet
from pack_making import pack, whole
from remote_exchanges import MAIN, fetched, pack_of, pushed, tip
from shelf_objects import capsule, objects_of
from shelf_objects import commit as commit_of

from capsulestore.model.objects import GitObject
from capsulestore.sync.remote import Update

pytest_plugins = ["remote_fixtures"]

PATIENCE = 60


def soon(happened) -> None:
    """Wait for what should happen soon."""
    until = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < until, "it has not happened"


def processes(repository: Path) -> list[str]:
    """The command lines of all processes that are about a repository."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(repository) in line:
            found.append(line.decode())
    return found


def quarantines(repository: Path) -> list[Path]:
    own = repository / "capsulestore"
    return [path for path in own.iterdir() if path.name.startswith("incoming-")] if own.exists() else []


def is_receiving(repository: Path) -> bool:
    return any("receive-pack" in line for line in processes(repository))


@pytest.fixture
def large(history):
    """A commit on `second` of a capsule with a file, and a pack of it, which is of more than what sockets hold."""
    tree = capsule("large")
    new = commit_of(tree.id, history.second)
    noise = GitObject("blob", os.urandom(2**22))
    return new.id, pack(*map(whole, objects_of(new, tree, noise).values()))


class Request:
    """A request on a connection of its own, for as long as it is open; `begun` is sent of the body."""

    def __init__(self, peer, service: str, begun: bytes, length: int) -> None:
        place = urlsplit(peer.url)
        self.connection = socket.create_connection((place.hostname, place.port), timeout=PATIENCE)
        head = (
            f"POST {place.path}/{service} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Type: application/x-{service}-request\r\nContent-Length: {length}\r\n\r\n"
        )
        self.connection.sendall(head.encode() + begun)

    def __enter__(self) -> socket.socket:
        return self.connection

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def whole_answer(request: Request) -> bytes:
    """What comes until the server ends the connection."""
    with request as connection:
        return b"".join(iter(lambda: connection.recv(2**16), b""))


def push_of(update: Update, data: bytes) -> bytes:
    """The body of a push."""
    said = f"{update.old} {update.new} {update.ref}\0report-status side-band-64k object-format=sha256"
    return packet(said.encode()) + b"0000" + data


def fetch_of(wanted) -> bytes:
    """The body of a clone."""
    return packet(f"want {wanted} side-band-64k object-format=sha256\n".encode()) + b"0000" + packet(b"done\n")


@pytest.mark.parametrize("way", ["served"], indirect=True)
def test_of_a_push_that_breaks_off_nothing_is_left(filled, history, large):
    body = push_of(Update(MAIN, history.second, large[0]), large[1])
    with Request(filled, "git-receive-pack", body[: 2**20], len(body)):
        soon(lambda: is_receiving(filled.repository))
    soon(lambda: processes(filled.repository) == quarantines(filled.repository) == [])
    assert tip(filled.repository) == history.second
    sound(filled.repository)


def blob_in(repository: Path, data: bytes) -> str:
    """Put an object into a repository, with a tag, and return its id."""
    run_git(repository, "config", "core.compression", "0")
    blob = run_git(repository, "hash-object", "-w", "--stdin", given=data)
    run_git(repository, "update-ref", "refs/tags/large", blob)
    return blob


@pytest.mark.parametrize("way", ["served"], indirect=True)
def test_of_a_fetch_that_breaks_off_nothing_is_left(filled):
    body = fetch_of(blob_in(filled.repository, os.urandom(2**24)))
    with Request(filled, "git-upload-pack", body, len(body)) as connection:
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        assert processes(filled.repository)
    soon(lambda: not processes(filled.repository))
    assert fetched(filled)


@pytest.fixture
def impatient(tmp_path, history):
    """A server that runs one git at a time, and its store."""
    with git_server(tmp_path, git_processes=1, idle_seconds=0.5, slowest_bytes_per_second=2**30) as server:
        shutil.copytree(history.repository, tmp_path / "store")
        yield server.way().peer("store")


@pytest.mark.slow
def test_who_takes_hardly_anything_keeps_nobody_waiting(impatient):
    body = fetch_of(blob_in(impatient.repository, os.urandom(2**24)))
    with Request(impatient, "git-upload-pack", body, len(body)) as connection:
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        run_git(impatient.repository, "tag", "-d", "large")
        assert fetched(impatient)


def test_who_sends_hardly_anything_keeps_nobody_waiting(impatient, history, large):
    body = push_of(Update(MAIN, history.second, large[0]), large[1])
    with Request(impatient, "git-receive-pack", body[: 2**10], len(body)):
        soon(lambda: is_receiving(impatient.repository))
        assert fetched(impatient)
    sound(impatient.repository)


@pytest.fixture
def mortal(tmp_path, history):
    """A server of one's own."""
    with git_server(tmp_path) as server:
        shutil.copytree(history.repository, tmp_path / "store")
        yield server


def test_i4_what_was_answered_survives_the_server(mortal, history):
    peer = mortal.way().peer("store")
    given = pack_of(history.repository, history.other, f"^{history.first}")
    updates = [Update("refs/tags/other", None, history.other)]
    assert pushed(peer, given, *updates).refusals == {}
    mortal.process.send_signal(signal.SIGKILL)
    mortal.process.wait()
    assert run_git(peer.repository, "rev-parse", "refs/tags/other") == history.other.hex
    run_git(peer.repository, "fsck", "--strict")


@pytest.mark.slow
def test_what_a_killed_server_leaves_the_next_push_removes(mortal, history, large):
    peer = mortal.way().peer("store")
    body = push_of(Update(MAIN, history.second, large[0]), large[1])
    with Request(peer, "git-receive-pack", body[: 2**20], len(body)):
        soon(lambda: is_receiving(peer.repository))
        mortal.process.send_signal(signal.SIGKILL)
        mortal.process.wait()
    soon(lambda: not processes(peer.repository))
    assert quarantines(peer.repository)
    with git_server(mortal.directory) as server:
        given = pack_of(history.repository, history.first)
        tag = Update("refs/tags/first", None, history.first)
        assert pushed(server.way().peer("store"), given, tag).refusals == {}
    assert quarantines(peer.repository) == []
    sound(peer.repository)


@pytest.mark.slow
def test_a_server_that_is_asked_to_end_finishes_a_push(mortal, history, large):
    peer = mortal.way().peer("store")
    new, data = large
    body = push_of(Update(MAIN, history.second, new), data)
    with Request(peer, "git-receive-pack", body[: 2**20], len(body)) as connection:
        soon(lambda: is_receiving(peer.repository))
        mortal.process.send_signal(signal.SIGTERM)
        connection.sendall(body[2**20 :])
        answer = b"".join(iter(lambda: connection.recv(2**16), b""))
    assert b"ok refs/heads/main" in answer
    assert tip(peer.repository) == new
    assert mortal.process.wait() == 0
    sound(peer.repository)


@pytest.mark.slow
def test_pushes_of_two_at_once_move_main_one_after_the_other(tmp_path, history):
    """Both begin with the same tip; one is told to fetch first."""
    make_bare(tmp_path / "store", **STORE)
    with git_server(tmp_path) as server:
        peer = server.way().peer("store")
        assert (
            pushed(peer, pack_of(history.repository, history.first), Update(MAIN, None, history.first)).refusals == {}
        )
        bodies = [
            push_of(Update(MAIN, history.first, new), pack_of(history.repository, new, f"^{history.first}"))
            for new in (history.second, history.other)
        ]
        requests = [Request(peer, "git-receive-pack", body[:-1], len(body)) for body in bodies]
        soon(lambda: sum("receive-pack" in line for line in processes(peer.repository)) == 2)
        for request, body in zip(requests, bodies, strict=True):
            request.connection.sendall(body[-1:])
        answers = [whole_answer(request) for request in requests]
    assert sorted(b"ok refs/heads/main" in answer for answer in answers) == [False, True]
    assert any(b"it has moved meanwhile, fetch first" in answer for answer in answers)
    sound(peer.repository)
