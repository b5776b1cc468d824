"""The command as a user runs it, in a real process, and real environments to run it on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from capsulestore.store import Store


@dataclass(frozen=True)
class Outcome:
    """What a command did: exit status, standard output and standard error."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The only line of standard output."""
        (line,) = self.out.splitlines()
        return line


Capsule = Callable[..., Outcome]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real virtual environment with two small distributions from the index."""
    directory = tmp_path_factory.mktemp("prepared")
    uv = find_uv_bin()
    for command in (
        [uv, "venv", "-q", "--python", sys.executable, str(directory / ".venv")],
        [uv, "pip", "install", "-q", "--python", str(directory / ".venv"), "--no-deps", "six==1.16.0", "idna==3.6"],
    ):
        subprocess.run(command, check=True, cwd=directory, capture_output=True)
    return directory


@pytest.fixture
def project(prepared: Path, tmp_path: Path, known_machine: None) -> Path:
    """A directory with a `.venv` of its own, as a project has it."""
    shutil.copytree(prepared, tmp_path / "a project", symlinks=True)
    return tmp_path / "a project"


@pytest.fixture
def capsule(project: Path) -> Capsule:
    """Run `capsule` in the project, or in `cwd`."""

    def run(*arguments: str | Path, cwd: Path = project, env: dict[str, str] | None = None, text: str = "") -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "capsulestore_cli", *map(str, arguments)],
            cwd=cwd,
            env=os.environ | (env or {}),
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def bound_by_permissions() -> list[str]:
    """How to run a command that permissions hold for, which root is above: without any of its capabilities."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


@pytest.fixture
def install(project: Path) -> Callable[..., None]:
    """Install into the project's environment, with the real uv."""

    def run(*arguments: str) -> None:
        command = [find_uv_bin(), "pip", "install", "-q", "--python", str(project / ".venv"), "--no-deps", *arguments]
        subprocess.run(command, check=True, cwd=project, capture_output=True)

    return run


@pytest.fixture
def store(project: Path) -> Path:
    """The project's store, empty."""
    Store.init(str(project)).close()
    return project / ".capsules"


def contents(directory: Path) -> dict[str, bytes]:
    """Return every file below a directory that a failed command must leave as it was: all but the index, a cache."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.name.startswith("index.sqlite")
    }


@pytest.fixture
def unchanged() -> Callable[[Path], dict[str, bytes]]:
    return contents
