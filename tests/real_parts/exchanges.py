"""Stores that exchange capsules with each other and with repositories of git, and what to ask of them afterwards."""

import os
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

from git_peers import run_git

from capsulestore.model.digest import Digest
from capsulestore.model.statement import STATEMENT_TYPE, Statement
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store
from capsulestore.sync import remote as remotes
from capsulestore.sync.address import Address
from capsulestore.sync.clone import clone
from capsulestore.sync.connect import connect
from capsulestore.sync.limits import LIMITS, Limits
from capsulestore.sync.pull import Received, pull
from capsulestore.sync.push import Sent, push

__all__ = [
    "JOIN",
    "SIMILAR",
    "add",
    "clone_from",
    "left_over",
    "listing",
    "objects",
    "pull_from",
    "push_to",
    "refs",
    "registered",
    "remote_at",
    "sound",
    "state",
]

SIMILAR = 7
"""The objects of a capsule whose environment differs in one package: that, four trees, the manifest, the commit."""

JOIN = 2
"""Those of a join: the commit, and the empty tree."""


def add(store: Store, title: str, *, environment: str = "common", packages: int = 8) -> Digest:
    """Register a capsule. Environments of different names differ in one package."""
    entries = {f"package-{number}": {"version": str(number)} for number in range(packages)}
    entries["package-0"] = {"version": environment}
    found = record(
        store,
        Surroundings(environment={"python": {"rules": 1, "packages": entries}}),
        Description(title=title),
    )
    return found.capsule


def state(store: Store, capsule: Digest, what: str = "https://example.org/looked-at") -> Digest:
    """Register a statement about a capsule."""
    subject = [{"name": "a capsule", "digest": {"gitTree": str(capsule)}}]
    return store.state(Statement.parse({"_type": STATEMENT_TYPE, "subject": subject, "predicateType": what}), "stated")


def remote_at(
    where: str | Path, name: str = "origin", *, environ: Mapping[str, str] | None = None, limits: Limits = LIMITS
) -> remotes.Remote:
    surroundings = remotes.Surroundings(environ if environ is not None else os.environ)
    return connect(name, Address.parse(str(where)), surroundings, limits=limits)


def push_to(where: str | Path, store: Store, chosen: Collection[Digest] | None = None, **how: bool) -> Sent:
    """Push to the remote `origin`, which is there; or, with `named=False`, to one without a name."""
    return push(store, remote_at(where), chosen, **how)


def pull_from(where: str | Path, store: Store, **how: bool) -> Received:
    return pull(store, remote_at(where), **how)


def clone_from(where: str | Path, directory: Path) -> Path:
    """Clone, and return where the store is."""
    return Path(clone(str(directory), lambda store: pull(store, remote_at(where)))[0])


def objects(repository: str | Path) -> set[str]:
    """The ids of all objects that lie there, whether a ref leads to them or not."""
    return set(
        run_git(
            Path(repository), "cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname)"
        ).split()
    )


def refs(repository: str | Path) -> dict[str, str]:
    """Where main and the tags are."""
    shown = run_git(Path(repository), "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")
    return dict(line.split() for line in shown.splitlines())


def registered(repository: str | Path) -> set[str]:
    """The trees that the commits of main register, as git reads them; not what joins have."""
    log = run_git(Path(repository), "log", "--format=%T %s", "refs/heads/main", "--") if refs(repository) else ""
    return {line.split()[0] for line in log.splitlines() if line.split()[1] != "join"}


def listing(directory: str | Path) -> dict[str, bytes | None]:
    """Each file's bytes by its path, None for a directory; but the index, which is a cache."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in Path(directory).rglob("*")
        if not path.name.startswith("index.sqlite")
    }


def left_over(repository: str | Path) -> list[str]:
    """What an exchange should not leave: unfinished files, locks, quarantines of ours and of git's."""
    own = Path(repository, "capsulestore")
    return sorted(
        str(path.relative_to(repository))
        for path in Path(repository).rglob("*")
        if "tmp_" in path.name
        or path.name.startswith("incoming-")
        or path.suffix in {".lock", ".keep", ".new", ".draft"}
        or (path.parent == own and path.name.startswith(("refs%2F", "packed-refs")))
    )


def sound(*repositories: str | Path) -> None:
    """Assert that git finds nothing wrong in a repository, and nothing is left over in it."""
    for repository in repositories:
        done = subprocess.run(
            ["git", "-C", str(repository), "fsck", "--strict", "--no-dangling", "--no-progress"],
            capture_output=True,
            text=True,
            check=False,
        )
        said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("notice:")]
        assert (done.returncode, said, left_over(repository)) == (0, [], [])
