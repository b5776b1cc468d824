"""Which Python distributions of a prefix are conda's: those whose metadata is still the one that a package brought."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from capsulestore.capture.conda.record import CondaFile, CondaRecord
from capsulestore.capture.files import read_whole
from capsulestore.capture.python.metadata import normalized
from capsulestore.capture.watch import noticed

__all__ = ["CondaDistribution", "distributions_of", "is_in_place"]

_METADATA: Final = re.compile(r"((?:lib/[^/]+/|Lib/)?site-packages/([^/]+)\.(?:dist|egg)-info)(?:/(.*))?")
_MAX_RECORD_BYTES: Final = 256 * 2**20


class CondaDistribution(NamedTuple):
    """A Python distribution that a package brought: `metadata` is the path of its `.dist-info` or `.egg-info`.

    Paths are from the prefix. `key` is the name as PEP 503 normalises it. `record` is the RECORD of a `.dist-info`,
    which every installer writes otherwise; None where the package has none.
    """

    key: str
    metadata: str
    record: CondaFile | None


def distributions_of(record: CondaRecord) -> Iterator[CondaDistribution]:
    """Yield the distributions whose metadata a package brought into a site directory, in the order of its paths."""
    found: dict[str, CondaDistribution] = {}
    for file in record.files:
        match = _METADATA.fullmatch(file.path) if "-info" in file.path else None
        if match is None:
            continue
        metadata, stem, inner = match.groups()
        metadata = _on_disk(metadata)
        known = found.get(metadata) or CondaDistribution(normalized(stem.partition("-")[0]), metadata, None)
        found[metadata] = known._replace(record=file) if inner == "RECORD" else known
    yield from found.values()


def is_in_place(prefix: str, distribution: CondaDistribution) -> bool:
    """Return whether a distribution in the prefix is the one that conda installed.

    It is not where its metadata is gone, or its RECORD is another: pip or uv has put one in its place, of the same
    version even. Where the package says no hash of a RECORD, being there is enough.
    """
    record = distribution.record
    hashes = {record.sha256, record.sha256_in_prefix} - {None} if record else set()
    if record is None or not hashes:
        path = os.path.join(prefix, distribution.metadata)
        noticed(path)
        return os.path.exists(path)
    try:
        data = read_whole(os.path.join(prefix, _on_disk(record.path)), _MAX_RECORD_BYTES)
    except OSError:
        return False
    return hashlib.sha256(data).hexdigest() in hashes


def _on_disk(path: str) -> str:
    """Return a recorded path as the path of a file: its name is in UTF-8, whatever the locale is."""
    return os.fsdecode(path.encode())
