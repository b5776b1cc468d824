"""Input and output files as a manifest lists them: path, SHA-256 of the bytes, size."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from capsulestore.capture.files import file_sha256, path_text
from capsulestore.errors import FileProblem
from capsulestore.model.canonical import Json

__all__ = ["Artifact", "digest_artifacts", "recorded_path", "sha256_or_none"]


@dataclass(frozen=True, slots=True, order=True)
class Artifact:
    """A file. `path` is as recorded; `sha256` in hex; `size` in bytes."""

    path: str
    sha256: str
    size: int

    def as_dict(self) -> dict[str, Json]:
        """Return the file as a manifest has it."""
        return {"path": self.path, "sha256": self.sha256, "size": self.size}


def digest_artifacts(paths: Iterable[str], *, root: str) -> list[Artifact]:
    """Return the files at these paths, a directory standing for all files below it, sorted and each once.

    Raise `FileProblem` for one that is not there or cannot be read.
    """
    return sorted({_artifact(file, root) for path in paths for file in _files(path)})


def recorded_path(path: str, root: str) -> str:
    r"""Return a path as a manifest has it: from `root` with `/`, or absolute where it lies outside.

    Bytes that are not UTF-8 come as `\xNN`.
    """
    absolute = os.path.abspath(path)
    inside = os.path.relpath(absolute, root)
    chosen = absolute if inside == ".." or inside.startswith("../") else inside
    return path_text(chosen)


def sha256_or_none(path: str) -> str | None:
    """Return a file's SHA-256 in hex, None where there is no such file; raise `FileProblem` where it is unreadable."""
    try:
        return file_sha256(path).hex()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FileProblem(f"cannot read `{path}`: {error.strerror}") from error


def _files(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    return [
        os.path.join(directory, name) for directory, _, names in os.walk(path, onerror=_unreadable) for name in names
    ]


def _unreadable(error: OSError) -> NoReturn:
    raise FileProblem(f"cannot read `{error.filename}`: {error.strerror}") from error


def _artifact(path: str, root: str) -> Artifact:
    try:
        return Artifact(recorded_path(path, root), file_sha256(path).hex(), os.stat(path).st_size)
    except ValueError as error:
        raise FileProblem(f"cannot read `{path}`: {error}") from error
    except OSError as error:
        raise FileProblem(f"cannot read `{path}`: {error.strerror}") from error
