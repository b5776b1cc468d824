"""The connection is cut: nothing is half visible, nothing is left over, and the next attempt sends what lacks."""

import itertools
import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from exchanges import add, left_over, listing, objects, push_to, refs, registered, remote_at, sound
from git_peers import make_bare, run_git
from lying_peers import cutting

from capsulestore.errors import RemoteProblem
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store
from capsulestore.sync.pull import Received, pull
from capsulestore.sync.push import Sent, push
from capsulestore.sync.remote import Remote

pytest_plugins = ["exchange_fixtures", "remote_fixtures"]

KILOBYTE = 1024
Done = TypeVar("Done")
Line = Callable[..., "contextmanager[Remote]"]


@pytest.fixture
def filled(ours) -> Store:
    """A store with some kilobytes that cannot be compressed, and a tag."""
    noise = random.Random(7)
    packages = {f"package-{number}": {"version": noise.randbytes(150).hex()} for number in range(60)}
    environment = {"python": {"rules": 1, "packages": packages}}
    ours.tags.set("paper", record(ours, Surroundings(environment=environment), Description(title="noise")).capsule)
    return ours


def by_program(hub: Path, directory: Path) -> Line:
    """A line to a repository by way of a program in place of ssh, which takes or gives so many bytes; of one service
    where that is named.
    """
    program, pipe = directory / "ssh", directory / "pipe"

    @contextmanager
    def line(sent: int | None = None, received: int | None = None, service: str = "") -> Iterator[Remote]:
        limit = f"stdbuf -o0 head -c {sent} | " if sent is not None else "exec "
        if received is not None:
            # Nobody but `head` may hold on to what leads here, or the line would outlast the cut.
            limit = f"mkfifo {pipe}\nstdbuf -o0 head -c {received} <{pipe} &\nexec >{pipe}\nrm {pipe}\nexec "
        cut = f'case "$command" in {service}*)\n{limit}sh -c "$command"\nexit\nesac\nexec sh -c "$command"\n'
        program.write_text(f"#!/bin/sh\nfor command; do :; done\n{cut}")
        program.chmod(0o755)
        yield remote_at(f"nobody:{hub}", environ={**os.environ, "GIT_SSH": str(program)})

    return line


@pytest.fixture
def way_to(request, tmp_path) -> Iterator[tuple[Path, Line]]:
    """An empty repository, and a line to it that can be cut."""
    if request.param == "program":
        hub = make_bare(tmp_path / "hub.git", receive__fsckObjects="true")
        yield hub, by_program(hub, tmp_path)
        return
    peer = request.getfixturevalue("http").peer(f"{request.node.originalname}.git")
    hub = make_bare(peer.repository, receive__fsckObjects="true")

    @contextmanager
    def line(sent: int | None = None, received: int | None = None) -> Iterator[Remote]:
        with cutting(peer.url, sent=sent, received=received) as url:
            yield remote_at(url, environ=peer.environ)

    yield hub, line


some_or_every = pytest.mark.parametrize(
    ("way_to", "step"),
    [
        ("program", 5 * KILOBYTE),
        pytest.param("program", KILOBYTE, marks=pytest.mark.slow),
        pytest.param("http", KILOBYTE, marks=pytest.mark.slow),
    ],
    indirect=["way_to"],
    ids=["some", "after every kilobyte", "after every kilobyte over HTTP"],
)


def cut_until_it_succeeds(exchange: Callable[[int], Done], step: int, check: Callable[[str], None]) -> tuple[Done, int]:
    """Cut after more and more bytes; return what is done at last, and how often it was cut."""
    for cuts, place in enumerate(itertools.count(1, step)):
        try:
            return exchange(place), cuts
        except RemoteProblem as problem:
            check(problem.message)
    raise AssertionError("there is no end of it")


@some_or_every
def test_a_push_that_is_cut(way_to, filled, step):
    hub, line = way_to
    before = listing(filled.path)

    def cut(place: int) -> Sent:
        with line(sent=place) as remote:
            return push(filled, remote)

    def nothing_has_come_of_it(said: str) -> None:
        assert re.fullmatch(r"`origin` \(.*\): .*", said)
        assert refs(hub) == {}
        now = listing(filled.path)
        assert {path for path in {*before, *now} if before.get(path) != now.get(path)} <= {
            "capsulestore/offered-origin"
        }

    done, cuts = cut_until_it_succeeds(cut, step, nothing_has_come_of_it)
    assert cuts >= done.bytes // step
    assert (done.tags, done.objects) == (("paper",), len(objects(filled.path)))
    assert (refs(hub), objects(hub)) == (refs(filled.path), objects(filled.path))
    sound(hub, filled.path)


@some_or_every
def test_a_pull_that_is_cut(way_to, filled, theirs, step):
    hub, line = way_to
    size = push_to(hub, filled).bytes
    add(theirs, "theirs")
    before = listing(theirs.path)

    def cut(place: int) -> Received:
        with line(received=place) as remote:
            return pull(theirs, remote)

    def nothing_has_come_of_it(said: str) -> None:
        assert re.fullmatch(r"`origin` \(.*\): .*", said)
        assert listing(theirs.path) == before

    done, cuts = cut_until_it_succeeds(cut, step, nothing_has_come_of_it)
    assert cuts >= size * 0.9 // step
    assert (done.tags, done.objects) == (("paper",), len(objects(hub)))
    assert registered(theirs.path) > registered(hub)
    sound(hub, theirs.path)


@pytest.mark.parametrize("chosen", [False, True], ids=["of all", "of chosen capsules"])
def test_after_an_answer_that_was_lost_the_retry_is_a_no_op(filled, theirs, hub, tmp_path, chosen):
    line = by_program(hub, tmp_path)
    names = list(filled.tags.all().values()) if chosen else None
    add(theirs, "theirs")
    push_to(hub, theirs)
    opening = len(run_git(hub, "receive-pack", "--advertise-refs", ".").encode())
    with line(received=opening + 10, service="git-receive-pack") as remote, pytest.raises(RemoteProblem):
        push(filled, remote, names)
    assert len(registered(hub)) == 2
    before = listing(hub)
    with line() as remote:
        done = push(filled, remote, names)
        assert (done.objects, done.tags, str(done.tip)) == (0, (), refs(hub)["refs/heads/main"])
        assert listing(hub) == before
        assert push(filled, remote, names).objects == 0
    assert left_over(filled.path) == []
    sound(hub)
