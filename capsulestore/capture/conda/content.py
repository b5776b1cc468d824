"""The `content` of a conda package: what it brought into a prefix, whoever installed it there and wherever that lies.

`content` is the SHA-256 over one line `PATH SP HASH LF` for each path of `paths_data` that does not depend on client or
prefix, sorted by path in bytes. The hash is the one that the file has in the package, before a prefix was written into
it: 64 hex digits, `-` where there is none. The rules are those of the layer's format 1; a change of one is a change of
its `rules`.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from capsulestore.capture.conda.record import CondaFile, CondaRecord

__all__ = ["content", "has_unhashed"]

_MADE_BY_CLIENT: Final = frozenset(
    {
        # Neither conda nor mamba records a directory.
        "directory",
        "linked_package_record",
        "pyc_file",
        "unix_python_entry_point",
        "windows_python_entry_point_exe",
        "windows_python_entry_point_script",
    }
)
_NO_HASH: Final = "-"
_SITE_DIRECTORY: Final = re.compile(r"(?:lib/[^/]+|Lib)/(?=site-packages/)")
"""What stands before the `site-packages/` of a package for every Python, by the version of the one it is put to."""


def content(record: CondaRecord) -> str:
    """Return `sha256:` and the hex digest over what the package brought.

    Left out: whatever lies in a `__pycache__`, byte code, commands made from entry points, directories. A path is the
    one in the package: of a noarch Python package from `site-packages/`, and not the one that a client gave it because
    another package has the same. A soft link counts by its path: what clients write down of it differs.
    """
    is_noarch_python = record.noarch == "python"
    rows = set()
    for file in record.files:
        if not _is_brought(file):
            continue
        path = file.original_path or file.path
        if is_noarch_python:
            path = _SITE_DIRECTORY.sub("", path, count=1) if _SITE_DIRECTORY.match(path) else path
        digest = file.sha256 if file.sha256 and file.kind != "softlink" else _NO_HASH
        rows.add(f"{path} {digest}\n".encode())
    return f"sha256:{hashlib.sha256(b''.join(sorted(rows))).hexdigest()}"


def has_unhashed(record: CondaRecord) -> bool:
    """Return whether there is a file of which the package says no hash, as those without `paths.json` do of none."""
    return any(file.sha256 is None and file.kind != "softlink" and _is_brought(file) for file in record.files)


def _is_brought(file: CondaFile) -> bool:
    path = file.path
    return file.kind not in _MADE_BY_CLIENT and not ("__pycache__" in path and "__pycache__" in path.split("/")[:-1])
