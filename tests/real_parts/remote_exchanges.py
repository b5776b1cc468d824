"""What moves objects to a remote and back in tests, and what is asked of it."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from git_peers import Peer, run_git

from capsulestore.errors import RemoteProblem
from capsulestore.model.digest import Digest
from capsulestore.sync.address import Address
from capsulestore.sync.connect import connect
from capsulestore.sync.limits import LIMITS, Limits
from capsulestore.sync.remote import SILENT, Progress, Push, Pushed, Remote, Surroundings, Update

__all__ = [
    "MAIN",
    "NO_OBJECT",
    "Heard",
    "fetched",
    "pack_of",
    "pushed",
    "refused",
    "remote_of",
    "tip",
    "what_runs_and_is_open",
]

MAIN = "refs/heads/main"
NO_OBJECT = Digest("0" * 64)


class Heard:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.count = 0
        self.text = ""

    def bytes(self, count: int) -> None:
        self.count += count

    def objects(self, done: int, total: int) -> None:
        raise AssertionError("who counts objects is not the remote")

    def said(self, text: str) -> None:
        self.text += text


def remote_of(peer: Peer, progress: Progress = SILENT, limits: Limits = LIMITS) -> Remote:
    return connect("origin", Address.parse(peer.url), Surroundings(peer.environ), progress, limits)


def fetched(peer: Peer, *haves: Digest) -> bytes:
    """The pack of main, and of what it leads to but the haves do not."""
    with remote_of(peer).fetch(lambda advertised: [advertised.main], haves) as answer:
        return b"".join(answer.pack)


def pack_of(repository: Path, *revisions: str | Digest) -> bytes:
    done = subprocess.run(
        ["git", "-C", repository, "pack-objects", "--revs", "--stdout", "-q"],
        input="".join(f"{revision}\n" for revision in revisions).encode(),
        capture_output=True,
        check=True,
    )
    return done.stdout


def pushed(peer: Peer, pack: bytes, *updates: Update, progress: Progress = SILENT) -> Pushed:
    """Push; the pack goes in pieces."""
    pieces = [pack[start : start + 100] for start in range(0, len(pack), 100)]
    return remote_of(peer, progress).push(lambda _advertised: Push(updates, pieces))


def tip(repository: Path) -> Digest | None:
    return Digest(run_git(repository, "for-each-ref", "--format=%(objectname)", MAIN)) or None


def refused(peer, problem: type[RemoteProblem]) -> list[str]:
    """What a fetch and a push say, each in one line that begins with which remote."""
    errors = []
    for attempt in (lambda: fetched(peer), lambda: remote_of(peer).push(lambda _: None)):
        with pytest.raises(problem) as raised:
            attempt()
        assert raised.value.message.startswith(f"`origin` ({Address.parse(peer.url).shown}): ")
        assert "\n" not in raised.value.message + str(raised.value.hint)
        assert raised.value.hint
        errors.append(raised.value.reason)
    return errors


def what_runs_and_is_open() -> tuple[set[str], int]:
    """What this process has started and not waited for, but servers; and how many files and sockets it has open."""
    children: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        # A thread that has been joined, or a child of one of the servers, may go while it is looked at.
        with suppress(FileNotFoundError):
            for child in (task / "children").read_text().split():
                children.add(f"{child} {Path('/proc', child, 'comm').read_text().strip()}")
    running = {child for child in children if child.split()[1] not in {"sshd", "lighttpd"}}
    return running, len(os.listdir("/proc/self/fd"))
