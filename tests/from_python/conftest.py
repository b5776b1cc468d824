"""What the tests of the modules for programs share: a project with a real environment, and a store."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from capsulestore.store import Store

HAND_MADE = {
    "python": {
        "rules": 1,
        "interpreter": {"version": "3.11.7", "debug": False},
        "packages": {"numpy": {"version": "2.1.0", "tags": ["cp311", "abi3"], "share": 0.5}},
    }
}


@pytest.fixture
def hand_made() -> dict[str, Any]:
    """An environment that somebody wrote."""
    return json.loads(json.dumps(HAND_MADE))


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
def project(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same_user: None) -> Path:
    """The working directory, with a `.venv` and a result."""
    project = tmp_path.resolve() / "a project"
    shutil.copytree(prepared, project, symlinks=True)
    (project / "data.csv").write_text("1,2\n")
    (project / "fit.csv").write_text("slope,0.71\n")
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def store(project: Path) -> Iterator[Store]:
    """The project's store, open."""
    with Store.init(str(project)) as store:
        yield store


@pytest.fixture
def install(project: Path) -> Callable[..., None]:
    """Install into the project's environment, with the real uv."""

    def run(*arguments: str) -> None:
        command = [find_uv_bin(), "pip", "install", "-q", "--python", str(project / ".venv"), "--no-deps", *arguments]
        subprocess.run(command, check=True, cwd=project, capture_output=True)

    return run


@pytest.fixture
def capsule(project: Path) -> Callable[..., Any]:
    """Run `capsule ... --json` in the project, and return its document, whatever its exit status."""

    def run(*arguments: str | Path) -> Any:
        command = [sys.executable, "-m", "capsulestore_cli", *map(str, arguments), "--json"]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        return json.loads(done.stdout or done.stderr)

    return run


@pytest.fixture
def contents() -> Callable[[Store], dict[str, bytes]]:
    """Take down a store's files: all but the index, which is a cache."""

    def contents(store: Store) -> dict[str, bytes]:
        return {
            str(path.relative_to(store.path)): path.read_bytes()
            for path in sorted(Path(store.path).rglob("*"))
            if path.is_file() and not path.name.startswith("index.sqlite")
        }

    return contents


@pytest.fixture(scope="session")
def bound_by_permissions() -> list[str]:
    """How to run a command that permissions hold for, which root is above: without any of its capabilities."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
