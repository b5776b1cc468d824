"""Are the inputs and outputs that a capsule recorded what they were?"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from typing import Final, Literal, NamedTuple

from capsulestore.capture.files import file_sha256
from capsulestore.model.canonical import Json
from capsulestore.model.manifest import Manifest

__all__ = ["FileCheck", "check_files", "said_of"]

_NO_FILE_ANY_MORE: Final = frozenset({errno.EISDIR, errno.EINVAL})
_SAID: Final = {
    "changed": "is not what was recorded",
    "missing": "is not here",
    "unreadable": "cannot be read, and so not compared",
}


class FileCheck(NamedTuple):
    """A recorded input or output, and what it is here; `unreadable`: it is here, and cannot be compared."""

    path: str
    state: Literal["same", "changed", "missing", "unreadable"]

    def as_dict(self) -> dict[str, Json]:
        """Return the file as `--json` has it."""
        return {"path": self.path, "state": self.state}


def check_files(manifest: Manifest, root: str) -> Iterator[FileCheck]:
    """Yield each recorded input, then each output; paths are relative to `root`."""
    for key in ("inputs", "outputs"):
        for file in manifest.files(key):
            path = str(file["path"])
            try:
                same = file_sha256(os.path.join(root, path)).hex() == file["sha256"]
                yield FileCheck(path, "same" if same else "changed")
            except (FileNotFoundError, NotADirectoryError):
                yield FileCheck(path, "missing")
            except OSError as error:
                yield FileCheck(path, "changed" if error.errno in _NO_FILE_ANY_MORE else "unreadable")


def said_of(files: Collection[FileCheck]) -> Iterator[str]:
    """Yield in words which files are not as they were."""
    for file in files:
        if file.state in _SAID:
            yield f"{file.path}: {_SAID[file.state]}"
