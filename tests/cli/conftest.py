"""The command as a user runs it, in a real process, and real environments to run it on."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
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
Forked = Callable[..., Outcome]

MODULES = {None: "capsulestore_cli", "post_process": "capsulestore.post_process"}
"""What is started of each program, which is told by the module that has its command; `capsule`'s need not be named."""
WARM_COMMANDS = Path(__file__).with_name("warm_commands.py")


def start(command: Sequence[str], cwd: Path, environ: Mapping[str, str], text: str) -> Outcome:
    done = subprocess.run(command, cwd=cwd, env=environ, input=text, capture_output=True, text=True, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


class Commands:
    """Runs commands by `warm_commands.py`, which is started with the first and ended with a stack of contexts."""

    def __init__(self, until: ExitStack, prefix: Sequence[str] = ()) -> None:
        self._until = until
        self._prefix = prefix
        self._channel: socket.socket | None = None
        self._environ: Mapping[str, str] = {}

    def run(
        self,
        arguments: Sequence[str],
        cwd: Path,
        environ: Mapping[str, str],
        text: str = "",
        program: str | None = None,
    ) -> Outcome:
        if self._channel is None:
            self._channel, self._environ = self._start(environ), environ
        if read_at_start(environ) != read_at_start(self._environ):
            command = [*self._prefix, sys.executable, "-m", MODULES[program], *arguments]
            return start(command, cwd, environ, text)
        os.umask(mask := os.umask(0))
        surroundings = {"directory": str(cwd), "environ": dict(environ), "mask": mask}
        message = {"arguments": arguments, "program": program, **surroundings}
        (stdin, to_stdin), (stdout, to_stdout), (stderr, to_stderr) = os.pipe(), os.pipe(), os.pipe()
        theirs = [stdin, to_stdout, to_stderr]
        socket.send_fds(self._channel, [json.dumps(message).encode()], theirs)
        for stream in theirs:
            os.close(stream)
        with open(stdout) as out, open(stderr) as err, ThreadPoolExecutor(2) as readers:
            written = [readers.submit(stream.read) for stream in (out, err)]
            with suppress(BrokenPipeError), open(to_stdin, "w") as file:
                file.write(text)
            return Outcome(int(self._channel.recv(80)), *(reader.result() for reader in written))

    def _start(self, environ: Mapping[str, str]) -> socket.socket:
        ours, theirs = (self._until.enter_context(end) for end in socket.socketpair(type=socket.SOCK_SEQPACKET))
        command = [*self._prefix, sys.executable, WARM_COMMANDS, str(theirs.fileno())]
        # Its own streams are what those of commands are: what has once been found out of a stream is kept.
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self._until.enter_context(subprocess.Popen(command, env=environ, pass_fds=[theirs.fileno()], **streams))
        theirs.close()
        # When nobody can ask it any more, it ends.
        self._until.callback(ours.close)
        return ours


def read_at_start(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that an interpreter reads when it is started, and not when it forks."""
    return {name: value for name, value in environ.items() if name.startswith(("LANG", "LC_", "PYTHON"))}


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


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked]:
    """Run `capsule` in a process of its own: a fork of one that has imported what a command needs."""
    with ExitStack() as until_the_end:
        yield Commands(until_the_end).run


@pytest.fixture(scope="session")
def forked_bound(bound_by_permissions: list[str]) -> Iterator[Forked]:
    """Run `capsule` bound by permissions, also where root runs the tests."""
    with ExitStack() as until_the_end:
        yield Commands(until_the_end, bound_by_permissions).run


@pytest.fixture
def capsule(project: Path, forked: Forked) -> Capsule:
    """Run `capsule` in the project, or in `cwd`."""

    def run(*arguments: str | Path, cwd: Path = project, env: dict[str, str] | None = None, text: str = "") -> Outcome:
        return forked([str(argument) for argument in arguments], cwd, os.environ | (env or {}), text)

    return run


@pytest.fixture
def started_anew(project: Path) -> Capsule:
    """Run `capsule` in the project as a user's shell starts it, by an interpreter that has imported nothing."""

    def run(*arguments: str | Path, cwd: Path = project, env: dict[str, str] | None = None, text: str = "") -> Outcome:
        command = [sys.executable, "-m", MODULES[None], *map(str, arguments)]
        return start(command, cwd, os.environ | (env or {}), text)

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
