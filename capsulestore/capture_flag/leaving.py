"""The `SystemExit` that ends this program, of which the interpreter leaves nothing to see.

From Python 3.12 on it is seen as it leaves the program's outermost frame (`sys.monitoring`, PEP 669), whatever raised
it. Before, one that `sys.exit`, `exit` or `quit` has raised is: the interpreter asks it for its status when it has
ended the program, and then nothing else runs. One that is raised by `raise SystemExit(...)` is not.
"""

from __future__ import annotations

import builtins
import functools
import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Final

__all__ = ["watch_leaving"]

_FREE_TOOLS: Final = (3, 4)
"""The tools of `sys.monitoring` that are nobody's by convention."""

_told: list[Callable[[object], None]] = []


def watch_leaving(outermost: FrameType, tell: Callable[[object], None]) -> None:
    """Tell the status of the `SystemExit` that ends this program, when it does and where it can be seen.

    `outermost` is the frame in which the main thread's statements began.
    """
    _told.append(tell)
    if len(_told) == 1 and not _watch_unwinding(outermost.f_code):
        _watch_calls()


def _tell_all(status: object) -> None:
    for tell in _told:
        tell(status)


def _watch_unwinding(outermost: CodeType) -> bool:
    """Watch what leaves a frame; False where this interpreter cannot, or others do."""
    if sys.version_info >= (3, 12):
        monitoring = sys.monitoring
        tool = next((tool for tool in _FREE_TOOLS if monitoring.get_tool(tool) is None), None)
        if tool is None:
            return False

        def left(code: CodeType, _: int, exception: BaseException) -> None:
            # The status alone: whoever holds the exception holds the files that are open in its frames.
            if code is outermost and isinstance(exception, SystemExit):
                _tell_all(exception.code)

        monitoring.use_tool_id(tool, "capsulestore")
        monitoring.register_callback(tool, monitoring.events.PY_UNWIND, left)
        monitoring.set_events(tool, monitoring.events.PY_UNWIND)
        return True
    return False


class _Seen(SystemExit):
    """What `sys.exit` raises: it tells its status if it ends the program."""

    @property
    def code(self) -> Any:
        status = _STATUS.__get__(self)
        # Nothing has called this but the interpreter, with nothing left to run.
        if sys._getframe().f_back is None and threading.current_thread() is threading.main_thread():
            _tell_all(status)
        return status

    @code.setter
    def code(self, status: Any) -> None:
        _STATUS.__set__(self, status)

    def __reduce__(self) -> tuple[Any, ...]:
        return SystemExit, self.args


_STATUS: Final = vars(SystemExit)["code"]
# In a traceback, and to whoever asks for its name, it is what it stands for.
_Seen.__name__ = _Seen.__qualname__ = SystemExit.__name__
_Seen.__module__ = SystemExit.__module__


def _watch_calls() -> None:
    """Have `sys.exit`, `exit` and `quit` raise what is seen; so too where a caller of this has imported `sys.exit`."""
    leave = sys.exit
    sys.exit = seen = _seen(leave)
    quitter: Any = type(getattr(builtins, "exit", None))
    # Without `site` there is none.
    if quitter.__module__ == "_sitebuiltins":
        quitter.__call__ = _seen(quitter.__call__)
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        for name in [name for name, value in frame.f_globals.items() if value is leave]:
            frame.f_globals[name] = seen
        frame = frame.f_back


def _seen(leave: Callable[..., Any]) -> Any:
    @functools.wraps(leave)
    def left(*status: Any, **named: Any) -> None:
        try:
            leave(*status, **named)
        except SystemExit as exception:
            known = exception
        # Outside, so that it has the context that it would have had. One of another kind is the program's own.
        raise _Seen(*known.args) if type(known) is SystemExit else known

    return left
