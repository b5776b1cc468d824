"""What the tests of the store share: a store, capsules to add, writers in processes of their own, git as the judge."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from capsulestore.model.capsule import Capsule
from capsulestore.model.digest import Digest
from capsulestore.model.manifest import Manifest
from capsulestore.model.mapping import decode_mapping, encode_mapping
from capsulestore.model.objects import Encoded
from capsulestore.recording.capsule import Description, Recorded, Surroundings, record
from capsulestore.store import Store

WRITER, BEFALL = (Path(__file__).with_name(name) for name in ("writer.py", "befall.py"))


def environment_of(title: str, packages: int) -> dict:
    """An environment all of whose objects are new with each title."""
    entries = {f"package-{number}": {"version": f"{number}", "of": title} for number in range(packages)}
    return {"python": {"rules": 1, "packages": entries}}


@pytest.fixture(autouse=True)
def _git_does_what_it_is_told(_surroundings: None) -> None:
    """No git looks after each of its commands whether there is something to tidy up."""
    settings = "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[receive]\n\tautogc = false\n"
    Path(os.environ["GIT_CONFIG_GLOBAL"]).write_text(settings)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory to hold a store, in no git work tree."""
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


@pytest.fixture
def store(project: Path) -> Iterator[Store]:
    with Store.init(str(project)) as store:
        yield store


@pytest.fixture
def add() -> Callable[..., Recorded]:
    """Record a capsule: `add(store, title, packages)`. One package makes 6 new objects, 12 make 17."""

    def add(store: Store, title: str = "a capsule", packages: int = 1) -> Recorded:
        return record(store, Surroundings(environment=environment_of(title, packages)), Description(title=title))

    return add


@pytest.fixture
def encoded() -> Callable[..., Encoded]:
    """Encode a capsule without a store: `encoded(title, packages)`, the same that `add` records."""

    def encoded(title: str = "a capsule", packages: int = 1) -> Encoded:
        environment = encode_mapping(environment_of(title, packages))
        manifest = Manifest.parse({"schema": 1, "title": title, "environment_digest": str(environment.id)})
        return Capsule(manifest=manifest, environment=environment.id).encode(environment)

    return encoded


@pytest.fixture
def git() -> Callable[..., str]:
    """Run the real git: `git(directory, *arguments)` returns what it prints, and fails with what it says."""

    def git(directory: str | Path, *arguments: str, text: str | None = None, **environ: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments],
            input=text,
            capture_output=True,
            text=True,
            env={**os.environ, **environ},
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout.rstrip("\n")

    return git


@pytest.fixture
def commit(git) -> Callable[..., str]:
    """Make a commit with git: `commit(store, tree, *parents)` returns its id; it moves no ref."""

    def commit(store: Store, tree: str, *parents: str, message: str = "by git", **environ: str) -> str:
        who = ("-c", "user.name=Git", "-c", "user.email=git@example.org")
        options = [option for parent in parents for option in ("-p", parent)]
        return git(store.path, *who, "commit-tree", str(tree), *options, "-m", message, **environ)

    return commit


@pytest.fixture
def sound() -> Callable[[Store], None]:
    """Assert that git finds nothing wrong in a store; objects that nothing needs are no fault."""

    def sound(store: Store) -> None:
        done = subprocess.run(
            ["git", "-C", store.path, "fsck", "--strict", "--no-dangling"],
            capture_output=True,
            text=True,
            check=False,
        )
        said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("notice:")]
        assert (done.returncode, said) == (0, [])

    return sound


@pytest.fixture
def whole() -> Callable[[Store, str | Digest], None]:
    """Assert that a capsule can be read to its last object."""

    def whole(store: Store, digest: str | Digest) -> None:
        capsule = store.capsule(Digest.parse(str(digest)))
        assert decode_mapping(capsule.environment, store.read)["python"]

    return whole


@pytest.fixture
def registered() -> Callable[[Store], list[str]]:
    """Name the trees of the shelf's commits, newest first, as git reads them."""

    def registered(store: Store) -> list[str]:
        done = subprocess.run(
            ["git", "-C", store.path, "log", "--format=%T", "main"], capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    return registered


@pytest.fixture
def listing() -> Callable[[str | Path], dict[str, bytes | None]]:
    """Take down a directory: each file's bytes by its path, None for a directory; but the index, which is a cache."""

    def listing(directory: str | Path) -> dict[str, bytes | None]:
        return {
            str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
            for path in Path(directory).rglob("*")
            if not path.name.startswith("index.sqlite")
        }

    return listing


@pytest.fixture
def writer() -> Iterator[Callable[..., subprocess.Popen]]:
    """Start `writer.py` in a process of its own: `writer(store, first, count, packages)`; see there."""
    started: list[subprocess.Popen] = []

    def writer(
        store: Store, first: int = 0, count: int = 1, packages: int = 1, *, under: tuple[str, ...] = ()
    ) -> subprocess.Popen:
        command = [*under, sys.executable, str(WRITER), store.path, str(first), str(count), str(packages)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield writer
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def digests_of() -> Callable[[subprocess.Popen], list[str]]:
    """Wait for a writer that should succeed, and return the digests that it printed."""

    def digests_of(process: subprocess.Popen) -> list[str]:
        out, error = process.communicate()
        assert (process.returncode, error) == (0, "")
        return out.split()

    return digests_of


@pytest.fixture(scope="session")
def strace() -> str:
    """The path of strace, where it is installed and may trace."""
    found = shutil.which("strace")
    if not found:
        pytest.skip("strace is not installed: what a process asks of the kernel cannot be seen here")
    if subprocess.run([found, "-o", os.devnull, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here")
    return found


@pytest.fixture(scope="session")
def befallen(strace) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run a program, let something befall a call, and return its status, output and errors: see `befall.py`.

    `befallen("rename", "signal=KILL:when=2", program, *arguments)` kills it as it renames for the second time.
    """
    command = [sys.executable, str(BEFALL), strace]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def befallen(call: str, what: str, program: str, *arguments: str, **environ: str) -> tuple[int, str, str]:
            asked = {"call": call, "what": what, "program": program, "arguments": arguments}
            process.stdin.write(json.dumps({**asked, "environ": {**os.environ, **environ}}) + "\n")
            process.stdin.flush()
            return tuple(json.loads(process.stdout.readline()))

        yield befallen
        process.stdin.close()


class Interrupted(NamedTuple):
    """A store in which something befell a writer: how it ended, what it printed, what it said."""

    path: str
    returncode: int
    out: str
    error: str


@pytest.fixture(scope="session")
def at_each_call(befallen, tmp_path_factory) -> Callable[..., list[Interrupted]]:
    """Let something befall each system call of a kind that a writer makes, in turn, once in a copy of a store.

    `at_each_call("rename", "signal=KILL", packages)` returns those copies in which it did. Before, each has a capsule
    `before`; the writer adds capsule 0. `what` is what strace calls an injection.
    """

    def at_each_call(syscall: str, what: str, packages: int) -> list[Interrupted]:
        directory = tmp_path_factory.mktemp(syscall)
        program = WRITER.read_text()
        environ = {"HOME": str(directory), "GIT_CONFIG_GLOBAL": os.devnull}
        with Store.init(str(directory / "0")) as store:
            record(store, Surroundings(environment=environment_of("before", 1)), Description(title="before"))
        found = []
        for number in range(1, 100):
            shutil.copytree(directory / "0", directory / str(number))
            path = str(directory / str(number) / ".capsules")
            add = (path, "0", "1", str(packages))
            done = Interrupted(path, *befallen(syscall, f"{what}:when={number}", program, *add, **environ))
            if done.returncode == 0:
                assert found, f"nothing befell a {syscall}"
                return found
            found.append(done)
        raise AssertionError(f"there is no end of {syscall}")

    return at_each_call


@pytest.fixture
def copy_of(tmp_path) -> Iterator[Callable[[str], Store]]:
    """Open a copy of a store, to be changed. Hard links stay: by them a lock that one of ours left is known."""
    with ExitStack() as opened:

        def copy_of(path: str) -> Store:
            place = tempfile.mkdtemp(dir=tmp_path)
            subprocess.run(["cp", "-a", path, place], check=True)
            return opened.enter_context(Store(place))

        yield copy_of
