"""Makes an environment have more files: those of its distributions again, as distributions of other names.

Each file is one more link to the one that is there, so that it takes no room on a disk.
"""

from __future__ import annotations

import csv
import os
from base64 import urlsafe_b64encode
from hashlib import sha256
from itertools import count, cycle
from pathlib import Path

from .records import InstalledFile, installed_files

__all__ = ["enlarge"]


def enlarge(environment: Path, files: int) -> None:
    """Have an environment hold so many files with a hash in a RECORD, or one more; it holds some already."""
    (site,) = environment.glob("lib/python*/site-packages")
    lists = list(installed_files(environment).values())
    missing = files - sum(map(len, lists))
    for number, found in zip(count(), cycle(lists)):
        if missing <= 0:
            return
        name = f"again{number}"
        information = {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
            "WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
        }
        below = [file for file in found if file.path.is_relative_to(site)]
        again = below[: max(0, missing - len(information))]
        _add(site, name, information, again)
        missing -= len(information) + len(again)


def _add(site: Path, name: str, information: dict[str, bytes], files: list[InstalledFile]) -> None:
    """Install a distribution, whose files are links to those of another, below a directory of its own."""
    directory = Path(f"{name}-1.0.dist-info")
    (site / directory).mkdir()
    with (site / directory / "RECORD").open("w", encoding="utf-8", newline="") as record:
        rows = csv.writer(record, lineterminator="\n")
        rows.writerow([directory / "RECORD", "", ""])
        for own, data in information.items():
            (site / directory / own).write_bytes(data)
            digest = urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()
            rows.writerow([directory / own, f"sha256={digest}", len(data)])
        for file in files:
            path = Path(name, file.path.relative_to(site))
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            os.link(file.path, site / path)
            rows.writerow([path, file.hash, file.size])
