"""Exchanges in processes of their own, many at once or one after the other, some of which come to grief on the way.

`run(jobs)` starts this file, which forks a process for each job once all that it takes is imported. It waits for them,
and for what they started in turn (git goes on for a while after a client has died).
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

from exchanges import add, clone_from, push_to, remote_at

from capsulestore.errors import CapsuleError
from capsulestore.store import Store
from capsulestore.sync.bundle import write_bundle
from capsulestore.sync.pull import pull
from capsulestore.sync.push import push

__all__ = ["Ended", "Job", "run"]

_MOMENTS = {"fcntl.flock", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "subprocess.Popen"}
"""What Python tells of before it does it (PEP 578): all that changes a file or a directory, but for writing to one."""
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Job:
    """What to do with a store, by a name in `_WORK`, with what other paths and titles.

    At the moment `dies_at`, counted from 1, the process is killed, at `interrupted_at` it is as if somebody pressed
    Ctrl-C. No file may become larger than `limit`.
    """

    do: str
    store: str
    other: str = ""
    titles: Sequence[str] = ()
    dies_at: int | None = None
    interrupted_at: int | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit status, negative for a signal; and the error that ended it, in words."""

    status: int
    error: str


def run(jobs: Sequence[Job], *, at_once: bool = False) -> list[Ended]:
    """Run jobs in turn, or all at once; return how each ended."""
    done = subprocess.run(
        [sys.executable, __file__, str(int(at_once))],
        input=json.dumps([asdict(job) for job in jobs]),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [Ended(*one) for one in json.loads(done.stdout)]


class _Moments:
    """Counts moments, also those in which bytes and objects go over; at one of them the process gets a signal."""

    def __init__(self, job: Job) -> None:
        self._left = job.dies_at or job.interrupted_at or -1
        self._signal = signal.SIGKILL if job.dies_at else signal.SIGINT

    def watch(self) -> None:
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in _MOMENTS or (event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_ACCMODE):
            self._count()

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), self._signal)

    def bytes(self, count: int) -> None:
        self._count()

    def objects(self, done: int, total: int) -> None:
        self._count()

    def said(self, text: str) -> None:
        pass


def _add(job: Job, _: _Moments) -> None:
    with Store(job.store) as store:
        for title in job.titles:
            add(store, title, environment=title)


def _push(job: Job, moments: _Moments) -> None:
    with Store(job.store) as store:
        push(store, remote_at(job.other), progress=moments)


def _add_and_push(job: Job, _: _Moments) -> None:
    os.makedirs(job.store, exist_ok=True)
    with Store.init(job.store) as store:
        for title in job.titles:
            add(store, title)
            if title.endswith("!"):
                push_to(job.other, store)


def _tag_and_push(job: Job, _: _Moments) -> None:
    with Store(job.store) as store:
        for tag in job.titles:
            store.tags.set(tag, store.index.capsules(1)[0].digest)
            push_to(job.other, store)


def _pull(job: Job, moments: _Moments) -> None:
    with Store(job.store) as store:
        pull(store, remote_at(job.other), progress=moments)


def _clone(job: Job, _: _Moments) -> None:
    clone_from(job.other, job.store)


def _bundle(job: Job, moments: _Moments) -> None:
    with Store(job.store) as store:
        write_bundle(store, job.other, progress=moments)


_WORK: dict[str, Callable[[Job, _Moments], None]] = {
    "add": _add,
    "add and push": _add_and_push,
    "bundle": _bundle,
    "clone": _clone,
    "pull": _pull,
    "push": _push,
    "tag and push": _tag_and_push,
}


def _start(job: Job, begin: int, errors: int) -> int:
    """Start a process that does a job once it may begin, and return its id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.read(begin, 1)
        if job.limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (job.limit, job.limit))
        moments = _Moments(job)
        moments.watch()
        _WORK[job.do](job, moments)
        status = 0
    except CapsuleError as error:
        status = error.exit_code
        os.write(errors, f"{type(error).__name__}: {error.message}".encode())
    except KeyboardInterrupt:
        status = 130
    except BaseException:
        os.write(errors, traceback.format_exc()[-4096:].encode())
    finally:
        os._exit(status)


def _ended(started: list[tuple[int, int]]) -> list[Ended]:
    statuses: dict[int, int] = {}
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, 0)
            statuses[pid] = os.waitstatus_to_exitcode(status)
    errors = []
    for _, pipe in started:
        with os.fdopen(pipe) as said:
            errors.append(said.read())
    return [Ended(statuses[pid], error) for (pid, _), error in zip(started, errors, strict=True)]


def main(jobs: Sequence[Job], *, at_once: bool) -> list[Ended]:
    # What a job started is waited for too when the job is no more (prctl(2)).
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    found: list[Ended] = []
    for together in [jobs] if at_once else [[job] for job in jobs]:
        begin, begins = os.pipe()
        started = []
        for job in together:
            said, says = os.pipe()
            started.append((_start(job, begin, says), said))
            os.close(says)
        os.write(begins, bytes(len(together)))
        found += _ended(started)
        os.close(begin)
        os.close(begins)
    return found


if __name__ == "__main__":
    given = [Job(**job) for job in json.load(sys.stdin)]
    print(json.dumps([(one.status, one.error) for one in main(given, at_once=sys.argv[1] == "1")]))
