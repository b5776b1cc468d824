"""The specification from beginning to end, as a stranger would: analyses that record themselves, and a server.

Everything is installed into one environment, the analyses' and the server's, and asked by HTTP alone.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from small_wheels import own_wheel, small_wheel
from uv import find_uv_bin

ANALYSIS = """
from pathlib import Path

import tides
from capsulestore import record

with record("first fit", outputs=["fit.csv"], parameters={"alpha": 0.1}):
    Path("fit.csv").write_text(tides.version)
"""


@dataclass(frozen=True)
class Project:
    """A directory with an environment in `.venv`, which has capsulestore and the package `tides` in version 1.0."""

    directory: Path
    wheels: Path

    def run(self, *command: str | Path) -> str:
        """Run a program of the environment."""
        program = self.directory / ".venv" / "bin" / command[0]
        done = subprocess.run([program, *command[1:]], cwd=self.directory, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def install(self, *wheels: Path | str) -> None:
        command = [find_uv_bin(), "pip", "install", "-q", "--python", self.directory / ".venv", *wheels]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    directory = tmp_path.resolve() / "project"
    directory.mkdir()
    (directory / "analysis.py").write_text(ANALYSIS)
    project = Project(directory, tmp_path / "wheels")
    subprocess.run(
        [find_uv_bin(), "venv", "-q", "--python", sys.executable, directory / ".venv"], check=True, capture_output=True
    )
    project.install(f"{own_wheel(tmp_path)}[server]", small_wheel(project.wheels, "tides", "1.0"))
    project.run("capsule", "init")
    return project


@pytest.fixture
def ask(project: Project) -> Iterator[Callable[[str], Any]]:
    """Ask the project's server, which was started before and goes on: `ask("/api/capsules")`."""
    command = [project.directory / ".venv" / "bin" / "capsule", "serve", "--port", "0", "--json"]
    with (project.directory / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=project.directory, stdout=subprocess.PIPE, stderr=log)
    assert server.stdout
    with server.stdout:
        said = b"".join(iter(server.stdout.readline, b"}\n")) + b"}"
        url = json.loads(said)["url"]

        def get(path: str) -> Any:
            with urlopen(f"{url}{path}") as answer:
                return json.load(answer)

        try:
            yield get
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait() == 0


@pytest.mark.slow
def test_analyses_are_captured_and_the_server_says_whether_its_environment_still_is_theirs(project, ask):
    project.run("python", "analysis.py")
    project.run("python", "-m", "capsulestore.post_process", "fit.csv", "--capture-capsule", "-m", "processed")

    listed = {capsule["title"]: capsule for capsule in ask("/api/capsules")["capsules"]}
    assert set(listed) == {"first fit", "processed"}
    (environment,) = {capsule["environment_digest"] for capsule in listed.values()}
    for capsule in listed.values():
        found = ask(f"/api/capsules/{capsule['capsule_id']}")
        assert found["manifest"]["environment_digest"] == environment
        assert [file["path"] for file in found["manifest"]["outputs"]] == ["fit.csv"]
        answer = ask(f"/api/capsules/{capsule['capsule_id']}/environment-verify")
        assert (answer["verdict"], answer["match"], answer["changes"]) == ("identical", True, [])
        assert answer["captured_digest"] == answer["current_digest"] == environment
    assert len(ask("/api/capsules?package=tides%3D%3D1.0")["capsules"]) == 2

    project.install(small_wheel(project.wheels, "tides", "2.0"))

    for capsule in listed.values():
        answer = ask(f"/api/capsules/{capsule['capsule_id']}/environment-verify")
        assert (answer["verdict"], answer["match"]) == ("different", False)
        (change,) = answer["changes"]
        assert (change["layer"], change["collection"], change["entry"]) == ("python", "packages", "tides")
        assert (change["a"]["version"], change["b"]["version"]) == ("1.0", "2.0")
        assert answer["captured_digest"] == environment != answer["current_digest"]

    project.install(project.wheels / "tides-1.0-py3-none-any.whl")
    answer = ask(f"/api/capsules/{listed['first fit']['capsule_id']}/environment-verify")
    assert (answer["verdict"], answer["current_digest"]) == ("identical", environment)
