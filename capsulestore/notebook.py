"""Records the cells of a notebook: magics for IPython, in Jupyter, VS Code and the terminal.

    %load_ext capsulestore

    %%capsule fit --input data.csv --output fit.csv --param alpha=0.1
    ...

    %capsule verify

A cell is run by IPython itself, as any other: before it comes to the magics, its first line becomes the call that
begins the recording, which ends when IPython says that the cell has ended. Nothing here imports IPython; what it needs
of it is the shell that it is given.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from capsulestore.agent import Order, Record, Recording
from capsulestore.capture.artifacts import recorded_path
from capsulestore.capture.own_environ import own_environ
from capsulestore.capture.target import running
from capsulestore.errors import CapsuleError, UsageError
from capsulestore.model.canonical import Json
from capsulestore.recording.cell import digest_of, encoded, end_of_future_imports, holds_secret, title_of
from capsulestore.recording.cell_header import parse_header, split_words
from capsulestore.store import opened

__all__ = ["Magics", "Stopped", "load_ipython_extension", "unload_ipython_extension"]

Shell = Any
"""IPython's `InteractiveShell`, of whatever release: it is never imported here."""

_NAME: Final = "capsule"
_BEGIN: Final = "begin_capsule"
_VARIABLE: Final = "_capsule"
"""Where the notebook finds the `Recording` of the cell that was recorded last."""
_KEPT_AS: Final = "cell.py"
_FIRST_LINE: Final = re.compile(r"%%capsule(?:[ \t]+(?P<options>.*))?\n?")
_SAY_THE_FILE: Final = ("__vsc_ipynb_file__", "__session__")
"""The variables in which VS Code and Jupyter give a kernel the notebook's path."""
_COMMANDS: Final = ("verify", "show", "log")


class Stopped(CapsuleError):
    """An error that stops a cell, shown as the commands show theirs: a line and a hint, no traceback."""

    def _render_traceback_(self) -> list[str]:
        # IPython's way for an exception to say how it is shown.
        return [_printable(f"error: {self.message}"), *([_printable(f"hint: {self.hint}")] if self.hint else [])]


@dataclass(slots=True)
class _Cell:
    """A cell that runs; with what records it, once it has begun to be recorded."""

    text: str
    record: Record | None = None
    recording: Recording | None = None


class Magics:
    """The magics `%%capsule` and `%capsule` of one shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        # One runs within another where a cell runs cells, as `%%capture` does.
        self._running: list[_Cell] = []
        self._is_unloaded = False

    def load(self) -> None:
        """Give the shell the magics."""
        shell = self._shell
        shell.register_magic_function(self.cell, "cell", _NAME)
        shell.register_magic_function(self.line, "line", _NAME)
        shell.register_magic_function(self.begin, "line", _BEGIN)
        # Before IPython's own, which takes any `%%` for a magic that is handed its cell as a text.
        shell.input_transformer_manager.line_transforms.insert(0, self.transform)
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)

    def unload(self) -> None:
        """Take them away again. A cell that is being recorded still is, to its end."""
        shell = self._shell
        shell.input_transformer_manager.line_transforms.remove(self.transform)
        for kind, name in (("cell", _NAME), ("line", _NAME), ("line", _BEGIN)):
            del shell.magics_manager.magics[kind][name]
        self._is_unloaded = True
        self._take_leave()

    def transform(self, lines: list[str]) -> list[str]:
        """Return a cell that begins with `%%capsule` as one that first calls `begin`, line by line where it was."""
        first = _FIRST_LINE.fullmatch(lines[0]) if len(lines) > 1 else None
        if first is None:
            return lines
        rest = self._shell.transform_cell("".join(lines[1:])).splitlines(keepends=True)
        start = end_of_future_imports(rest)
        call = f"get_ipython().run_line_magic({_BEGIN!r}, {first['options'] or ''!r})\n"
        return [*rest[:start], call, *rest[start:]]

    def begin(self, line: str = "") -> None:
        """Record the cell from here to its end: what the first line `%%capsule` comes to, with its words."""
        with _in_one_line():
            header = parse_header(line)
            cell = self._running[-1] if self._running else None
            if cell is None or cell.record:
                raise UsageError(
                    "the cell is being recorded already" if cell else "what is run silently is not recorded",
                    hint="`%%capsule` is a cell's first line, once",
                )
            order = Order(
                title=header.title or title_of(cell.text),
                inputs=header.inputs,
                outputs=header.outputs,
                parameters=header.parameters,
                labels=header.labels,
                parents=header.parents,
                observed={"cell": digest_of(cell.text), **self._entry_point()},
                kept={} if holds_secret(cell.text) else {_KEPT_AS: encoded(cell.text)},
                strict=header.strict,
            )
            record = Record(order)
            with _without_default_handler():
                recording = record.__enter__()
        cell.record, cell.recording = record, recording
        self._shell.user_ns[_VARIABLE] = recording
        if recording.error:
            _warn(recording.error)
        elif not order.kept:
            _say(f"note: what looks like a credential is in the cell, so `{_KEPT_AS}` is not kept")

    def cell(self, line: str, cell: str) -> None:
        """Record this cell as a capsule: the environment, the code, and what the options say.

            %%capsule TITLE [--input PATH]... [--output PATH]... [--param K=V]... [--label K=V]...
                [--parent NAME]... [--strict]

        Without a title it is the first comment, or the first line. An input is digested before, an output after; both
        may be patterns. The variable `_capsule` is the recording, to which the cell may add: parameters, outputs. A
        cell that raises is registered as failed. What keeps it from being recorded is told; with --strict it is raised.
        """
        # For a program that was made from a notebook: in one, `transform` comes before.
        self._shell.run_cell(f"%{_BEGIN} {line}\n{self._shell.transform_cell(cell)}").raise_error()

    def line(self, line: str = "") -> None:
        """Look at capsules as the command does: `%capsule verify [NAME]`, `%capsule show [NAME]`, `%capsule log`.

        The environment that is verified is that of the kernel's own interpreter; NAME is by default the last capsule.
        """
        with _in_one_line():
            word, *rest = split_words(line) or [""]
            if word not in _COMMANDS:
                raise UsageError(
                    f"`%{_NAME}` has no `{word}`" if word else f"`%{_NAME}` alone does nothing",
                    hint="there are `verify`, `show` and `log`; `%%capsule` as its first line records a cell",
                )
            python = running().python
        given = {"verify": ["--python", python], "show": [] if rest else ["@"]}.get(word, [])
        # A process of its own: what the command imports would be found among what the analysis imports.
        done = subprocess.run(
            [python, "-P", "-m", "capsulestore_cli", word, *given, *rest],
            capture_output=True,
            env=own_environ(),
            text=True,
            errors="backslashreplace",
            check=False,
        )
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)

    def _before(self, info: Any) -> None:
        self._running.append(_Cell(info.raw_cell))

    def _after(self, result: Any) -> None:
        # An empty cell ends without having begun.
        if self._running and (result is None or result.info.raw_cell == self._running[-1].text):
            cell = self._running.pop()
            if cell.record and cell.recording:
                self._complete(cell.record, cell.recording, result)
                if self._is_unloaded:
                    self._take_leave()

    def _take_leave(self) -> None:
        """Hear no more of cells, unless one is being recorded."""
        if not any(cell.record for cell in self._running):
            self._shell.events.unregister("pre_run_cell", self._before)
            self._shell.events.unregister("post_run_cell", self._after)

    def _complete(self, record: Record, recording: Recording, result: Any) -> None:
        failure = result.error_in_exec if result else sys.exception()
        known = recording.error
        try:
            with _in_one_line(), _without_default_handler():
                record.__exit__(type(failure) if failure else None, failure, None)
        except KeyboardInterrupt as interrupt:
            _warn(interrupt)
        except Exception as error:
            # With `strict`. The cell has ended, and IPython looks here whether it has failed.
            if result:
                result.error_in_exec = error
            self._shell.showtraceback((type(error), error, error.__traceback__))
        else:
            if recording.error is not known:
                _warn(recording.error)
        for remark in recording.remarks:
            _say(f"note: {remark}")
        if recording.capsule_id:
            print(f"capsule {recording.capsule_id}")

    def _entry_point(self) -> dict[str, Json]:
        """Return the notebook's file as the manifest has it, where the front end says which it is."""
        paths = (self._shell.user_ns.get(name) for name in _SAY_THE_FILE)
        path = next((path for path in paths if isinstance(path, str) and os.path.isfile(path)), None)
        # Where there is no store, the recording will say so.
        with suppress(CapsuleError, OSError):
            if path:
                with opened(None) as store:
                    return {"entry_point": recorded_path(path, store.root)}
        return {}


def load_ipython_extension(shell: Shell) -> None:
    """Give a shell the magics `%%capsule` and `%capsule`, once; raise `UsageError` where there is none."""
    if shell is None:
        raise UsageError(
            "there is no IPython here", hint="`pip install 'capsulestore[notebook]'`, and start a notebook"
        )
    unload_ipython_extension(shell)
    Magics(shell).load()


def unload_ipython_extension(shell: Shell) -> None:
    """Take the magics away again, where they are there."""
    owner = getattr(shell.find_cell_magic(_NAME), "__self__", None)
    if isinstance(owner, Magics):
        owner.unload()


@contextmanager
def _in_one_line() -> Iterator[None]:
    try:
        yield
    except CapsuleError as error:
        raise Stopped(error.message, hint=error.hint) from error


@contextmanager
def _without_default_handler() -> Iterator[None]:
    """Leave what is logged to those who have said where to: without a handler, Python writes it beside our lines."""
    logger, silent = logging.getLogger("capsulestore"), logging.NullHandler()
    logger.addHandler(silent)
    try:
        yield
    finally:
        logger.removeHandler(silent)


def _warn(error: BaseException | None) -> None:
    if isinstance(error, CapsuleError):
        reason, hint = error.message, error.hint
    elif isinstance(error, KeyboardInterrupt):
        reason, hint = "it was interrupted", None
    else:
        reason = f"unexpected {type(error).__name__}: {error}"
        hint = f"this is a mistake in capsulestore; please report it, with what `raise {_VARIABLE}.error` shows"
    _say(f"warning: not recorded: {reason}")
    if hint:
        _say(f"hint: {hint}")


def _say(line: str) -> None:
    print(_printable(line), file=sys.stderr)


def _printable(line: str) -> str:
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in line)
