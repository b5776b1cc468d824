r"""Runs a command as the shell would run it in our place: what it has, what it is told and how it ends are its own.

The child has our standard streams and every inheritable descriptor, our process group and so the terminal, our umask,
priority and signal mask; nothing is copied through a pipe. While it runs this process only waits for signals:

    from the terminal (Ctrl-C, Ctrl-\, Ctrl-Z)   the child got it too: wait for what it makes of it
    from another process                         sent to us alone, as far as we can see: passed on to the child
    the child stopped                            stop too, so that the shell sees the job stopped; then continue it
    the child ended                              that is the answer
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from capsulestore.errors import CommandNotFound, NotStarted, UsageError

__all__ = ["Execution", "NotStarted", "execute"]

_SHELL: Final = "/bin/sh"
_FIRST_LINE: Final = 80
"""Bytes that bash looks at to tell a script without `#!` from a program for another machine."""
_OF_THE_TERMINAL: Final = frozenset({signal.SIGINT, signal.SIGQUIT})
"""What the kernel sends to the whole foreground group. SIGHUP it sends to a session's leader alone."""
_PASSED_ON: Final = _OF_THE_TERMINAL | {signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT}
_STOPPING: Final = frozenset({signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)


@dataclass(frozen=True, slots=True)
class Execution:
    """How a command ran. Times are UTC; `status` is as a shell reports it: 128 + n where `signal` n ended it."""

    started_at: datetime
    finished_at: datetime
    status: int
    signal: int | None


def execute(command: Sequence[str], *, environ: Mapping[str, str], directory: str | None = None) -> Execution:
    """Run a command in `directory` (else in ours) with these variables, wait for its end and return how it ended.

    The command is found as execvp(3) finds it, with the PATH of `environ`; a text without `#!` is run by `/bin/sh`. The
    signals that Python ignores for itself are not ignored in the child; those that our caller ignored (nohup) stay so.
    Signal mask and dispositions of this process are afterwards as they were. Raise `NotStarted` where the command never
    ran, `UsageError` where there is none. To be called from the main thread of a process that has no other.
    """
    if not command:
        raise UsageError("no command to run")
    with _waiting_for_signals() as (waited, mask):
        started_at = datetime.now(UTC)
        child = _start(command, environ, mask, directory)
        code = os.waitstatus_to_exitcode(_end_of(child, waited))
        finished_at = datetime.now(UTC)
    return Execution(started_at, finished_at, code if code >= 0 else 128 - code, -code if code < 0 else None)


@contextmanager
def _waiting_for_signals() -> Iterator[tuple[frozenset[int], set[int]]]:
    """Hold back the signals to wait for in the block; yield them, and the mask that the child is to have.

    Held back before the child starts, none is lost or acts on us in between. What came for the run and was not taken
    when the block ends ends with it.
    """
    # Who ignores SIGCHLD is told of no child's end.
    before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    waited = frozenset(one for one in _PASSED_ON if signal.getsignal(one) is not signal.SIG_IGN) | {signal.SIGCHLD}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, waited | _STOPPING)
    try:
        yield waited, mask
    finally:
        while signal.sigtimedwait(waited | _STOPPING, 0):
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if before is not None:
            signal.signal(signal.SIGCHLD, before)


def _end_of(child: int, waited: frozenset[int]) -> int:
    """Return the status that waitpid(2) gives at the child's end."""
    while True:
        received = signal.sigwaitinfo(waited)
        number = received.si_signo
        if number == signal.SIGCHLD:
            pid, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
            if pid and not os.WIFSTOPPED(status):
                return status
            if pid:
                _stop_with(os.WSTOPSIG(status))
        elif number not in _OF_THE_TERMINAL or not _from_kernel(received):
            # It is there: only we reap it. One that took another user's rights (sudo) may not be sent it.
            with suppress(PermissionError):
                os.kill(child, number)


def _from_kernel(received: signal.struct_siginfo) -> bool:
    """Whether the kernel itself sent a signal, not a process: `si_code` is then positive (sigaction(2))."""
    return received.si_code > 0


def _stop_with(number: int) -> None:
    """Stop as the child did, for the shell to see; SIGCONT, which is passed on, ends it.

    A stop signal that is pending is undone by a SIGCONT that comes before it is let through, so that none is lost in
    between. The kernel lets none stop a process group that no shell would continue.
    """
    stop = number if number in _STOPPING else signal.SIGTSTP
    pending = signal.sigpending()
    if signal.SIGCONT in pending:
        return
    if stop not in pending:
        os.kill(os.getpid(), stop)
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, {stop})
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _start(command: Sequence[str], environ: Mapping[str, str], mask: set[int], directory: str | None) -> int:
    """Start a command and return its process id; raise `NotStarted`."""
    problems = []
    try:
        with chdir(directory) if directory is not None else nullcontext():
            for path in _candidates(command[0], environ):
                try:
                    os.stat(path)  # cheaper than a process that finds nothing to start
                    return _spawn(path, command, environ, mask)
                except OSError as error:
                    problems.append(_problem(command[0], path, error))
    except ValueError as error:
        raise NotStarted(f"cannot start `{command[0]}`: {error}") from None
    except OSError as error:
        raise NotStarted(f"cannot start `{command[0]}` in `{directory}`: {error.strerror}") from None
    # Something on PATH that cannot be run says more than all the directories that have nothing of that name.
    there = [problem for problem in problems if problem.hint or not isinstance(problem, CommandNotFound)]
    raise next(iter(there or problems)) from None


def _problem(name: str, path: str, error: OSError) -> NotStarted:
    if error.errno != errno.ENOENT and (os.sep in name or error.errno != errno.ENOTDIR):
        return NotStarted(f"cannot start `{name}`: {error.strerror}")
    hint = f"`{path}` is there, but the interpreter that it names is not" if os.path.exists(path) else None
    return CommandNotFound(f"cannot start `{name}`: {os.strerror(errno.ENOENT)}", hint=hint)


def _candidates(name: str, environ: Mapping[str, str]) -> list[str]:
    """Return the paths to try: the name itself where it has a slash, else the name in each directory of PATH."""
    if os.sep in name or not name:
        return [name]
    return [os.path.join(entry, name) for entry in environ.get("PATH", os.defpath).split(os.pathsep)]


def _spawn(path: str, command: Sequence[str], environ: Mapping[str, str], mask: set[int]) -> int:
    def start(path: str, arguments: list[str]) -> int:
        return os.posix_spawn(path, arguments, environ, setsigmask=mask, setsigdef=_IGNORED_BY_PYTHON)

    try:
        return start(path, list(command))
    except OSError as error:
        if error.errno != errno.ENOEXEC or not _is_text(path):
            raise
    return start(_SHELL, [_SHELL, path, *command[1:]])


def _is_text(path: str) -> bool:
    with open(path, "rb") as file:
        return b"\0" not in file.read(_FIRST_LINE).partition(b"\n")[0]
