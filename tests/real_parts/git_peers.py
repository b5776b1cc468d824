"""Repositories that real git answers for: by a path, over ssh, over HTTP.

A `Way` is how they are reached; `way.peer(name)` names a repository in its directory, and its url. Makers of
repositories are here too, and the judge of them: `git fsck --strict`.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Peer", "Way", "by_path", "commit", "make_bare", "make_read_only", "run_git", "sound"]

_WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Git"), ("EMAIL", "git@example.org"))
}


@dataclass(frozen=True)
class Peer:
    """One repository: what it is asked for by, where it really lies, and the variables that it takes to reach it."""

    url: str
    repository: Path
    environ: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Way:
    """How repositories in a directory are reached. What `environ` has comes on top of the test's own variables.

    `config` has what an empty repository needs to be one that is reached so, as `make_bare` takes it.
    `wrong` has what a wrong password takes, or a wrong key, and `none` what lacks any; where there are such.
    """

    name: str
    directory: Path
    url_of: Callable[[Path], str]
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    wrong: Mapping[str, str] | None = field(default=None, repr=False)
    none: Mapping[str, str] | None = field(default=None, repr=False)
    config: Mapping[str, str] = field(default_factory=dict, repr=False)

    def peer(self, name: str, environ: Mapping[str, str] | None = None) -> Peer:
        """Return the peer of that name; whether there is such a repository is another thing."""
        path = self.directory / name
        more = self.environ if environ is None else environ
        return Peer(self.url_of(path), path, {**os.environ, **more})


def by_path(directory: Path, *, scheme: str = "") -> Way:
    """Reach repositories by their paths, or by urls with the scheme `file`."""
    return Way(scheme or "path", directory, lambda path: f"{scheme}://{path}" if scheme else str(path))


def run_git(directory: Path, *arguments: str, given: bytes = b"", **environ: str) -> str:
    """Return what git prints; it fails with what it says."""
    done = subprocess.run(
        ["git", "-C", str(directory), *arguments],
        input=given,
        capture_output=True,
        env={**os.environ, **_WHO, **environ},
        check=False,
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr!r}{done.stdout!r}"
    return done.stdout.decode().rstrip("\n")


def make_bare(path: Path, object_format: str = "sha256", **config: str) -> Path:
    """Make an empty bare repository; `http.receivepack` lets everybody push over HTTP.

    In names of settings a double underscore stands for a dot.
    """
    run_git(
        path.parent, "init", "-q", "--bare", "-b", "main", "--template=", f"--object-format={object_format}", path.name
    )
    for name, value in {"http__receivepack": "true", "gc__auto": "0", **config}.items():
        run_git(path, "config", name.replace("__", "."), value)
    return path


def commit(repository: Path, message: str, *parents: str, content: str = "") -> str:
    """Make a commit of one file, without moving a ref, and return its id."""
    blob = run_git(repository, "hash-object", "-w", "--stdin", given=(content or message).encode())
    tree = run_git(repository, "mktree", given=f"100644 blob {blob}\tfile\n".encode())
    options = [option for parent in parents for option in ("-p", parent)]
    return run_git(repository, "commit-tree", tree, *options, "-m", message)


def make_read_only(repository: Path) -> None:
    """Let nobody write objects to an empty repository, root neither: its objects lie in /proc."""
    shutil.rmtree(repository / "objects")
    (repository / "objects").symlink_to("/proc/self/fdinfo")


def sound(repository: Path) -> None:
    """Assert that git finds nothing wrong, and nothing left over by a transfer."""
    said = run_git(repository, "fsck", "--strict", "--no-dangling", "--no-progress")
    assert [line for line in said.splitlines() if not line.startswith("notice:")] == []
    # On another machine's side it may still be tidying up.
    assert any(not _left_over(repository) for _ in range(5000)), _left_over(repository)


def _left_over(repository: Path) -> list[str]:
    # What is looked at may go meanwhile.
    walked = [(directory, name) for directory, *below in os.walk(repository) for names in below for name in names]
    return [
        os.path.join(directory, name)
        for directory, name in walked
        if name.endswith((".lock", ".keep")) or name.startswith(("tmp_", "incoming-"))
    ]
