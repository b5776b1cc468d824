"""Are the inputs and outputs that a capsule recorded what they were?"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from capsulestore.capture.files import file_sha256
from capsulestore.model.canonical import Json
from capsulestore.model.manifest import Manifest

if TYPE_CHECKING:
    from capsulestore.verification.reach import Reach

__all__ = ["FileCheck", "check_files", "said_of"]

_NO_FILE_ANY_MORE: Final = frozenset({errno.EISDIR, errno.EINVAL})
_SAID: Final = {
    "changed": "is not what was recorded",
    "missing": "is not here",
    "unreadable": "cannot be read, and so not compared",
}


class FileCheck(NamedTuple):
    """A recorded input or output, and what it is here; `unreadable`: it is here, and cannot be compared.

    `unchecked`: it was not looked at, and `reason` says in words why.
    """

    path: str
    state: Literal["same", "changed", "missing", "unreadable", "unchecked"]
    reason: str = ""

    def as_dict(self) -> dict[str, Json]:
        """Return the file as `--json` has it."""
        return {"path": self.path, "state": self.state}


def check_files(manifest: Manifest, root: str, reach: Reach | None = None) -> Iterator[FileCheck]:
    """Yield each recorded input, then each output; paths are relative to `root`. None is out of reach without one."""
    for key in ("inputs", "outputs"):
        for file in manifest.files(key):
            yield _check(str(file["path"]), file["sha256"], root, reach)


def _check(path: str, sha256: Any, root: str, reach: Reach | None) -> FileCheck:
    local = os.path.join(root, path)
    if reach and (reason := reach.keeps_from_file(local)):
        return FileCheck(path, "unchecked", reason)
    try:
        return FileCheck(path, "same" if file_sha256(local).hex() == sha256 else "changed")
    except (FileNotFoundError, NotADirectoryError):
        return FileCheck(path, "missing")
    except OSError as error:
        return FileCheck(path, "changed" if error.errno in _NO_FILE_ANY_MORE else "unreadable")


def said_of(files: Collection[FileCheck]) -> Iterator[str]:
    """Yield in words which files are not as they were."""
    for file in files:
        if file.state == "unchecked":
            yield f"{file.path}: not looked at: {file.reason}"
        elif file.state in _SAID:
            yield f"{file.path}: {_SAID[file.state]}"
