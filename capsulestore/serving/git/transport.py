"""A store as a repository that git clones and pushes to over HTTP: git's own programs behind an ASGI application.

What a push may do, and how it is checked, is in `capsulestore.serving.git.pushed_refs`. Who may push is for others to
see to.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import ExitStack, asynccontextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

from capsulestore.errors import CapsuleError
from capsulestore.serving.git.processes import Ended, GitProgram, converse, git_program
from capsulestore.serving.git.pushed_objects import PushedObjects, pushed_objects
from capsulestore.serving.git.requests import GitProblem, GitRequest, bounded, inflated, parse_request
from capsulestore.serving.limits import LIMITS, Limits
from capsulestore.serving.problems import problem_of
from capsulestore.store import layout
from capsulestore.sync.wire.packet import FLUSH, encode

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = ["GitTransport"]

_UNCACHED: Final = {"Cache-Control": "no-cache, max-age=0, must-revalidate", "Pragma": "no-cache"}
_PATIENCE: Final = 3
"""For how many times as long as a client may be idle another one waits for its turn."""

_Moved = TypeVar("_Moved")


class GitTransport:
    """An ASGI application for the store at a path, wherever it is mounted; needs git on PATH, and says so without.

    Bodies are passed on as they come, so that a transfer takes little memory; only what a fetch asks for, which is
    short, is read whole before. A request that is wrong is answered with 4xx, one for a store that cannot be read with
    503, or that cannot be written with 507, without git with 501, always in plain text, which git shows; the reason of
    5xx is logged too (`capsulestore.serving.http.request_log`). A client that goes, or is slower than the limits allow,
    takes its processes with it. What a pusher is told to be done is durable (I4).
    """

    def __init__(self, store_path: str, limits: Limits = LIMITS) -> None:
        self._store = os.path.realpath(layout.named(store_path))
        self._limits = limits
        # Whoever takes long to take a clone keeps nobody from pushing, or from asking what there is.
        self._turns = {kind: asyncio.Semaphore(limits.git_processes) for kind in ("refs", "fetch", "push")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        client = _Client(receive, send, self._limits)
        try:
            await self._answer(parse_request(scope), client)
        except* _Gone:
            pass
        except* GitProblem as problems:
            for problem in problems.exceptions:
                if isinstance(problem, GitProblem):
                    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                        scope.setdefault("state", {})["said"] = problem.said
                    await client.refuse(problem, self._told(problem.said))

    async def _answer(self, request: GitRequest, client: _Client) -> None:
        git = shutil.which("git")
        if git is None:
            raise GitProblem(HTTPStatus.NOT_IMPLEMENTED, "there is no git on this server, and so no clone and no push")
        pushes = request.service == "git-receive-pack" and not request.asks_refs
        most = self._limits.pushed_bytes if pushes else self._limits.fetch_request_bytes
        given = _body(request, client, most)
        if not pushes:
            # Nobody waits for a turn of git's while a request is still on its way.
            given = _again([piece async for piece in given])
        kind = "refs" if request.asks_refs else "push" if pushes else "fetch"
        async with self._turn(kind), self._place(pushes=pushes) as pushed:
            program = git_program(git, self._store, request, pushed, self._limits)
            ended = await self._run(program, request, given, client)
        if not client.is_answered and ended.status != 0:
            status = HTTPStatus.SERVICE_UNAVAILABLE if request.asks_refs else HTTPStatus.BAD_REQUEST
            raise GitProblem(status, ended.said or "git has failed")
        await client.answer(_type(request))
        await client.finish()

    @asynccontextmanager
    async def _turn(self, kind: str) -> AsyncIterator[None]:
        """Wait for a process of git's that may run; raise `GitProblem` where that takes too long."""
        try:
            async with asyncio.timeout(_PATIENCE * self._limits.idle_seconds):
                await self._turns[kind].acquire()
        except TimeoutError:
            said = "others are just fetching or pushing, as many as this server takes at once"
            raise GitProblem(HTTPStatus.SERVICE_UNAVAILABLE, said, {"Retry-After": "30"}) from None
        try:
            yield
        finally:
            self._turns[kind].release()

    @asynccontextmanager
    async def _place(self, *, pushes: bool) -> AsyncIterator[PushedObjects | None]:
        """Give the place for what is pushed; raise `GitProblem` where there is no store, or none can be made in it."""
        with ExitStack() as held:
            try:
                await asyncio.to_thread(layout.check, self._store)
                place = None
                if pushes:
                    place = await asyncio.to_thread(held.enter_context, pushed_objects(self._store))
            except CapsuleError as error:
                problem = problem_of(error, self._store)
                raise GitProblem(problem.status, error.message, problem.headers) from None
            try:
                yield place
            finally:
                await asyncio.to_thread(held.pop_all().close)

    async def _run(
        self, program: GitProgram, request: GitRequest, given: AsyncIterator[bytes], client: _Client
    ) -> Ended:
        async def answer(piece: bytes) -> None:
            if not client.is_answered:
                await client.answer(_type(request))
                if request.asks_refs and request.version != "2":
                    await client.send(encode(f"# service={request.service}\n".encode()) + FLUSH)
            await client.send(piece)

        return await converse(program, client.watched(given), answer, self._limits)

    def _told(self, said: str) -> str:
        """Return a line of git's or of ours; where the store lies is nobody's business.

        Git repeats what it was sent: nothing of it is an order to a terminal.
        """
        return "".join(letter if letter.isprintable() else " " for letter in said.replace(self._store, ".capsules"))


class _Gone(Exception):
    """The client has gone, or is given up."""


class _Client:
    """Who asks: reads what it sends, and sends what it gets, for as long as it keeps up.

    What is waited for it, beyond a while, has to be worth it in bytes.
    """

    def __init__(self, receive: Receive, send: Send, limits: Limits) -> None:
        self._receive = receive
        self._send = send
        self._limits = limits
        self._left_seconds = limits.idle_seconds
        self._whole = False
        self.is_answered = False

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces; raise `_Gone`."""
        while not self._whole:
            message = await self._timed(self._receive())
            if message["type"] == "http.disconnect":
                raise _Gone
            self._whole = not message.get("more_body", False)
            if piece := message.get("body", b""):
                self._credit(piece)
                yield piece

    async def watched(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield pieces, an empty one after the last, and then look out for the client's end; raise `_Gone`."""
        async for piece in pieces:
            yield piece
        yield b""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        raise _Gone

    async def answer(self, content_type: str, status: int = HTTPStatus.OK, **headers: str) -> None:
        """Begin an answer, unless it has begun."""
        if self.is_answered:
            return
        self.is_answered = True
        fields = {"Content-Type": content_type, **_UNCACHED, **headers}
        lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
        await self._send({"type": "http.response.start", "status": int(status), "headers": lines})

    async def send(self, piece: bytes) -> None:
        """Send a piece of the answer; raise `_Gone`."""
        await self._timed(self._send({"type": "http.response.body", "body": piece, "more_body": True}))
        self._credit(piece)

    async def finish(self) -> None:
        """End the answer, which is whole."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def refuse(self, problem: GitProblem, told: str) -> None:
        """Answer with a problem, told so; an answer that has begun just ends, and the server cuts the connection."""
        if self.is_answered:
            return
        await self.answer("text/plain; charset=utf-8", problem.status, **problem.headers)
        self._left_seconds = self._limits.idle_seconds
        with suppress(_Gone):
            await self.send(f"{told}\n".encode())
            await self.finish()

    def _credit(self, piece: bytes) -> None:
        most = self._limits.idle_seconds
        self._left_seconds = min(most, self._left_seconds + len(piece) / self._limits.slowest_bytes_per_second)

    async def _timed(self, moving: Awaitable[_Moved]) -> _Moved:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(max(self._left_seconds, 0)):
                return await moving
        except TimeoutError:
            raise _Gone from None
        finally:
            self._left_seconds -= time.monotonic() - begun


def _type(request: GitRequest) -> str:
    return f"application/x-{request.service}-{'advertisement' if request.asks_refs else 'result'}"


async def _body(request: GitRequest, client: _Client, most: int) -> AsyncIterator[bytes]:
    """Yield the body of a request as git is to have it."""
    if request.length is not None and request.length > most:
        raise GitProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than the {most} bytes that are taken at a time")
    pieces = bounded(client.body(), most)
    async for piece in bounded(inflated(pieces), most) if request.gzipped else pieces:
        yield piece


async def _again(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
