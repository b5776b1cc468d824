"""A remote that breaks the protocol ends in one line that says so, soon, and leaves nothing behind."""

import os
import subprocess
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest
from git_peers import Peer
from lying_peers import Lie, over_http, over_ssh, packet
from remote_exchanges import MAIN, remote_of

from capsulestore.errors import NoCapsuleStore, RemoteMisbehaved, RemoteProblem, RemoteRefused, RemoteUnreachable
from capsulestore.model.digest import Digest
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.remote import Push, Update

pytest_plugins = ["remote_fixtures"]

ONE, TWO = Digest("1" * 64), Digest("2" * 64)
CAPABILITIES = b"\0report-status side-band-64k ofs-delta object-format=sha256\n"
SOME = LIMITS.line_bytes - 5


def advertisement(name: bytes = b"refs/heads/main", capabilities: bytes = CAPABILITIES) -> bytes:
    return packet(b"1" * 64 + b" " + name + capabilities) + b"0000"


def band(number: int, data: bytes) -> bytes:
    return packet(bytes([number]) + data)


def report(*lines: bytes) -> bytes:
    return band(1, b"".join(map(packet, lines)) + b"0000") + b"0000"


HONEST = advertisement()
NAK = packet(b"NAK\n")
SMALL = replace(LIMITS, advertisement_bytes=10**5, pack_bytes=10**5, said_bytes=10**5, report_bytes=10**4)

IN_THE_OPENING = {
    "garbage": (Lie(b"Welcome to this machine!\n"), RemoteMisbehaved, "not git's protocol"),
    "a page": (Lie(b"<!doctype html><title>hello</title>"), RemoteMisbehaved, "not git's protocol"),
    "nothing": (Lie(b""), RemoteUnreachable, "ended before"),
    "half a packet": (Lie(HONEST[:40]), RemoteUnreachable, "ended before"),
    "no flush": (Lie(HONEST[:-4]), RemoteUnreachable, "ended before"),
    "an error": (Lie(packet(b"ERR access denied\n")), RemoteRefused, "it says: access denied"),
    "a length of three": (Lie(b"0003"), RemoteMisbehaved, "length 3"),
    "two dots in a name": (Lie(advertisement(b"refs/heads/../../x")), RemoteMisbehaved, "no place for"),
    "a name that is not below refs": (Lie(advertisement(b"config")), RemoteMisbehaved, "no place for"),
    "no object format": (Lie(advertisement(capabilities=b"\0side-band-64k\n")), NoCapsuleStore, "SHA-1"),
    "no end": (Lie(b"", endless=packet(b"1" * 64 + b" refs/heads/main\n") * 100), RemoteMisbehaved, "what it can do"),
    "no end of refs": (
        Lie(HONEST[:-4], endless=packet(b"1" * 64 + b" .have\n") * 100),
        RemoteMisbehaved,
        "does not come to an end",
    ),
}
TO_A_FETCH = {
    "no answer": (Lie(HONEST), RemoteUnreachable, "ended before"),
    "no acknowledgement": (Lie(HONEST, band(1, b"PACK")), RemoteMisbehaved, "which of the commits"),
    "a pack that does not come": (Lie(HONEST, NAK), RemoteUnreachable, "ended before"),
    "half a pack": (Lie(HONEST, NAK + band(1, b"PACK" * 99)[:99]), RemoteUnreachable, "ended before"),
    "an error in the side-band": (Lie(HONEST, NAK + band(3, b"disk\nfull")), RemoteRefused, "it says: disk"),
    "a band that does not exist": (Lie(HONEST, NAK + band(4, b"PACK")), RemoteMisbehaved, "side-band 4"),
    "a pack without an end": (
        Lie(HONEST, NAK, endless=band(1, b"x" * SOME)),
        RemoteMisbehaved,
        "does not come to an end",
    ),
    "talk without an end": (Lie(HONEST, NAK, endless=band(2, b"x" * SOME)), RemoteMisbehaved, "talks on and on"),
}
TO_A_PUSH = {
    "no answer": (Lie(HONEST), RemoteUnreachable, "ended before"),
    "an empty report": (Lie(HONEST, report()), RemoteMisbehaved, "whether it could unpack"),
    "a report of nothing": (Lie(HONEST, report(b"unpack ok\n")), RemoteMisbehaved, "what became of"),
    "a report of others": (
        Lie(HONEST, report(b"unpack ok\n", b"ok refs/heads/other\n")),
        RemoteMisbehaved,
        "what became of `refs/heads/main`",
    ),
    "a report in other words": (Lie(HONEST, report(b"unpack ok\n", b"yes\n")), RemoteMisbehaved, "words that git"),
    "a report that it could not": (
        Lie(HONEST, report(b"unpack no space left\n", b"ng refs/heads/main unpacker error\n")),
        RemoteRefused,
        "no space left",
    ),
    "a report without an end": (
        Lie(HONEST, band(1, packet(b"unpack ok\n")), endless=band(1, packet(b"ok x\n") * 1000)),
        RemoteMisbehaved,
        "does not come to an end",
    ),
    "no capability to report": (
        Lie(advertisement(capabilities=b"\0side-band-64k object-format=sha256\n")),
        RemoteMisbehaved,
        "`report-status`",
    ),
}


@pytest.fixture(params=["ssh", "http"])
def told(request, tmp_path, nothing_is_left):
    """Have a lie told about a service, in one of two ways; gives the peer."""

    @contextmanager
    def told(lie: Lie, service: str):
        with nullcontext(over_ssh(tmp_path, lie)) if request.param == "ssh" else over_http(lie, service) as peer:
            yield peer

    return told


def fetch(peer: Peer, limits=SMALL) -> bytes:
    with remote_of(peer, limits=limits).fetch(lambda advertised: [*advertised.refs.values()], [TWO]) as answer:
        return b"".join(answer.pack)


def push(peer: Peer, limits=SMALL, pack=(b"PACK",)):
    return remote_of(peer, limits=limits).push(lambda _: Push([Update(MAIN, ONE, TWO)], pack))


def assert_said(raised, reason: str) -> None:
    assert reason in raised.value.reason
    assert raised.value.message.startswith("`origin` (")


@pytest.mark.parametrize(("lie", "problem", "reason"), IN_THE_OPENING.values(), ids=IN_THE_OPENING)
def test_an_opening_that_is_none(told, lie, problem, reason):
    with told(lie, "git-upload-pack") as peer, pytest.raises(problem) as raised:
        fetch(peer)
    assert_said(raised, reason)


@pytest.mark.parametrize(("lie", "problem", "reason"), TO_A_FETCH.values(), ids=TO_A_FETCH)
def test_an_answer_to_a_fetch_that_is_none(told, lie, problem, reason):
    with told(lie, "git-upload-pack") as peer, pytest.raises(problem) as raised:
        fetch(peer)
    assert_said(raised, reason)


@pytest.mark.parametrize(("lie", "problem", "reason"), TO_A_PUSH.values(), ids=TO_A_PUSH)
def test_an_answer_to_a_push_that_is_none(told, lie, problem, reason):
    with told(lie, "git-receive-pack") as peer, pytest.raises(problem) as raised:
        push(peer)
    assert_said(raised, reason)


@pytest.mark.parametrize("behind", [b"", band(3, b"a hook fell over"), b"what"], ids=["nothing", "an error", "garbage"])
def test_a_report_that_is_whole_counts_whatever_comes_behind_it(told, behind):
    said = report(b"unpack ok\n", b"ok refs/heads/main\n").removesuffix(b"0000")
    with told(Lie(HONEST, said + behind), "git-receive-pack") as peer:
        assert push(peer).refusals == {}


@pytest.mark.parametrize("lie", [Lie(b"", hangs=True), Lie(HONEST, hangs=True)], ids=["at once", "when it is asked"])
def test_a_remote_that_falls_silent_is_not_waited_for(told, lie):
    limits = replace(SMALL, idle_seconds=0.1)
    with told(lie, "git-upload-pack") as peer, pytest.raises(RemoteUnreachable, match=r"nothing came .* 0\.1 seconds"):
        fetch(peer, limits)


def test_a_remote_that_answers_before_it_has_all_is_heard(told):
    """And one that takes nothing while it talks keeps nobody waiting: the pack would be endless."""

    def endless():
        while True:
            yield os.urandom(2**16)

    said = report(b"unpack too much\n", b"ng refs/heads/main unpacker error\n")
    with told(Lie(HONEST, said), "git-receive-pack") as peer, pytest.raises(RemoteProblem):
        push(peer, pack=endless())


def test_a_program_that_complains_without_an_end(tmp_path, nothing_is_left):
    (tmp_path / "ssh").write_text("exec yes 'something is wrong' >&2\n")
    peer = Peer("liar.invalid:store", tmp_path, {**os.environ, "GIT_SSH_COMMAND": f"sh {tmp_path}/ssh"})
    with pytest.raises(RemoteMisbehaved, match="talks on and on"):
        fetch(peer)


@pytest.mark.slow  # what does not end by itself is given two seconds
def test_a_program_that_does_not_end_is_ended(tmp_path, nothing_is_left):
    (tmp_path / "ssh").write_text("trap '' TERM PIPE\nwhile :; do sleep 60; done\n")
    peer = Peer("liar.invalid:store", tmp_path, {**os.environ, "GIT_SSH_COMMAND": f"sh {tmp_path}/ssh"})
    with pytest.raises(RemoteUnreachable, match="nothing came"):
        fetch(peer, replace(SMALL, idle_seconds=0.1))
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, check=True).stdout.splitlines()
    assert not [line for line in running if bytes(tmp_path) in line]
