"""Projects whose analyses record themselves: capsulestore installed beside what they import, run as real processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from capsulestore import Store, record

ROOT = Path(__file__).parents[2]
BUILT_FROM = ("capsulestore", "cli", "docs/man", "pyproject.toml", "README.md")
NEEDED = frozenset({"archspec", "dulwich", "orjson", "rfc8785", "threadpoolctl"})
QUICKLY = ["container"]
"""The layers that are captured where the environment is not the subject: reading it takes time."""


@dataclass(frozen=True)
class Outcome:
    """How a program ended, and what it printed."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Project:
    """A directory with a store, no git work tree, and the interpreter that its analyses run in."""

    directory: Path
    python: Path

    @staticmethod
    def loaded(manifest: Any) -> list[str]:
        """Return what was loaded, but for what we need ourselves: whether the analysis uses it cannot be told."""
        return [name for name in manifest["loaded"] if name not in NEEDED]

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run(self, *arguments: str | Path, status: int = 0, cwd: str | Path = ".", text: str = "") -> Outcome:
        """Run the interpreter in the project; it must end with that status."""
        done = subprocess.run(
            [self.python, *map(str, arguments)],
            cwd=self.directory / cwd,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return Outcome(done.returncode, done.stdout, done.stderr)

    def script(self, text: str, *arguments: str | Path, **options: Any) -> Outcome:
        """Run a text as the script `fit.py`."""
        return self.run(self.write("fit.py", text), *arguments, **options)

    def capsule(self, *arguments: str | Path, **options: Any) -> Outcome:
        """Run the command that is installed beside the analysis."""
        return self.run("-m", "capsulestore_cli", *arguments, **options)

    def verify(self, *arguments: str | Path, **options: Any) -> Any:
        """Verify with the interpreter that the analyses run in, and return the answer."""
        return json.loads(self.capsule("verify", "--json", "--python", self.python, *arguments, **options).out)

    def manifests(self) -> list[Any]:
        """Return the manifests in the project's store, the first to be registered first."""
        return recorded_in(self.directory)

    def manifest(self) -> Any:
        """Return the only manifest."""
        (found,) = self.manifests()
        return found


def recorded_in(directory: Path) -> list[Any]:
    with Store(str(directory)) as store:
        trees = [one.commit.tree for one in store.commits()]
        return [store.capsule(tree).manifest.value for tree in reversed(trees)]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own wheel; building it leaves files beside the sources, so those are copied."""
    sources, wheels = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheels")
    for name in BUILT_FROM:
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, sources / name)
    build = [find_uv_bin(), "build", "-q", "--wheel", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*build, "-o", wheels, sources], check=True, capture_output=True)
    (wheel,) = wheels.glob("capsulestore-*.whl")
    return wheel


@pytest.fixture(scope="session")
def make_environment(wheel: Path) -> Callable[..., Path]:
    """Make a virtual environment with capsulestore and more in it, and return its interpreter."""

    def make(directory: Path, *more: str) -> Path:
        uv = find_uv_bin()
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, directory], check=True, capture_output=True)
        python = directory / "bin" / "python"
        install = [uv, "pip", "install", "-q", "--python", python, wheel, *more]
        subprocess.run(install, check=True, capture_output=True)
        return python

    return make


@pytest.fixture(scope="session")
def python(make_environment: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with two small distributions, for all tests to use and none to change."""
    return make_environment(tmp_path_factory.mktemp("environment") / ".venv", "six==1.16.0", "idna==3.6")


@pytest.fixture
def project(python: Path, tmp_path: Path, same_user: None) -> Project:
    directory = tmp_path.resolve() / "a project"
    directory.mkdir()
    Store.init(str(directory)).close()
    return Project(directory, python)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same_user: None) -> Iterator[Store]:
    """The store of the working directory, for analyses within this process."""
    monkeypatch.chdir(tmp_path)
    with Store.init() as store:
        yield store


@pytest.fixture
def quickly() -> dict[str, Any]:
    return {"layers": QUICKLY}


@pytest.fixture
def known(store: Store, quickly: dict[str, Any]) -> None:
    """Have an analysis `known` recorded: what there is to know of the interpreter need then not be found out again."""
    with record("known", **quickly):
        pass


@pytest.fixture
def recorded(store: Store) -> Callable[[], list[Any]]:
    """Return the manifests of the working directory's store, the first to be registered first."""
    return lambda: recorded_in(Path(store.root))


@pytest.fixture(scope="session")
def bound_by_permissions() -> list[str]:
    """How to run a command that permissions hold for, which root is above: without any of its capabilities."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
