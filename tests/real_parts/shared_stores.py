"""Stores with capsules that were registered without capturing anything, and repositories of git to exchange them by."""

import os
import subprocess
from pathlib import Path

from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store

ENVIRONMENT = {"python": {"rules": 1, "packages": {"six": {"version": "1.16.0"}}}}


def register(directory: Path, *titles: str) -> list[str]:
    """Register a capsule for each title in `directory/.capsules`, which is made; return their digests."""
    with Store.init(str(directory)) as store:
        return [
            str(record(store, Surroundings(environment=ENVIRONMENT), Description(title=title)).capsule)
            for title in titles
        ]


def git(directory: Path, *arguments: str | Path) -> str:
    """Run the real git and return what it prints; it fails with what it says."""
    done = subprocess.run(
        ["git", "-C", directory, "-c", "user.name=Git", "-c", "user.email=git@example.org", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"LC_ALL": "C"},
        check=False,
    )
    assert done.returncode == 0, f"git {arguments}: {done.stdout}"
    return done.stdout.rstrip("\n")


def bare(path: Path, object_format: str = "sha256") -> Path:
    """Make an empty repository, as a server has one."""
    git(path.parent, "init", "--quiet", "--bare", "--initial-branch=main", f"--object-format={object_format}", path)
    return path


def refs(repository: Path) -> dict[str, str]:
    """Return where main and the tags of a repository are."""
    shown = git(repository, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")
    return dict(line.split() for line in shown.splitlines())


def check(*repositories: Path) -> None:
    """Have git check each repository to the last object, and that nothing unfinished lies about."""
    for repository in repositories:
        git(repository, "fsck", "--strict", "--no-dangling")
        left = [
            str(path)
            for path in repository.rglob("*")
            if path.name.startswith(("tmp_", "incoming-")) or path.suffix in {".lock", ".keep", ".new"}
        ]
        assert left == [], f"left over: {left}"
