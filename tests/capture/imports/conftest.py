"""Real programs, run with and without being traced."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from capsulestore.capture.imports import Traced, tracing


@dataclass(frozen=True)
class Run:
    """How a program ended, what it printed, and what was seen of it: None where it was not traced."""

    status: int
    stdout: str
    stderr: str
    traced: Traced | None = None


@pytest.fixture
def run_plainly(environ: dict[str, str], tmp_path: Path) -> Callable[..., Run]:
    """Run a command in the test's directory, as it is: `run_plainly(python, "a.py", NAME="value")`."""

    def run(*command: str | Path, timeout: float = 60, **variables: str) -> Run:
        return _run(command, {**environ, **variables}, tmp_path, timeout=timeout)

    return run


@pytest.fixture
def run_traced(environ: dict[str, str], tmp_path: Path) -> Callable[..., Run]:
    """Run a command likewise, and trace its imports."""

    def run(*command: str | Path, timeout: float = 60, **variables: str) -> Run:
        with tracing({**environ, **variables}) as tracing_it:
            done = _run(command, tracing_it.environ, tmp_path, timeout=timeout)
            traced = tracing_it.files()
        assert not os.path.exists(tracing_it.directory)
        return Run(done.status, done.stdout, done.stderr, traced)

    return run


def _run(command: Any, environ: Any, directory: Path, **options: Any) -> Run:
    done = subprocess.run(
        [*map(str, command)], env=environ, cwd=directory, capture_output=True, text=True, check=False, **options
    )
    return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file in the test's directory: `write("a.py", "x = 1")`."""

    def to(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return to
