"""Before a push sends anything to a remote of which nothing is known, it looks at the tip of its main, once."""

import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from exchanges import add, listing, objects, pull_from, push_to, refs, registered, remote_at, sound, state
from git_peers import Peer, commit, make_bare, run_git
from lying_peers import packet
from remote_exchanges import pack_of, remote_of, what_runs_and_is_open
from source_code import MAIN, asked_for, on_main, source_code

from capsulestore.errors import NoCapsuleStore, RemoteMisbehaved, RemoteProblem, RemoteUnreachable
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.push import push

pytest_plugins = ["exchange_fixtures", "remote_fixtures"]

LOOK, SEND = "upload-pack", "receive-pack"


def end_with_a_statement(hub, store):
    state(store, store.index.capsules()[0].digest)
    push_to(hub, store)


def end_with_a_join(hub, store):
    add(store, "second")
    new = commit(hub, "beside it", refs(hub)[MAIN])
    run_git(hub, "update-ref", MAIN, new)
    push_to(hub, store)


def end_with_what_git_committed(hub, _):
    on_main(hub, run_git(hub, "rev-parse", "main^{tree}"))


TIPS = {
    "a capsule": lambda _hub, _store: None,
    "a statement": end_with_a_statement,
    "a join": end_with_a_join,
    "a capsule that git committed": end_with_what_git_committed,
}


@pytest.mark.parametrize("end", TIPS.values(), ids=TIPS)
def test_a_store_is_known_by_its_tip(hub, ours, theirs, end):
    add(theirs, "theirs")
    push_to(hub, theirs)
    end(hub, theirs)
    before = registered(hub)
    mine = add(ours, "mine", environment="mine")
    here = objects(ours.path)
    push_to(hub, ours)
    assert registered(hub) == {*before, str(mine)}
    assert objects(ours.path) == here
    sound(hub, ours.path)


@pytest.mark.parametrize("way", ["ssh", "password"], indirect=True)
def test_it_is_known_so_wherever_it_lies(way, ours, theirs):
    peer = way.peer("glance.git")
    make_bare(peer.repository, receive__fsckObjects="true")
    both = {str(add(store, store.path)) for store in (theirs, ours)}
    for store in (theirs, ours):
        push(store, remote_of(peer))
    assert registered(peer.repository) == both
    sound(peer.repository)


def test_it_is_looked_at_once_and_not_where_something_tells(hub, ours, theirs, tmp_path):
    trace = tmp_path / "trace"
    environ = {**os.environ, "GIT_TRACE": str(trace)}

    def asked(store, *, title, named=True):
        add(store, title)
        push(store, remote_at(hub, environ=environ), named=named)
        return asked_for(trace)

    assert asked(ours, title="to what is empty") == [SEND]
    assert asked(ours, title="to what is here") == [SEND]
    assert asked(theirs, title="to what nobody knows") == [SEND, LOOK]
    assert asked(ours, title="to what has moved on") == [SEND]
    assert asked(theirs, title="to what it was sent to before") == [SEND]
    assert asked(theirs, named=False, title="to what has no name, of which nothing is remembered") == [SEND, LOOK]


def test_it_is_not_looked_at_where_something_was_pulled_from(hub, ours, theirs, tmp_path):
    add(ours, "first")
    push_to(hub, ours)
    pull_from(hub, theirs)
    add(ours, "second")
    push_to(hub, ours)
    add(theirs, "theirs")
    push(theirs, remote_at(hub, environ={**os.environ, "GIT_TRACE": str(tmp_path / "trace")}))
    assert asked_for(tmp_path / "trace") == [SEND]
    assert len(registered(hub)) == 3


def test_what_takes_too_much_to_look_at_is_to_be_pulled_first(hub, ours, theirs):
    add(theirs, "theirs")
    push_to(hub, theirs)
    add(ours, "ours")
    before = listing(hub), listing(ours.path)
    limits = replace(LIMITS, glance_bytes=1000)
    with pytest.raises(NoCapsuleStore, match="more than 1000 bytes") as raised:
        push(ours, remote_at(hub), limits=limits)
    assert "pull from it first" in raised.value.hint
    assert (listing(hub), listing(ours.path)) == before
    with pytest.raises(RemoteMisbehaved):
        push(ours, remote_at(hub), limits=replace(LIMITS, glance_unpacked_bytes=1000))
    assert (listing(hub), listing(ours.path)) == before
    pull_from(hub, ours)
    push(ours, remote_at(hub), limits=limits)
    assert len(registered(hub)) == 2


def test_a_store_that_may_not_be_written_looks_too(hub, ours, theirs, tmp_path):
    """By a file in the way, which stops root too."""
    add(theirs, "theirs")
    push_to(hub, theirs)
    add(ours, "ours")
    own = Path(ours.path, "capsulestore")
    ours.close()
    for path in own.iterdir():
        path.unlink()
    own.rmdir()
    own.write_bytes(b"")
    source = source_code(tmp_path / "source.git")
    before = listing(ours.path), listing(source)
    with pytest.raises(NoCapsuleStore):
        push_to(source, ours)
    push_to(hub, ours)
    assert (listing(ours.path), listing(source)) == before
    assert len(registered(hub)) == 2


def lying(directory: Path, repository: Path, said: bytes, capabilities: str = "shallow side-band-64k") -> Peer:
    """Return a peer whose pushes a real git takes, and that says something else when it is looked at."""
    first = f"{refs(repository)[MAIN]} {MAIN}\0{capabilities} object-format=sha256\n".encode()
    (directory / "said").write_bytes(packet(first) + b"0000" + said)
    (directory / "ssh").write_text(
        f'case "$2" in git-upload-pack*) cat {shlex.quote(str(directory / "said"))};; *) exec sh -c "$2";; esac\n'
    )
    environ = {**os.environ, "GIT_SSH_COMMAND": f"sh {shlex.quote(str(directory / 'ssh'))}"}
    return Peer(f"liar.invalid:{repository}", repository, environ)


def packed(pack: bytes) -> bytes:
    return b"0000" + packet(b"NAK\n") + packet(b"\1" + pack) + b"0000"


SHALLOW = packet(b"shallow " + b"1" * 64 + b"\n")
LIES = {
    "nothing": (b"", RemoteUnreachable, "ended before"),
    "no word of where it cuts": (packet(b"NAK\n") + b"0000", RemoteMisbehaved, "where it cuts its history"),
    "cuts without an end": (SHALLOW * 2000, RemoteMisbehaved, "does not come to an end"),
    "no pack": (SHALLOW + b"0000" + packet(b"NAK\n"), RemoteUnreachable, "ended before"),
    "what is no pack": (packed(b"x" * 100), RemoteMisbehaved, "what was sent is no pack"),
    "a last word": (packet(b"ERR not for you\n"), RemoteProblem, "not for you"),
}


@pytest.fixture
def shared(hub, theirs) -> Path:
    """A repository with two capsules, of which the first is of no interest to who looks at the second."""
    for title in ("first", "second"):
        add(theirs, title)
    push_to(hub, theirs)
    return hub


def test_a_lie_in_the_answer_ends_the_push(shared, ours, tmp_path):
    add(ours, "ours")
    push_to(shared, ours, dry_run=True)
    before = listing(shared), listing(ours.path), what_runs_and_is_open()
    for said, problem, reason in LIES.values():
        remote = remote_of(lying(tmp_path, shared, said), limits=replace(LIMITS, advertisement_bytes=10**5))
        with pytest.raises(problem, match=reason) as raised:
            push(ours, remote)
        assert raised.value.message.startswith("`origin` (")
        assert (listing(shared), listing(ours.path), what_runs_and_is_open()) == before


@pytest.mark.parametrize("revisions", [("main~",), ("main", "^main~")], ids=["another commit", "half of it"])
def test_another_pack_than_was_asked_for_ends_the_push(shared, ours, tmp_path, revisions):
    """The half is a commit without its tree, which the one before it has too."""
    add(ours, "ours")
    if len(revisions) == 2:
        on_main(shared, run_git(shared, "rev-parse", "main^{tree}"))
    before = listing(shared), listing(ours.path)
    peer = lying(tmp_path, shared, packed(pack_of(shared, *revisions)))
    with pytest.raises(RemoteMisbehaved, match="was not sent"):
        push(ours, remote_of(peer))
    assert (listing(shared), listing(ours.path)) == before


def test_where_history_cannot_be_cut_nobody_looks(shared, ours, tmp_path):
    mine = add(ours, "ours")
    push(ours, remote_of(lying(tmp_path, shared, b"", capabilities="side-band-64k")))
    assert str(mine) in registered(shared)
    assert len(registered(shared)) == 3
    sound(shared)
