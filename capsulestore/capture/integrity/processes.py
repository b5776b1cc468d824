"""Looks at directories in processes of their own, as many as there are processors: threads gain nothing at small files.

A process is a script of the standard library (`worker`), fed by a pipe. It ends when its pipe does, so that none is
left behind, however we end.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from typing import Final

from capsulestore.capture.integrity.directories import Task
from capsulestore.capture.integrity.worker import LENGTH, Answer
from capsulestore.errors import CapsuleError, FileProblem

__all__ = ["Known", "Processes"]

Known = tuple[Task, bytes]
"""A task, and the stamp by which it is known, or `NOT_KNOWN`."""

_WORKER: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "worker.py")
_MOST: Final = 8


class Processes:
    """As many as there are processors, for as long as the context; they start while their work is still prepared.

    Raise `CapsuleError` where one cannot be started.
    """

    def __enter__(self) -> Processes:
        with ExitStack() as stack:
            self._all = [stack.enter_context(_Process()) for _ in range(_processors())]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def answers(self, questions: Iterable[tuple[int, list[Known]]]) -> Iterator[tuple[int, Answer]]:
        """Yield the number of each question and its answer, as they come.

        Raise `CapsuleError` where a process ends early, `FileProblem` where one ran out of memory or descriptors.
        """
        waiting = enumerate(questions)
        busy: dict[int, tuple[_Process, int]] = {}
        poll = select.poll()
        for process in self._all:
            poll.register(process.answers, select.POLLIN)
        free = self._all
        while True:
            # Each has one question at a time, so that neither side ever waits for the other to read.
            for process, (number, question) in zip(free, waiting, strict=False):
                process.ask(question)
                busy[process.answers] = process, number
            if not busy:
                return
            free = []
            for descriptor, _ in poll.poll():
                if descriptor in busy:
                    process, number = busy.pop(descriptor)
                    yield number, process.answer()
                    free.append(process)


def _processors() -> int:
    return min(_MOST, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


class _Process:
    """A process that looks at directories; as a context, it ends with it."""

    def __init__(self) -> None:
        if not sys.executable:
            raise CapsuleError("the running program embeds Python and does not know its interpreter")
        with ExitStack() as both, ExitStack() as theirs:
            try:
                (reads, questions), (answers_, writes) = _pipe(both, theirs, 1), _pipe(both, theirs, 0)
                actions = [
                    (os.POSIX_SPAWN_DUP2, reads, 0),
                    (os.POSIX_SPAWN_DUP2, writes, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ]
                command = [sys.executable, "-I", "-S", _WORKER, str(os.getpid())]
                # In a group of its own, Ctrl-C on the terminal is ours alone.
                self._id = os.posix_spawn(command[0], command, os.environ, file_actions=actions, setpgroup=0)
            except OSError as error:
                raise CapsuleError(f"cannot start `{sys.executable}` to compare files: {error.strerror}") from error
            both.pop_all()
        self._questions = open(questions, "wb", buffering=0)  # noqa: SIM115
        self._answers = open(answers_, "rb")  # noqa: SIM115
        self._ended = False

    @property
    def answers(self) -> int:
        """The descriptor that can be read when there is an answer."""
        return self._answers.fileno()

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._questions.close()
        self._answers.close()
        if not self._ended:
            # It only reads, so there is nothing to lose: not even a large file is waited for.
            with suppress(OSError):
                os.kill(self._id, signal.SIGKILL)
            self._wait()

    def ask(self, question: tuple[int, list[Known]]) -> None:
        """Have it look at directories."""
        message = marshal.dumps(question)
        whole = memoryview(len(message).to_bytes(LENGTH, "big") + message)
        try:
            while whole:
                whole = whole[self._questions.write(whole) :]
        except BrokenPipeError:
            raise self._ended_early() from None

    def answer(self) -> Answer:
        """Return what it says; wait for it."""
        head = self._answers.read(LENGTH)
        length = int.from_bytes(head, "big")
        message = self._answers.read(length)
        if len(head) < LENGTH or len(message) < length:
            raise self._ended_early()
        said: Answer | str = marshal.loads(message)  # noqa: S302  (of our own process)
        if isinstance(said, str):
            raise FileProblem(f"cannot compare installed files: {said}")
        return said

    def _ended_early(self) -> CapsuleError:
        status = self._wait()
        how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        return CapsuleError(f"a process that compares files ended early, {how}", hint="try again: nothing was changed")

    def _wait(self) -> int:
        self._ended = True
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self._id, 0)[1])
        except ChildProcessError:
            # The program has others wait for its processes, or nobody.
            return 0


def _pipe(both: ExitStack, theirs: ExitStack, ours: int) -> tuple[int, int]:
    """Return a pipe: of its ends, one is closed with `theirs`, the other with `both`."""
    ends = os.pipe()
    both.callback(os.close, ends[ours])
    theirs.callback(os.close, ends[1 - ours])
    return ends
