"""A conversation with a process: git on this machine, or ssh that starts one on another."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO, Final, NamedTuple, cast

from capsulestore.errors import RemoteMisbehaved, RemoteProblem, RemoteUnreachable
from capsulestore.sync.limits import Limits
from capsulestore.sync.wire.packet import FLUSH, reading

__all__ = ["ProcessChannel", "Program"]

_PIECE_BYTES: Final = 2**16
_COMPLAINT_BYTES: Final = 2**13
"""How much is kept of what a program says on its standard error: the last of it, which tells why it ended."""
_GRACE_SECONDS: Final = 2.0
"""How long a program may take to end whose pipes are closed: git removes then what it had begun to write."""
_GLANCE_SECONDS: Final = 0.05
"""How long nothing may come of a program that ended before it is taken to have said all."""


class Program(NamedTuple):
    """What is started: a command line, its variables, and whether it may ask somebody at the terminal."""

    command: Sequence[str]
    environ: Mapping[str, str]
    asks: bool = False


class ProcessChannel:
    """A `Channel` whose three pipes are served by whoever reads from it: no side waits for the other for ever.

    `explain` makes a problem of what the program said on its standard error, None where that tells nothing. Where the
    program may ask somebody, it is waited for without limit until it has sent its first byte.
    """

    def __init__(
        self, program: Program, explain: Callable[[str], RemoteProblem | None], remote: str, limits: Limits
    ) -> None:
        self._explain = explain
        self._remote = remote
        self._limits = limits
        self._patient = program.asks
        self._alone = not program.asks
        self._complaint = b""
        self._heard_bytes = 0
        self._heard_out = False
        self._arrived: bytes | None = None
        self._ended = False
        self._pieces: Iterator[bytes] = iter(())
        self._sending = memoryview(b"")
        self._process = subprocess.Popen(
            program.command,
            env=program.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            # Without a terminal of its own it cannot ask, and Ctrl-C reaches it by way of us.
            start_new_session=self._alone,
        )
        self._input, output, errors = (
            cast("IO[bytes]", pipe) for pipe in (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        self._pipes = (self._input, output, errors)
        self._selector = selectors.DefaultSelector()
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)
        self._selector.register(output, selectors.EVENT_READ, self._receive)
        self._selector.register(errors, selectors.EVENT_READ, self._hear)
        self._read = reading(self._received())

    def opening(self) -> Callable[[int], bytes]:
        """Return what reads the first that the program says."""
        return self._read

    def ask(self, request: Iterable[bytes]) -> Callable[[int], bytes]:
        """Begin to send a request, which goes on while the answer is waited for."""
        self._pieces = iter(request)
        self._selector.register(self._input, selectors.EVENT_WRITE, self._send)
        return self._read

    def leave(self) -> None:
        """Say that nothing is wanted, and end."""
        with suppress(OSError):
            os.write(self._input.fileno(), FLUSH)
        self.close()

    def explained(self, problem: RemoteProblem) -> RemoteProblem:
        """Return what the program said of why it ended, where it has ended and said anything."""
        if not self._ended:
            return problem
        # A program that still waits for something goes too, then.
        self._input.close()
        self._hear_out()
        return self._explain(self._complaint.decode("utf-8", "replace")) or problem

    def close(self) -> None:
        """Close the pipes, upon which programs end; make an end of one that does not."""
        try:
            self._selector.close()
            for pipe in self._pipes:
                pipe.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)
                return
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)
            # Also what it started, which may live on without it.
            self._signal(signal.SIGKILL)
        finally:
            if self._process.poll() is None:
                self._signal(signal.SIGKILL)
                self._process.wait()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            if self._alone:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

    def _received(self) -> Iterator[bytes]:
        while not self._ended:
            self._turn()
            if self._arrived:
                yield self._arrived
                self._arrived = None

    def _turn(self) -> None:
        """Wait until a pipe is ready, and serve those that are."""
        ready = self._selector.select(None if self._patient else self._limits.idle_seconds)
        if not ready:
            raise RemoteUnreachable(self._remote, f"nothing came from it for {self._limits.idle_seconds:g} seconds")
        for key, _ in ready:
            key.data()

    def _receive(self) -> None:
        self._arrived = os.read(self._pipes[1].fileno(), _PIECE_BYTES)
        self._patient = False
        self._ended = not self._arrived

    def _hear(self) -> None:
        heard = os.read(self._pipes[2].fileno(), _PIECE_BYTES)
        self._complaint = (self._complaint + heard)[-_COMPLAINT_BYTES:]
        self._heard_bytes += len(heard)
        if self._heard_bytes > self._limits.said_bytes:
            raise RemoteMisbehaved(self._remote, "it talks on and on")
        if not heard:
            self._selector.unregister(self._pipes[2])
            self._heard_out = True

    def _send(self) -> None:
        try:
            self._sending = self._sending or memoryview(next(self._pieces))
            self._sending = self._sending[os.write(self._input.fileno(), self._sending) :]
        except (StopIteration, BrokenPipeError):
            # All is sent; or it takes no more, and says why in its answer.
            self._selector.unregister(self._input)
            self._input.close()

    def _hear_out(self) -> None:
        """Take what else the program says before it ends; what it started in turn may hold the pipe for longer."""
        deadline = time.monotonic() + _GRACE_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipes[2], selectors.EVENT_READ)
            while not self._heard_out and time.monotonic() < deadline:
                if selector.select(_GLANCE_SECONDS):
                    self._hear()
                elif self._process.poll() is not None:
                    return
