"""How this program ends, as far as what is called at its end can see.

The interpreter leaves an exception that nobody has caught in `sys.last_value`, but nothing of a `SystemExit`. That one
has ended the program is seen from its outermost frame, which then has not returned; its status has to be watched for.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from types import FrameType

from capsulestore.capture_flag.leaving import watch_leaving

__all__ = ["Ending", "still_end_by_interrupt"]


class Ending:
    """What is known of this program's end, which is watched from here on. To be asked at its end."""

    def __init__(self) -> None:
        self._earlier = getattr(sys, "last_value", None)
        self._outermost = _outermost()
        self._exit: SystemExit | None = None
        watch_leaving(self._outermost, self._note)

    @property
    def is_unseen(self) -> bool:
        """Whether a `SystemExit` has ended the program whose status nobody has seen."""
        return self._was_left() and self.failure() is None

    def failure(self) -> BaseException | None:
        """Return the exception that ended this program, a `SystemExit` among others; None where none was seen."""
        if self._exit is not None:
            return self._exit
        return self._uncaught() if self._was_left() else None

    def _note(self, status: object) -> None:
        self._exit = SystemExit(status)

    def _uncaught(self) -> BaseException | None:
        latest = getattr(sys, "last_value", None)
        return latest if latest is not self._earlier else None

    def _was_left(self) -> bool:
        """Whether an exception has left the outermost frame."""
        return self._outermost is not _outermost() and not _returned(self._outermost)


def still_end_by_interrupt() -> None:
    """Let the interpreter end by SIGINT after all, as it does where nobody has caught Ctrl-C.

    It forgets that it should when a text is compiled and run, which importing a module may do.
    """
    with suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")  # noqa: S102


def _outermost() -> FrameType:
    """Return the frame in which the main thread's statements began."""
    frame = sys._current_frames()[threading.main_thread().ident or 0]
    while frame.f_back is not None:
        frame = frame.f_back
    return frame


def _returned(frame: FrameType) -> bool:
    """Whether the last instruction of a frame that runs no more was a return."""
    import opcode  # noqa: PLC0415

    return opcode.opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN")
