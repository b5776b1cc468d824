"""Code in real git work trees, recorded as a capsule does it, and compared with what is there then."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from capsulestore.capture.artifacts import digest_artifacts
from capsulestore.capture.code import capture_code
from capsulestore.model.manifest import Manifest
from capsulestore.verification.code import CodeCheck, check_code

WHO = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
ALONE = ("-c", "maintenance.auto=false", "-c", "gc.auto=0")
"""No second program after a commit, to look whether there is something to tidy up."""


@pytest.fixture(scope="session")
def git() -> Callable[..., str]:
    """Run git in a directory: `git(directory, *arguments)` returns what it prints, and fails with what it says."""

    def git(directory: Path, *arguments: str | Path) -> str:
        done = subprocess.run(
            ["git", "-C", directory, *WHO, *ALONE, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return git


@pytest.fixture(scope="session")
def tops(git, tmp_path_factory) -> dict[str, Path]:
    """A work tree with one commit by the algorithm of its objects, to be copied."""
    directory = tmp_path_factory.mktemp("tops")
    for algorithm in ("sha1", "sha256"):
        top = directory / algorithm
        (top / "pkg").mkdir(parents=True)
        git(top, "init", "-q", "-b", "main", "--template=", f"--object-format={algorithm}")
        (top / "main.py").write_text("import pkg.core\n")
        (top / "pkg/core.py").write_text("x = 1\n")
        (top / "data.csv").write_text("1,2\n")
        (top / ".gitignore").write_text("ignored*\n")
        git(top, "add", ".")
        git(top, "commit", "-q", "-m", "one")
    return {top.name: top for top in directory.iterdir()}


@pytest.fixture(params=["sha1", pytest.param("sha256", marks=pytest.mark.slow)])
def top(request, git, tops, tmp_path) -> Path:
    """A work tree with one commit."""
    top = shutil.copytree(tops[request.param], tmp_path.resolve() / "project", symlinks=True)
    # Git's index knows files by their inodes too, which are others in a copy.
    git(top, "update-index", "--refresh")
    return top


@pytest.fixture(scope="session")
def change_everything() -> Callable[[Path], None]:
    """Change, add and delete files of the work tree, commit nothing."""

    def change_everything(top: Path) -> None:
        (top / "main.py").write_text("changed\n")
        (top / "main.py").chmod(0o755)
        (top / "pkg/core.py").unlink()
        (top / "pkg/found.py").write_text("found\n")
        (top / "pkg/link.py").symlink_to("found.py")
        (top / "ignored.py").write_text("ignored\n")
        (top / "notes.txt").write_text("no code\n")

    return change_everything


@pytest.fixture(scope="session")
def manifest_of() -> Callable[..., Manifest]:
    """Make a manifest with this `code`."""

    def manifest_of(code: dict, **more) -> Manifest:
        return Manifest.parse({"schema": 1, "title": "t", "environment_digest": "0" * 64, "code": code, **more})

    return manifest_of


@pytest.fixture(scope="session")
def record(manifest_of) -> Callable[..., Manifest]:
    """Record the code in a directory: `record(top, *live, outputs=..., script=...)`."""

    def record(top: Path, *live, outputs=(), declared=(), **options) -> Manifest:
        code = capture_code(live, directory=str(top), root=str(top), declared=[*outputs, *declared], **options)
        listed = [one.as_dict() for one in digest_artifacts(outputs, root=str(top))]
        return manifest_of(code.as_json(), outputs=listed)

    return record


@pytest.fixture(scope="session")
def check() -> Callable[..., list[CodeCheck]]:
    """Compare recorded code with that in a directory: `check(manifest, top, *live, directory=...)`."""

    def check(manifest: Manifest, top: Path, *live, directory: Path | None = None) -> list[CodeCheck]:
        return list(check_code(manifest, live, directory=str(directory or top), root=str(top)))

    return check


@pytest.fixture(scope="session")
def states(check) -> Callable[..., list[str]]:
    """Return what `check` comes to, tree by tree, then file by file."""
    return lambda *arguments, **options: [one.state for one in check(*arguments, **options)]
