"""A script that is recorded because its user says so. Nothing here raises: for want of a capsule no script fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

# Without the flag all of this is loaded for nothing: what records is imported where it is needed.
if TYPE_CHECKING:
    from capsulestore.agent import Record, Recording

__all__ = ["Running", "Script", "warn"]

_Path = str | os.PathLike[str]


class Script(NamedTuple):
    """What a script's author says of it: its title, and its inputs and outputs in terms of its parameters."""

    title: str | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, title: str | None, inputs: _Path | Sequence[_Path], outputs: _Path | Sequence[_Path]) -> Script:
        """Return what is said of a script; one path is as good as a list of one."""
        return cls(title, _texts(inputs), _texts(outputs))

    def begin(self, called: str, parameters: Mapping[str, Any]) -> Running:
        """Note that the script begins; `called` is its title where its author has given none."""
        title = self.title or called or "script"
        try:
            from capsulestore.agent import record  # noqa: PLC0415
            from capsulestore.capture_flag.templates import filled, value_of  # noqa: PLC0415

            inputs, unknown_inputs = filled(self.inputs, parameters)
            outputs, unknown_outputs = filled(self.outputs, parameters)
            for problem in (*unknown_inputs, *unknown_outputs):
                warn(f"{title}: {problem}")
            running = record(
                title,
                inputs=inputs,
                outputs=outputs,
                parameters={name: value_of(value) for name, value in parameters.items()},
            )
            return Running(title, running, running.__enter__())
        except Exception as error:
            warn(f"{title}: not recorded: {error}")
            return Running(title)


class Running(NamedTuple):
    """A script that runs; without `recording`, nothing can be recorded of it."""

    title: str
    record: Record | None = None
    recording: Recording | None = None

    def end(self, failure: BaseException | None) -> None:
        """Register the script's capsule, and tell its digest on stderr; `failure` is what ended the script, if any."""
        if self.record is None or self.recording is None:
            return
        try:
            self.record.__exit__(type(failure) if failure else None, failure, None)
            # It is the script's own command line that is answered. A stderr that is closed or full takes nothing away.
            with suppress(OSError, ValueError):
                if self.recording.capsule_id and sys.stderr:
                    print(f"capsule {self.recording.capsule_id}", file=sys.stderr, flush=True)
        except Exception as error:
            warn(f"{self.title}: not recorded: {error}")


def warn(message: str) -> None:
    """Log a warning to the logger `capsulestore`, which without further ado shows it on stderr."""
    import logging  # noqa: PLC0415

    logging.getLogger("capsulestore").warning("%s", message)


def _texts(given: _Path | Sequence[_Path]) -> tuple[str, ...]:
    several = [given] if isinstance(given, str | os.PathLike) else given
    return tuple(os.fspath(path) for path in several)
