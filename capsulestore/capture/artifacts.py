"""Input and output files as a manifest lists them: path, SHA-256 of the bytes, size."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple, NoReturn

from capsulestore.capture.files import path_text
from capsulestore.capture.steady import steady_digest
from capsulestore.errors import FileProblem
from capsulestore.model.canonical import Json

__all__ = [
    "Artifact",
    "digest_artifacts",
    "digest_inputs",
    "digest_outputs",
    "files_at",
    "matching",
    "recorded_path",
]


class Artifact(NamedTuple):
    """A file. `path` is as recorded; `sha256` in hex; `size` in bytes."""

    path: str
    sha256: str
    size: int

    def as_dict(self) -> dict[str, Json]:
        """Return the file as a manifest has it."""
        return {"path": self.path, "sha256": self.sha256, "size": self.size}


def digest_artifacts(paths: Iterable[str], *, root: str) -> list[Artifact]:
    """Return the files at these paths, a directory standing for the files below it, sorted and each once.

    Links are followed. What lies in a store, a git repository's own directory or a virtual environment is not looked
    at. Raise `FileProblem` for a file that is not there, cannot be read or changes meanwhile, and for a directory
    without any.
    """
    return sorted({_artifact(file, root) for path in paths for file in files_at(path)})


def files_at(path: str) -> Iterator[str]:
    """Yield the path of a file, or of the files below a directory; what is looked at is what `digest_artifacts` has.

    Directories are walked no further than paths are taken: a link may lead to the whole machine. Raise `FileProblem`
    for a directory that cannot be read, or has no file.
    """
    if not os.path.isdir(path):
        yield path
        return
    found = False
    seen: set[str] = set()
    for directory, below, names in os.walk(path, onerror=_unreadable, followlinks=True):
        seen.add(os.path.realpath(directory))
        # Pruned in place, as os.walk has it.
        below[:] = [name for name in below if not _is_apart(os.path.join(directory, name), seen)]
        for name in names:
            found = True
            yield os.path.join(directory, name)
    if not found:
        raise FileProblem(f"no file in the directory `{path}`")


def digest_inputs(given: Iterable[str], *, root: str) -> list[Artifact]:
    """Return the files that paths and patterns (`matching`) name; raise as `digest_artifacts` does."""
    return digest_artifacts((path for one in given for path in matching(one) or [one]), root=root)


def digest_outputs(given: Iterable[str], *, root: str) -> tuple[list[Artifact], list[str]]:
    """Return the files that paths and patterns name, as far as they can be digested, and in words what cannot."""
    found: set[Artifact] = set()
    problems = []
    for one in given:
        try:
            paths = matching(one)
            if not paths:
                problems.append(f"`{one}`: no such output, so none is recorded")
            for path in paths:
                found.update(digest_artifacts([path], root=root))
        except FileProblem as problem:
            problems.append(f"an output is not recorded: {problem.message}")
        except OSError as problem:
            problems.append(f"an output is not recorded: {problem.strerror or problem}")
    return sorted(found), problems


def matching(given: str) -> list[str]:
    """Return the path that is given, where something lies there, else the paths that it matches as a pattern (glob).

    `**` stands for directories at any depth; files whose names begin with a dot match where the pattern has the dot.
    """
    if os.path.lexists(given):
        return [given]
    from glob import glob, has_magic  # noqa: PLC0415

    return sorted(glob(given, recursive=True)) if has_magic(given) else []


def recorded_path(path: str, root: str) -> str:
    r"""Return a path as a manifest has it: from `root` (a real path) with `/`, or absolute where it lies outside.

    Bytes that are not UTF-8 come as `\xNN`.
    """
    directory, name = os.path.split(os.path.abspath(path))
    absolute = os.path.join(os.path.realpath(directory), name)
    inside = os.path.relpath(absolute, root)
    chosen = absolute if inside == ".." or inside.startswith("../") else inside
    return path_text(chosen)


def _is_apart(directory: str, seen: set[str]) -> bool:
    """Whether a directory is nobody's input or output: git's, a store, an environment, or one that was seen."""
    return (
        os.path.basename(directory) in {".git", ".capsules"}
        or os.path.exists(os.path.join(directory, "pyvenv.cfg"))
        or os.path.realpath(directory) in seen
    )


def _unreadable(error: OSError) -> NoReturn:
    raise FileProblem(f"cannot read `{error.filename}`: {error.strerror}") from error


def _artifact(path: str, root: str) -> Artifact:
    try:
        digest, size = steady_digest(path)
        return Artifact(recorded_path(path, root), digest.hex(), size)
    except ValueError as error:
        raise FileProblem(f"cannot read `{path}`: {error}") from error
    except OSError as error:
        raise FileProblem(f"cannot read `{path}`: {error.strerror}") from error
