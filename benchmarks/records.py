"""The files that an environment's RECORDs list with a hash, by the standard library's reader of CSV."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import NamedTuple

__all__ = ["InstalledFile", "installed_files"]


class InstalledFile(NamedTuple):
    """A row of a RECORD: where the file is, and its hash and size as they are written there."""

    path: Path
    hash: str
    size: str


def installed_files(environment: Path) -> dict[Path, list[InstalledFile]]:
    """Return the files of each RECORD that have a hash, but for bytecode, which any run may write anew."""
    found: dict[Path, list[InstalledFile]] = {}
    for record in sorted(environment.glob("lib/python*/site-packages/*.dist-info/RECORD")):
        site = record.parents[1]
        with record.open(encoding="utf-8", newline="") as rows:
            found[record] = [
                InstalledFile(Path(os.path.normpath(site / path)), hash_, size)
                for path, hash_, size in csv.reader(rows)
                if hash_ and "__pycache__/" not in path
            ]
    return found
