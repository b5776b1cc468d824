"""What the tests of moving stores share: real repositories of every kind, and git to ask about them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capsulestore.store import Store

WHO = ("-c", "user.name=Git", "-c", "user.email=git@example.org")


def run_git(directory: str | Path, *arguments: str, **environ: str) -> bytes:
    """What git prints; it fails with what it says."""
    done = subprocess.run(
        ["git", "-C", str(directory), *WHO, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, **environ},
        check=False,
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr!r}{done.stdout!r}"
    return done.stdout


@pytest.fixture(autouse=True)
def _git_does_what_it_is_told(_surroundings: None) -> None:
    """No git looks after each of its commands whether there is something to tidy up, nor makes examples of hooks."""
    settings = "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[receive]\n\tautogc = false\n[init]\n\ttemplateDir =\n"
    Path(os.environ["GIT_CONFIG_GLOBAL"]).write_text(settings)


@pytest.fixture
def git() -> Callable[..., str]:
    """Run the real git: `git(directory, *arguments)` returns what it prints."""
    return lambda directory, *arguments, **environ: run_git(directory, *arguments, **environ).decode().rstrip("\n")


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with Store.init(str(tmp_path / "project")) as store:
        yield store


@pytest.fixture(scope="session")
def repositories(tmp_path_factory) -> Path:
    """Repositories as git makes them: `sha256` (two branches, an annotated tag, a light one), `sha1`, `shallow` (a
    part of `sha256`), `borrowing` (its objects lie in `sha256`), `empty` and `empty-sha1`. Not to be changed.
    """
    directory = tmp_path_factory.mktemp("repositories")
    for name, object_format in (("sha256", "sha256"), ("sha1", "sha1")):
        run_git(directory, "init", "-q", "-b", "main", f"--object-format={object_format}", name)
        for message in ("first", "second"):
            run_git(directory / name, "commit", "-q", "--allow-empty", "-m", message)
    run_git(directory / "sha256", "branch", "other")
    run_git(directory / "sha256", "tag", "-a", "-m", "a tag", "annotated")
    run_git(directory / "sha256", "tag", "light", "HEAD^{tree}")
    run_git(directory, "clone", "-q", "--bare", "--depth=1", f"file://{directory}/sha256", "shallow")
    run_git(directory, "clone", "-q", "--bare", "--shared", "sha256", "borrowing")
    for name in run_git(directory / "borrowing", "for-each-ref", "--format=%(refname)").decode().split():
        run_git(directory / "borrowing", "update-ref", "-d", name)
    for name, object_format in (("empty", "sha256"), ("empty-sha1", "sha1")):
        run_git(directory, "init", "-q", "--bare", "-b", "main", f"--object-format={object_format}", name)
    return directory
