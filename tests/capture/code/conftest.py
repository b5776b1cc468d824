"""Real git work trees, in SHA-1 and SHA-256, and the code that is captured in them."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from capsulestore.capture.code import Code, capture_code

WHO = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
ALONE = ("-c", "maintenance.auto=false", "-c", "gc.auto=0")
"""No second program after a commit, to look whether there is something to tidy up."""


@pytest.fixture(scope="session")
def git() -> Callable[..., str]:
    """Run git in a directory: `git(directory, *arguments)` returns what it prints, and fails with what it says."""

    def git(directory: Path, *arguments: str | Path, **environ: str) -> str:
        done = subprocess.run(
            ["git", "-C", directory, *WHO, *ALONE, "-c", "protocol.file.allow=always", *arguments],
            capture_output=True,
            text=True,
            errors="surrogateescape",
            env={**os.environ, **environ},
            check=False,
        )
        assert done.returncode == 0, f"git {arguments}: {done.stderr}{done.stdout}"
        return done.stdout.rstrip("\n")

    return git


@pytest.fixture(scope="session")
def make_repository(git) -> Callable[..., Path]:
    """Make a work tree with one commit: `main.py`, `pkg/core.py`, `pkg/tool.sh` (a program) and `data.csv`."""

    def make(top: Path, algorithm: str = "sha1") -> Path:
        top.mkdir(parents=True)
        git(top, "init", "-q", "-b", "main", "--template=", f"--object-format={algorithm}")
        (top / "pkg").mkdir()
        (top / "main.py").write_text("import pkg.core\n")
        (top / "pkg" / "core.py").write_text("x = 1\n")
        (top / "pkg" / "tool.sh").write_text("#!/bin/sh\n")
        (top / "pkg" / "tool.sh").chmod(0o755)
        (top / "data.csv").write_text("1,2\n")
        (top / ".gitignore").write_text("ignored*\n*.so\nbuild/\n")
        git(top, "add", ".")
        git(top, "commit", "-q", "-m", "one")
        return top

    return make


@pytest.fixture(scope="session")
def repositories(make_repository, tmp_path_factory) -> dict[str, Path]:
    """A work tree with one commit by the algorithm of its objects, to be copied."""
    directory = tmp_path_factory.mktemp("repositories")
    return {algorithm: make_repository(directory / algorithm, algorithm) for algorithm in ("sha1", "sha256")}


@pytest.fixture(params=["sha1", pytest.param("sha256", marks=pytest.mark.slow)])
def repository(request, git, repositories, tmp_path) -> Path:
    """A work tree with one commit, clean."""
    top = shutil.copytree(repositories[request.param], tmp_path.resolve() / "project", symlinks=True)
    # Git's index knows files by their inodes too, which are others in a copy.
    git(top, "update-index", "--refresh")
    return top


@pytest.fixture(scope="session")
def code_in() -> Callable[..., Code]:
    """Capture the code of an analysis in a directory, which holds the store too unless told otherwise."""

    def code_in(directory: Path, *live, root: Path | None = None, **options) -> Code:
        return capture_code(live, directory=str(directory), root=str(root or directory), **options)

    return code_in


@pytest.fixture(scope="session")
def digest_of() -> Callable[..., str]:
    """Compute what `changes` should be, in the plain words of its definition: `digest_of({path: (mode, bytes)})`."""

    def digest_of(changes: dict[str, tuple[str, bytes] | None]) -> str:
        value = {path: [one[0], hashlib.sha256(one[1]).hexdigest()] if one else None for path, one in changes.items()}
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    return digest_of


@pytest.fixture(scope="session")
def listing() -> Callable[[Path], dict]:
    """Take down everything below a directory, with what writing or touching would change of it."""

    def listing(root: Path) -> dict:
        found = {}
        for path in [root, *root.rglob("*")]:
            status = path.lstat()
            found[path] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino, status.st_nlink)
        return found

    return listing


@pytest.fixture(scope="session")
def codes() -> Callable[[Code], list[str]]:
    """Name the findings by their code."""
    return lambda code: [finding.code for finding in code.findings]
