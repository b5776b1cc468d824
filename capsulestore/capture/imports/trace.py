"""Starts a command so that the interpreters in it say what they import."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from capsulestore.capture.imports.observed import DIRECTORY_PREFIX, Traced, read_observed
from capsulestore.errors import FileProblem

__all__ = ["Tracing", "tracing"]

_SITECUSTOMIZE: Final = Path(__file__).with_name("sitecustomize.py")


@dataclass(frozen=True, slots=True)
class Tracing:
    """A command to be traced: `environ` is what to start it with, `directory` is ours while it runs."""

    environ: Mapping[str, str]
    directory: str

    def files(self) -> Traced:
        """Return what was seen up to now; of processes that the command leaves behind, what they did until now."""
        return read_observed(os.path.join(self.directory, "observed"))


@contextmanager
def tracing(environ: Mapping[str, str]) -> Iterator[Tracing]:
    """Trace the imports of a command that is started with `environ`, and of every process that inherits PYTHONPATH.

    What is to be known of it is asked for within the block, after the command has ended; a private temporary directory
    is removed with the block. Raise `FileProblem` where none can be made that may stand on PYTHONPATH.
    """
    import tempfile  # noqa: PLC0415

    try:
        temporary = tempfile.TemporaryDirectory(prefix=DIRECTORY_PREFIX, ignore_cleanup_errors=True)
    except OSError as error:
        raise FileProblem(f"cannot make a temporary directory to trace imports: {error.strerror}") from error
    with temporary as name:
        directory = os.path.abspath(name)
        if os.pathsep in directory:
            raise FileProblem(
                f"cannot trace imports by way of `{directory}`, which PYTHONPATH would take apart",
                hint=f"set TMPDIR to a directory without `{os.pathsep}` in its path",
            )
        try:
            Path(directory, "sitecustomize.py").write_bytes(_SITECUSTOMIZE.read_bytes())
            Path(directory, "observed").touch()
        except OSError as error:
            raise FileProblem(f"cannot write to `{directory}` to trace imports: {error.strerror}") from error
        own = environ.get("PYTHONPATH")
        path = f"{directory}{os.pathsep}{own}" if own else directory
        yield Tracing({**environ, "PYTHONPATH": path}, directory)
