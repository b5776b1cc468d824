"""A project in which secrets are planted, each random and in one place, and in which every byte is looked through."""

from __future__ import annotations

import json
import os
import random
import shutil
import string
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from conda_prefixes import build_package, install, pack_python, python_distribution
from uv import find_uv_bin

DATA = Path(__file__).parents[1] / "capture" / "data"

TYPED = (
    "fit --password {S}",
    "fit --password={S} --n 1",
    "fit --apiKey {S}",
    "fit --aws-secret-access-key {S}",
    "fit '--token=a {S}'",
    "fit db.password={S} +token={S}",
    "mysql -p{S} db",
    "docker login -u ann -p {S}",
    "docker run -e SECRET={S} x",
    "curl -u ann:{S} x",
    "curl --user ann:{S} x",
    "curl -H 'Authorization: Bearer {S}' x",
    "wget --header='X-Api-Key: {S}' x",
    "psql postgresql://ann:{S}@db.example.org/x",
    "psql ann:{S}@db.example.org",
    "PGPASSWORD={S} psql",
    "env TOKEN={S} fit",
    "sh -c 'export API_KEY={S}; fit'",
    'fit --config \'{{"auth": {{"x": "{S}"}}}}\'',
    "fit https://example.org/x?signature={S}",
    "fit https://{S}@example.org/x.git#token={S}",
    "fit ghp_{S}{S}",
    "fit 'password: {S}'",
)
"""What people type, as a command or to tell of one. `{S}` is where the secret goes."""


class Workshop:
    """A project with an environment and a store, what was planted in it, and what commands said."""

    def __init__(self, project: Path, home: Path) -> None:
        self.project, self.home = project, home
        self.planted: dict[str, str] = {}
        self.said: list[tuple[str, str]] = []

    def plant(self, place: str, text: str = "{S}") -> str:
        """Return a text with a new secret in it, in the place named."""
        letters = random.SystemRandom().choices(string.ascii_letters, k=18)
        secret = self.planted[place] = f"{''.join(letters)}7x9"
        return text.replace("{S}", secret).replace("{{", "{").replace("}}", "}")

    def type(self, where: str) -> list[str]:
        """Return what people type, each with a new secret in it."""
        return [self.plant(f"{where}: {form}", form) for form in TYPED]

    def run(
        self,
        *arguments: str,
        env: dict[str, str] | None = None,
        text: str | None = None,
        status: int = 0,
        start: tuple[str, ...] = (),
    ) -> str:
        """Run a command that must succeed, or end with a status, and return its standard output.

        `start` is what starts it (`unshare`).
        """
        done = subprocess.run(
            [*start, sys.executable, "-m", "capsulestore_cli", *arguments],
            cwd=self.project,
            env={**os.environ, "HOME": str(self.home), **(env or {})},
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stderr
        self.said.append((done.stdout, done.stderr))
        return done.stdout

    def told(self) -> str:
        """Return what the last command said beside its result."""
        return self.said[-1][1]

    def git(self, directory: Path, *arguments: str) -> bytes:
        return subprocess.run(["git", "-C", directory, *arguments], check=True, capture_output=True).stdout

    def everything(self) -> Iterator[tuple[str, bytes]]:
        """Yield all that is kept and all that was said, by where that is."""
        store = self.project / ".capsules"
        for out, error in self.said[:]:
            yield "stdout", out.encode()
            yield "stderr", error.encode()
        yield "capsule log", self.run("log").encode()
        for entry in json.loads(self.run("log", "--json")):
            yield "capsule show", self.run("show", "--json", entry["capsule_id"]).encode()
        yield "an object", self.git(store, "cat-file", "--batch-all-objects", "--batch")
        yield "git log", self.git(store, "log", "--all", "--format=raw")
        for path in (path for path in store.rglob("*") if path.is_file()):
            data = path.read_bytes()
            yield f".capsules/{path.relative_to(store).parts[0]}", data
            if path.parent.parent.name == "objects" and len(path.parent.name) == 2:
                yield "a loose object", zlib.decompress(data)
        for path in (path for path in (self.home / ".cache").rglob("*") if path.is_file()):
            yield "the cache", path.read_bytes()

    def found(self) -> dict[str, set[str]]:
        """Return the places whose secret is somewhere, and where."""
        found: dict[str, set[str]] = {}
        for where, data in self.everything():
            for place, secret in self.planted.items():
                if secret.encode() in data:
                    found.setdefault(place, set()).add(where)
        return found


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an environment, into which uv installed from git, from a wheel and from a directory."""
    directory = tmp_path_factory.mktemp("prepared")
    uv = [find_uv_bin(), "-q", "--offline", "--no-config"]
    subprocess.run([*uv, "venv", "--python", sys.executable, directory / ".venv"], check=True)
    for name in ("alpha", "beta", "gamma"):
        (directory / name / "src").mkdir(parents=True)
        (directory / name / "src" / f"{name}.py").write_text("x = 1\n")
        shutil.copy(DATA / "backend.py", directory / name)
        backend = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        (directory / name / "pyproject.toml").write_text(f'{backend}[project]\nname = "{name}"\nversion = "1.0"\n')
    git = ["git", "-C", directory / "alpha", "-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "alpha"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run([*uv, "build", "--wheel", "-o", directory / "wheels", directory / "beta"], check=True)
    given = [f"alpha @ git+file://{directory}/alpha", *(directory / "wheels").glob("*.whl"), directory / "gamma"]
    subprocess.run([*uv, "pip", "install", "--no-index", "--python", directory / ".venv", *given], check=True)
    return directory


@pytest.fixture
def workshop(prepared: Path) -> Workshop:
    home = Path(os.environ["HOME"])
    shutil.copytree(prepared / ".venv", home / "a project" / ".venv", symlinks=True)
    workshop = Workshop(home / "a project", home)
    workshop.run("init")
    return workshop


@pytest.fixture(scope="session")
def made_by_conda(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A conda prefix with an interpreter, a distribution that conda owns, and one that uv put in from a wheel."""
    channel, prefix = tmp_path_factory.mktemp("conda") / "channel", tmp_path_factory.mktemp("conda") / "prefix"
    pack_python(channel)
    build_package(channel, "native", "2.0", {"lib/libnative.so": "native"}, build="h2_0")
    needs = ["python", "native"]
    build_package(channel, "table", "1.0", python_distribution("table"), depends=needs, noarch="python")
    install(prefix, channel, "table")
    uv = [find_uv_bin(), "-q", "--offline", "--no-config", "pip", "install", "--no-index"]
    subprocess.run([*uv, "--python", prefix / "bin" / "python", *(prepared / "wheels").glob("*.whl")], check=True)
    return prefix


@pytest.fixture
def prefix(made_by_conda: Path, workshop: Workshop) -> Path:
    """The conda prefix, in a copy that belongs to the project."""
    shutil.copytree(made_by_conda, workshop.project / "prefix", symlinks=True)
    return workshop.project / "prefix"


@pytest.fixture
def not_recorded() -> str:
    """What the user is told, of the parts that `{}` names."""
    return "{}: held what looks like credentials, which are not recorded"
