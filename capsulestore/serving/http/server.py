"""Runs an application on sockets, by uvicorn, until it is asked to end.

Asked by SIGINT, SIGTERM or `Server.stop`, it takes no more connections, finishes the requests that have begun, for
`Limits.shutdown_seconds` at most, and returns. A thread that is just changing the store is waited for even then. A
second signal ends the process as that signal does: what was acknowledged is on disk.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from capsulestore.errors import CapsuleError
from capsulestore.serving.http.listening import Listening
from capsulestore.serving.http.protocol import bounded_by
from capsulestore.serving.http.request_log import RequestLog
from capsulestore.serving.limits import LIMITS, Limits

if TYPE_CHECKING:
    import socket
    from types import FrameType

    from starlette.types import ASGIApp

__all__ = ["Server"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_NO_MORE_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE})
_TOLD_AGAIN_SECONDS: Final = 1.0
"""That no more connections are taken is told once in this time: asyncio says it for each that waits."""


class Server:
    """One application on sockets that are bound; `log` is given the lines of `request_log` beside this."""

    def __init__(
        self, app: ASGIApp, bound: Listening, *, limits: Limits = LIMITS, log: Callable[[str], None] = lambda _: None
    ) -> None:
        config = uvicorn.Config(
            RequestLog(app, log),
            http=bounded_by(limits),
            ws="none",
            loop="asyncio",
            interface="asgi3",
            lifespan="on",
            # It has its own ways to say what `log` is told: none of them is wanted.
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            # What an answer holds is what it says it is, and nothing that a browser finds in it.
            headers=[("X-Content-Type-Options", "nosniff")],
            # Whoever sends `X-Forwarded-For` is believed nothing.
            proxy_headers=False,
            h11_max_incomplete_event_size=limits.head_bytes,
            timeout_keep_alive=limits.kept_seconds,  # type: ignore[arg-type]
            timeout_graceful_shutdown=limits.shutdown_seconds,  # type: ignore[arg-type]
        )
        self._bound = bound
        self._server = _Server(config, log)

    def run(self, started: Callable[[str], None]) -> None:
        """Serve until asked to end; `started` is called with the url once clients are answered.

        In the main thread signals are listened to meanwhile. Raise `CapsuleError` where the port was taken meanwhile,
        or the application does not start, which is logged; and what `started` raises.
        """
        self._bound.listen()
        self._server.on_start = lambda: started(self._bound.url)
        try:
            asyncio.run(self._server.serve(sockets=[*self._bound.sockets]))
        except SystemExit:
            # As uvicorn puts it.
            raise CapsuleError("the server could not start") from None

    def stop(self) -> None:
        """Ask it to end, from any thread; `run` returns when it has."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """With our own way to end by signals: uvicorn's raises them again when it is done, and exits by them."""

    def __init__(self, config: uvicorn.Config, log: Callable[[str], None]) -> None:
        super().__init__(config)
        self.on_start: Callable[[], None] = lambda: None
        self._log = log
        self._told_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._tell)
        await super().startup(sockets)
        self.on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if begun := len(self.server_state.tasks):
            self._log(f"finishing what was begun ({begun}); a second signal ends it at once")
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._end) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _tell(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in _NO_MORE_FILES:
            loop.default_exception_handler(context)
            return
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= _TOLD_AGAIN_SECONDS:
            self._told_at = now
            self._log(f"no connection can be taken now: {error.strerror}; allow more by `ulimit -n`")

    def _end(self, number: int, _: FrameType | None) -> None:
        if self.should_exit:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.should_exit = True
