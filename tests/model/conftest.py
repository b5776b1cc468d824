"""Objects in memory, capsules made from the vectors, and real git with a SHA-256 repository."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from capsulestore.model.capsule import Capsule, encode_files
from capsulestore.model.commit import Commit, Person
from capsulestore.model.digest import Digest
from capsulestore.model.manifest import Manifest
from capsulestore.model.mapping import encode_mapping
from capsulestore.model.objects import Encoded, GitObject

DIGESTS = json.loads((Path(__file__).parents[1] / "vectors" / "digests.json").read_text("utf-8"))


class Memory(dict[Digest, GitObject]):
    """Objects by their ids."""

    def keep(self, *values: GitObject) -> Digest:
        """Keep objects; return the id of the last."""
        self.update({value.id: value for value in values})
        return values[-1].id

    def read(self, digest: Digest) -> GitObject:
        return self[digest]


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def capsule_of() -> Callable[[dict], Encoded]:
    """Return the capsule that a vector describes, with every object it needs."""
    return _capsule


@pytest.fixture
def registration_of() -> Callable[[dict], Commit]:
    """Return the commit that registers a vector's capsule, after those it names as parents by their place."""
    return _registration


def _capsule(vector: dict) -> Encoded:
    environment = encode_mapping(vector["environment"])
    context = encode_mapping(vector["context"]) if "context" in vector else None
    files = {path: text.encode() for path, text in vector.get("files", {}).items()}
    kept = encode_files(files) if files else None
    capsule = Capsule(
        manifest=Manifest.parse(vector["manifest"]),
        environment=environment.id,
        context=context.id if context else None,
        files=kept.id if kept else None,
    )
    return capsule.encode(environment, context, kept)


def _registration(vector: dict) -> Commit:
    name, _, email = vector["registered"]["author"].removesuffix(">").partition(" <")
    return Commit(
        tree=_capsule(vector).id,
        parents=tuple(_registration(DIGESTS[place]).encode().id for place in vector["registered"]["parents"]),
        author=Person(name, email),
        time=vector["registered"]["time"],
        message=vector["manifest"]["title"],
    )


class RealGit:
    """A SHA-256 repository, and git's own programs that write objects to it.

    Blobs and trees go to one long-lived process each: starting git for every object would take most of the time.
    """

    def __init__(self, folder: Path) -> None:
        self.repository = folder / "objects.git"
        self._file = folder / "blob"
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--object-format=sha256", str(self.repository)],
            check=True,
            env=self._environ,
        )
        self._blobs = self._start("hash-object", "-w", "--no-filters", "--stdin-paths")
        self._trees = self._start("mktree", "--batch", "--missing", "-z")

    def close(self) -> None:
        for process in (self._blobs, self._trees):
            process.communicate()

    def blob(self, data: bytes) -> str:
        self._file.write_bytes(data)
        return self._ask(self._blobs, f"{self._file}\n".encode())

    def tree(self, entries: Iterable[tuple[str, str, str]]) -> str:
        """Write the tree of entries (`tree` or `blob`, name, id) in any order; what they name need not be there."""
        modes = {"tree": "040000", "blob": "100644"}
        lines = [f"{modes[kind]} {kind} {entry}\t{name}\0" for kind, name, entry in entries]
        return self._ask(self._trees, "".join([*lines, "\0"]).encode("utf-8", "surrogateescape"))

    def commit(self, tree: str, *parents: str, author: str, time: int, message: str) -> str:
        name, _, email = author.removesuffix(">").partition("<")
        return self.run(
            "commit-tree",
            tree,
            *(argument for parent in parents for argument in ("-p", parent)),
            stdin=message.encode(),
            GIT_AUTHOR_NAME=name.strip(),
            GIT_AUTHOR_EMAIL=email,
            GIT_AUTHOR_DATE=f"@{time} +0000",
            GIT_COMMITTER_NAME=name.strip(),
            GIT_COMMITTER_EMAIL=email,
            GIT_COMMITTER_DATE=f"@{time} +0000",
        )

    def put(self, value: GitObject) -> str:
        """Write one of our objects; git refuses what is no such object."""
        return self.run("hash-object", "-w", "-t", value.kind, "--stdin", stdin=value.data)

    def data(self, kind: str, name: str) -> bytes:
        return self._run(["cat-file", kind, name], b"", {})

    def run(self, *arguments: str, stdin: bytes = b"", **environ: str) -> str:
        return self._run(list(arguments), stdin, environ).decode().strip()

    def _run(self, arguments: list[str], stdin: bytes, environ: dict[str, str]) -> bytes:
        command = ["git", "-C", str(self.repository), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, env=self._environ | environ)
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr.decode()}"
        return done.stdout

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = ["git", "-C", str(self.repository), *arguments]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self._environ)

    @staticmethod
    def _ask(process: subprocess.Popen[bytes], question: bytes) -> str:
        process.stdin.write(question)
        process.stdin.flush()
        return process.stdout.readline().decode().strip()


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGit]:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    version = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True).stdout
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < (2, 29):
        pytest.skip(f"{version.strip()} has no SHA-256 object format; 2.29 has")
    real = RealGit(tmp_path_factory.mktemp("git"))
    yield real
    real.close()
