"""What conda says of the files of a package: which bytes each should have where it is installed.

A client writes `sha256_in_prefix` where it wrote the prefix's path into a file; any other is the package's own. What
cannot be compared is listed all the same, so that nobody takes it for unowned: a file that held a placeholder where the
client does not say what came of it, a script that was made for an entry point, a directory. Bytecode is left out.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from binascii import a2b_hex

from capsulestore.capture.conda.record import CondaFile, CondaRecord
from capsulestore.capture.integrity.rows import LINK, LISTED_ONLY, ListedFile, Rows, listed_file

__all__ = ["conda_rows"]


def conda_rows(record: CondaRecord) -> Rows:
    """Return the files of a package, paths from the prefix."""
    files: list[ListedFile] = []
    unhashed = 0
    for file in record.files:
        if file.kind == "pyc_file" or "__pycache__/" in file.path:
            continue
        hashes = _hashes(file)
        unhashed += hashes is LISTED_ONLY and file.kind != "directory"
        files.append(listed_file(file.path.encode(), hashes, b"%d" % (file.size or 0)))
    return Rows(files, unhashed)


def _hashes(file: CondaFile) -> bytes:
    if file.kind == "directory":
        return LISTED_ONLY
    if file.kind == "softlink":
        # Of its target's bytes in the package, or of its own text.
        return b" ".join([*map(_recorded, filter(None, (file.sha256_in_prefix, file.sha256))), LINK])
    known = file.sha256_in_prefix or (None if file.has_placeholder else file.sha256)
    return _recorded(known) if known else LISTED_ONLY


def _recorded(sha256: str) -> bytes:
    """Return a hash in hex as a RECORD has it."""
    return b"sha256=" + urlsafe_b64encode(a2b_hex(sha256)).rstrip(b"=")
