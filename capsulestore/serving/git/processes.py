"""Git's programs as a server runs them: with settings of its own, bounded, and ended with whoever they are for."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, NamedTuple

from capsulestore.serving.git.pushed_objects import PushedObjects
from capsulestore.serving.git.requests import GitRequest
from capsulestore.serving.limits import Limits

__all__ = ["Ended", "GitProgram", "converse", "git_program"]

_HIDDEN: Final = ("refs/capsules", "!refs/capsules/forgotten", "refs/remotes")
_PIECE_BYTES: Final = 2**16
_SAID_BYTES: Final = 2**12
_LAST_WORDS: Final = ("fatal: ", "error: ")
_ENDING_SECONDS: Final = 5.0
"""What git has to remove what it has begun, once it is told to end."""


class GitProgram(NamedTuple):
    """A program to run: its command line, and all its variables."""

    command: Sequence[str]
    environ: Mapping[str, str]


class Ended(NamedTuple):
    """How git ended: its exit status, negative for a signal, and its last words, of which there may be none."""

    status: int
    said: str


def git_program(git: str, store: str, request: GitRequest, pushed: PushedObjects | None, limits: Limits) -> GitProgram:
    """Return git's program for a request to the store at a path; a push has the place of what is `pushed`.

    No variable of git's is passed on: they may tell of another repository. Whoever owns the store, nothing in it makes
    git run a program.
    """
    settings = {
        # Not `:` alone: git starts a command without a sign of the shell's directly, and there is no such program.
        "core.alternateRefsCommand": ": #",
        "core.fsmonitor": "false",
        "core.hooksPath": os.devnull,
        "core.bigFileThreshold": "64m",
        "pack.threads": "1",
        "pack.windowMemory": "256m",
        # All or nothing is what everybody gets, but where another process sets a tag just then: no promise.
        "receive.advertiseAtomic": "false",
    }
    if pushed:
        settings |= {
            "core.fsync": "all",
            "core.fsyncMethod": "fsync",
            "core.hooksPath": pushed.hooks,
            "receive.autogc": "false",
            "receive.fsckObjects": "true",
            "receive.maxInputSize": str(limits.pushed_bytes),
            "receive.procReceiveRefs": "refs",
            "receive.unpackLimit": "1",
        }
    said = [*settings.items(), *(("transfer.hideRefs", name) for name in _HIDDEN)]
    if not pushed:
        # Git asks who owns a repository because its config may name programs. This one is what the administrator named,
        # whoever owns it, and none is run: these programs ask no hooks, `uploadpack.packObjectsHook` counts only from
        # configs that are not the repository's (git-config(1)), and the others are set above. What is pushed goes into
        # a repository of our own, with our own config: newer releases of git have hooks in the config too.
        said += [("safe.directory", path) for path in (store, os.path.join(store, ".git"))]
    options = [text for name, value in said for text in ("-c", f"{name}={value}")]
    service = request.service.removeprefix("git-")
    how = ["--stateless-rpc", *(["--advertise-refs"] if request.asks_refs else [])]
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_") and name != "CAPSULE_TOKEN"
    }
    # Before 2.39.4 git fetched what a store lacks from where its config says, by a program that this may name.
    environ |= {"LANGUAGE": "en", "LC_ALL": "C.UTF-8", "GIT_ALLOW_PROTOCOL": "none"}
    if request.version is not None:
        environ["GIT_PROTOCOL"] = f"version={request.version}"
    return GitProgram([git, *options, service, *how, pushed.directory if pushed else store], environ)


async def converse(
    program: GitProgram,
    given: AsyncIterator[bytes],
    answer: Callable[[bytes], Awaitable[None]],
    limits: Limits,
) -> Ended:
    """Give a program what it is to read, and pass on what it writes, as fast as the slower side goes.

    `given` is taken to its end also where the program ends before, and then on: it raises where the client goes. When
    this returns, or raises what `given` and `answer` raise (in an `ExceptionGroup`), no process is left of it.
    """
    given_all = asyncio.Event()
    async with _running(program, limits) as process:
        stdin, stdout, stderr = _pipes(process)

        async def feed() -> None:
            listens = True
            async for piece in given:
                if not piece:
                    stdin.close()
                    given_all.set()
                elif listens:
                    try:
                        stdin.write(piece)
                        await stdin.drain()
                    except ConnectionError:
                        # It has ended; why, it says in its answer.
                        listens = False

        async with asyncio.TaskGroup() as tasks:
            feeding = tasks.create_task(feed())
            saying = tasks.create_task(_tail(stderr))
            while piece := await stdout.read(_PIECE_BYTES):
                await answer(piece)
            await given_all.wait()
            status = await process.wait()
            feeding.cancel()
        return Ended(status, saying.result())


@asynccontextmanager
async def _running(program: GitProgram, limits: Limits) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *program.command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=program.environ,
        cwd="/",
        start_new_session=True,
    )
    try:
        _bound(process.pid, limits)
        yield process
    finally:
        await asyncio.shield(asyncio.ensure_future(_end(process)))


def _bound(pid: int, limits: Limits) -> None:
    """Bound the memory and the time of a process, and so of those that it starts; it waits for what it is to read."""
    if not hasattr(resource, "prlimit"):
        return
    bounds = {
        resource.RLIMIT_DATA: limits.git_memory_bytes,
        resource.RLIMIT_CPU: limits.git_cpu_seconds,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in bounds.items():
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, which)
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(pid, which, (least, least))


def _pipes(
    process: asyncio.subprocess.Process,
) -> tuple[asyncio.StreamWriter, asyncio.StreamReader, asyncio.StreamReader]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise TypeError("a process without pipes")
    return process.stdin, process.stdout, process.stderr


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process and those that it started. Git removes its locks and its unfinished files when it is asked to."""
    if process.returncode is not None:
        # What it started may have outlived it, where it was the kernel that ended it.
        _signal(process.pid, signal.SIGKILL)
        return
    _, stdout, stderr = _pipes(process)
    _signal(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        # Its end is not seen before the ends of its pipes, which may be full.
        async with asyncio.timeout(_ENDING_SECONDS):
            await asyncio.gather(_tail(stdout), _tail(stderr), process.wait())
    _signal(process.pid, signal.SIGKILL)
    await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


async def _tail(stream: asyncio.StreamReader) -> str:
    """Read a stream to its end, and return git's last words in it, as one line."""
    tail = b""
    while piece := await stream.read(_PIECE_BYTES):
        tail = (tail + piece)[-_SAID_BYTES:]
    lines = [line.strip() for line in tail.decode("utf-8", "replace").splitlines()]
    last = [line for line in lines if line.startswith(_LAST_WORDS)] or [line for line in lines if line]
    return last[-1] if last else ""
