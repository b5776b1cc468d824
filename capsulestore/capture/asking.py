"""Starts a target interpreter once, to ask it what it is and where it looks for modules."""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, get_origin, get_type_hints

from capsulestore.capture.interpreter import Interpreter
from capsulestore.capture.start_up import notice_answer, notice_start
from capsulestore.errors import InterpreterProblem

__all__ = ["ANSWER_SECONDS", "ask"]

ANSWER_SECONDS: Final = 30.0
"""How long a target may take to start: its site code runs as it would for the analysis."""

_PROBE_BEGINS: Final = '"""Runs inside the target interpreter'
_MAX_COMPLAINT: Final = 200
_MAX_ANSWER_BYTES: Final = 4 * 2**20
_PROBE: Final = Path(__file__).with_name("probe.py")


def ask(python: str, *, environ: Mapping[str, str] | None = None) -> Interpreter:
    """Start `python` as an analysis would and return what it says of itself.

    PYTHONPATH, the user site and `.pth` files count; the working directory does not. What its site code prints is
    thrown away, nothing is written beside it (`-B`), and its standard input is empty. Raise `InterpreterProblem` where
    it cannot be started, is no Python 3, or does not answer within `ANSWER_SECONDS`.
    """
    notice_start(python, os.environ if environ is None else environ)
    reading, low = os.pipe()
    # Below 3 it would be taken for a standard stream of the target's, where some of ours are closed.
    writing = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(low)
    with os.fdopen(reading, "rb") as answers, _nameless_file() as complaints, _held_interrupts() as release:
        try:
            process = _start(python, writing, complaints, environ)
        finally:
            os.close(writing)
        try:
            release()
            text = _answer(answers.fileno())
        finally:
            # It has answered, closed the pipe, or had its time: what its exit hooks still do is not waited for.
            _end(process)
        complaints.seek(0)
        complaint = complaints.read(64 * 1024).decode("utf-8", "replace").strip().splitlines()
    if text is None:
        raise InterpreterProblem(
            f"`{python}` did not answer within {ANSWER_SECONDS:.0f} seconds",
            hint=f"see what `{python} -c pass` does: its site code may hang",
        )
    return _parse(python, text, complaint)


def _nameless_file() -> IO[bytes]:
    """Open a file in memory, where there is such a thing: there may be no directory in which one may be made."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("complaints"), "w+b")
    return tempfile.TemporaryFile()


def _start(
    python: str, answers: int, complaints: IO[bytes], environ: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [python, "-B", "-c", _PROBE.read_text(), str(answers)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            env=environ,
            pass_fds=[answers],
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InterpreterProblem(
            f"cannot start `{python}`: {reason}", hint="name an interpreter with `--python PATH`"
        ) from None


@contextmanager
def _held_interrupts() -> Iterator[Callable[[], None]]:
    """Hold back Ctrl-C until the block calls what it is given: between start and `try`, it would leave an orphan."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

    def release() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    try:
        yield release
    finally:
        release()


def _answer(descriptor: int) -> bytes | None:
    """Return what comes before the first newline or the pipe's end; None where the time ran out."""
    received = b""
    deadline = time.monotonic() + ANSWER_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while b"\n" not in received and len(received) < _MAX_ANSWER_BYTES:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return None
            chunk = os.read(descriptor, 2**16)
            if not chunk:
                break
            received += chunk
    return received.partition(b"\n")[0]


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _parse(python: str, text: bytes, complaint: list[str]) -> Interpreter:
    import ast  # noqa: PLC0415
    import textwrap  # noqa: PLC0415

    hint = "name an interpreter with `--python PATH`"
    try:
        answer = ast.literal_eval(text.decode("ascii"))
        rests_on = [path for path in answer.pop("rests_on", ()) if isinstance(path, str) and "\0" not in path]
        interpreter = _checked(answer)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        # Of a traceback the last line says most, of anything else the first.
        line = complaint[-1 if complaint[0].startswith("Traceback") else 0].strip() if complaint else ""
        if _PROBE_BEGINS in line:
            # What is no Python may complain of our question word by word.
            line = ""
        said = f": {textwrap.shorten(line, _MAX_COMPLAINT, placeholder=' ...')}" if line else ""
        raise InterpreterProblem(f"`{python}` does not answer as a Python would{said}", hint=hint) from None
    if interpreter.version.startswith("2."):
        raise InterpreterProblem(f"`{python}` is Python {interpreter.version}; Python 3 is needed", hint=hint)
    notice_answer(python, interpreter, rests_on, complained=bool(complaint))
    return interpreter


def _checked(answer: dict[str, Any]) -> Interpreter:
    """Return the answer as a value; raise `TypeError` or `ValueError` for one that no probe of ours gives."""
    interpreter = Interpreter(**answer)
    for name, kind in get_type_hints(Interpreter).items():
        value = getattr(interpreter, name)
        texts = value if isinstance(value, list) else [value] if isinstance(value, str) else []
        if type(value) is not (get_origin(kind) or kind) or not all(isinstance(text, str) for text in texts):
            raise TypeError(f"{name} is no {kind}")
        if any("\0" in text for text in texts):
            raise ValueError(f"{name} holds a NUL")
    return interpreter
