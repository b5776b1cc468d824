"""Repositories of source code, in the format of stores, which are none; and what git was asked to serve."""

from pathlib import Path

from git_peers import commit, make_bare, run_git

__all__ = ["asked_for", "on_main", "source_code"]

MAIN = "refs/heads/main"


def source_code(path: Path, branch: str = MAIN) -> Path:
    """Make a repository of three commits and a tag; the first commit is an empty one, as many begin."""
    repository = make_bare(path, receive__fsckObjects="true")
    empty = run_git(repository, "mktree")
    first = run_git(repository, "commit-tree", empty, "-m", "begin")
    second = commit(repository, "a file", first)
    run_git(repository, "update-ref", branch, commit(repository, "another", second))
    run_git(repository, "tag", "-a", "-m", "a release", "v1", second)
    return repository


def on_main(repository: Path, tree: str, message: str = "by git") -> str:
    """Commit a tree on main with git, and return the commit."""
    new = run_git(repository, "commit-tree", tree, "-p", MAIN, "-m", message)
    run_git(repository, "update-ref", MAIN, new)
    return new


def asked_for(trace: Path) -> list[str]:
    """Return which of git's services were started, by what `GIT_TRACE` wrote to a file, and remove it."""
    lines = trace.read_text().splitlines() if trace.exists() else []
    trace.unlink(missing_ok=True)
    services = ("upload-pack", "receive-pack")
    return [name for line in lines for name in services if f"trace: built-in: git {name} " in line]
