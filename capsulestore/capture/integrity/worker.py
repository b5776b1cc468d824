"""Runs apart, as `python -I -S worker.py PARENT`: compares files of directories with the hashes they should have.

A message is its length in four bytes, then a value in marshal's format: both sides are one interpreter. What comes on
standard input is a time in ns and a list of tasks (see `directories`), each with the stamp by which it is known; what
goes to standard output is an `Answer`, or a text that says why there is none. It ends with its input, and only reads.

It imports so little of the standard library that it starts in ten milliseconds; `typing` alone would take as long. It
looks from directory to directory by changing its working directory, which is its own.
"""

from __future__ import annotations

import errno
import gc
import marshal
import os
import stat
import sys
from binascii import b2a_base64
from hashlib import new, sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Final

__all__ = ["LENGTH", "LIST", "NOT_KNOWN", "Answer", "Odd", "main"]

Odd = tuple[int, list[tuple[int, str]], list[tuple[bytes, bool]]]
"""The position of a task; of its files those that are not as they should be, by position, and how; names that are not
listed, with whether each is a directory."""

Answer = tuple[int, int, int, list[bytes], list[Odd]]
"""How many files were compared, how many bytes those have, and how many were read for it; for each task the stamp by
which it is known from now on; those tasks of which there is something to tell."""

LENGTH: Final = 4
NOT_KNOWN: Final = bytes(16)
"""The stamp of what has to be read again: files that are wrong, or changed after the time that is given."""

LIST: Final = -1
"""Stands for the position of the directory itself, where its names cannot be read."""

_LISTED_ONLY: Final = b"-"
_NOT_LOOKED_AT: Final = b"-"
_LINK: Final = b"link"
_USUAL: Final = b"sha256="
_USUAL_LENGTH: Final = 50
_ALGORITHMS: Final = frozenset({b"sha256", b"sha384", b"sha512"})
_PADDING: Final = b"=\n"
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_CHUNK: Final = 2**18
"""What is read at a time: a processor's own cache holds it until it is hashed."""
_FACTS: Final = 5
_TRIES: Final = 3
_MISSING: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP})
_NO_FILE: Final = frozenset({errno.ENXIO, errno.ENODEV})
_OUT_OF_RESOURCES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_BYTECODE: Final = b"__pycache__"


def main() -> None:
    """Answer every message, until there are no more."""
    # Nothing that is made here refers to itself.
    gc.disable()
    with open(0, "rb") as questions, open(1, "wb") as answers:
        while head := questions.read(LENGTH):
            settled, tasks = marshal.loads(questions.read(int.from_bytes(head, "big")))  # noqa: S302
            message = marshal.dumps(_answer(settled, tasks))
            answers.write(len(message).to_bytes(LENGTH, "big") + message)
            answers.flush()


def _answer(settled: int, tasks: list[tuple[bytes, bytes]]) -> Answer | str:
    files = size = read = 0
    stamps: list[bytes] = []
    odd: list[Odd] = []
    try:
        for number, (task, known) in enumerate(tasks):
            place, listed, positions, paths, hashes = _taken_apart(task)
            facts = _facts(_statuses(place, listed, paths)) if known != NOT_KNOWN else []
            if not facts or _stamp(facts) != known:
                statuses, unlisted, altered = _looked_through(place, listed)
                _compare(zip(positions, paths, hashes, strict=True), statuses, altered)
                facts = _facts(statuses)
                read += len(paths)
                if altered or unlisted:
                    odd.append((number, altered, unlisted))
                # The time of a file's last change of any kind, which nobody can set.
                settles = not altered and not unlisted and max(facts[::_FACTS], default=0) < settled
                known = _stamp(facts) if settles else NOT_KNOWN  # noqa: PLW2901
            stamps.append(known)
            files += len(paths)
            size += sum(facts[2::_FACTS])
    except OSError as error:
        return error.strerror or str(error)
    return files, size, read, stamps, odd


def _taken_apart(task: bytes) -> tuple[bytes, set[bytes] | None, Sequence[int], list[bytes], list[bytes]]:
    """Return the directory, as a path from where we are then; the names in it that are no news, None where all are.

    And of the files in it that are to be compared the positions in the task, the paths and the hashes.
    """
    directory, _, inner, *fields = task.split(b"\0")
    names, hashes = fields[::4], fields[1::4]
    listed = None if inner == _NOT_LOOKED_AT else {*names, *inner.split(b"/"), _BYTECODE}
    positions: Sequence[int] = range(len(names))
    if _LISTED_ONLY in hashes:
        positions = [at for at in positions if hashes[at] != _LISTED_ONLY]
        names, hashes = [names[at] for at in positions], [hashes[at] for at in positions]
    try:
        # From there, names are found faster than paths.
        os.chdir(directory)
    except OSError:
        return directory, listed, positions, [os.path.join(directory, name) for name in names], hashes
    return b".", listed, positions, names, hashes


def _statuses(directory: bytes, listed: set[bytes] | None, paths: list[bytes]) -> list[os.stat_result]:
    """Return what a stamp is made of; nothing where something is missing."""
    try:
        statuses = [] if listed is None else [os.stat(directory)]
        statuses += map(os.stat, paths)
    except OSError:
        return []
    return statuses


def _facts(statuses: list[os.stat_result]) -> list[int]:
    """Return what tells files from the same ones after a change, `_FACTS` of each; a directory has no size."""
    return [
        fact
        for status in statuses
        for fact in (
            status.st_ctime_ns,
            status.st_mtime_ns,
            status.st_size if stat.S_ISREG(status.st_mode) else 0,
            status.st_ino,
            status.st_dev,
        )
    ]


def _stamp(facts: list[int]) -> bytes:
    return sha256(repr(facts).encode()).digest()[: len(NOT_KNOWN)]


def _looked_through(
    directory: bytes, listed: set[bytes] | None
) -> tuple[list[os.stat_result], list[tuple[bytes, bool]], list[tuple[int, str]]]:
    """Return the directory's status, taken first; names that are not listed; and whether it cannot be read."""
    if listed is None:
        return [], [], []
    try:
        status = os.stat(directory)
        return [status], _unlisted(directory, listed), []
    except OSError as error:
        return [], [], [] if error.errno in _MISSING else [(LIST, "unreadable")]


def _compare(
    files: Iterable[tuple[int, bytes, bytes]], statuses: list[os.stat_result], altered: list[tuple[int, str]]
) -> None:
    """Compare files, and add to what their stamp is made of, and to what is wrong.

    What changes after it was looked at has another stamp, if it is not too young for that.
    """
    for position, path, wanted in files:
        kind, status = _looked_at(path, wanted)
        if kind:
            altered.append((position, kind))
        if status:
            statuses.append(status)


def _unlisted(path: bytes, listed: set[bytes]) -> list[tuple[bytes, bool]]:
    names = os.listdir(path)
    if listed.issuperset(names):
        return []
    with os.scandir(path) as entries:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries if entry.name not in listed]


def _looked_at(path: bytes, wanted: bytes) -> tuple[str, os.stat_result | None]:
    """Return what is wrong with a file, nothing for one with the bytes that it should have; and its status.

    One that is being written meanwhile is looked at again: it is wrong where it was so while nobody wrote.
    """
    status = None
    for _ in range(_TRIES):
        try:
            descriptor = os.open(path, _FLAGS)
            try:
                status = os.fstat(descriptor)
                if stat.S_ISREG(status.st_mode) and _matches(descriptor, status.st_size, wanted):
                    return "", status
                if _state(os.fstat(descriptor)) == _state(status):
                    break
            finally:
                os.close(descriptor)
        except OSError as error:
            return _unopened(path, wanted, error), None
    return (_of_link(path, wanted) if wanted.endswith(_LINK) else "changed"), status


def _unopened(path: bytes, wanted: bytes, error: OSError) -> str:
    """Return what is wrong with a file that cannot be opened or read; raise where that says nothing of the file."""
    if error.errno in _OUT_OF_RESOURCES:
        raise error
    if wanted.endswith(_LINK) and os.path.islink(path):
        return _of_link(path, wanted)
    if error.errno in _MISSING:
        return "missing"
    # A socket, or a device that is not there.
    return "changed" if error.errno in _NO_FILE else "unreadable"


def _of_link(path: bytes, wanted: bytes) -> str:
    """Return what is wrong with a soft link that leads to other bytes than it did where its package was built."""
    try:
        text = os.readlink(path)
    except OSError:
        return "changed"
    return "" if _USUAL + _encoded(sha256(text).digest()) in wanted.split() else "unknown"


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _matches(descriptor: int, size: int, wanted: bytes) -> bool:
    """Return whether a file's bytes have one of these hashes."""
    if size <= _CHUNK and len(wanted) == _USUAL_LENGTH and wanted[:7] == _USUAL:
        data = os.read(descriptor, size) if size else b""
        if len(data) == size:
            return wanted[7:] == _encoded(sha256(data).digest())
        os.lseek(descriptor, 0, os.SEEK_SET)
    hashes = [hash_.partition(b"=")[::2] for hash_ in wanted.split()]
    digests = {algorithm: new(algorithm.decode()) for algorithm, _ in hashes if algorithm in _ALGORITHMS}
    buffer = memoryview(bytearray(min(_CHUNK, size + 1)))
    left = size
    # Whoever appends without an end does not keep us, and for a parent that is gone nothing is to be found out.
    while left >= 0 and _is_wanted() and (count := os.readv(descriptor, [buffer])):
        left -= count
        for digest in digests.values():
            digest.update(buffer[:count])
    found = {(algorithm, _encoded(digest.digest())) for algorithm, digest in digests.items()}
    return not found.isdisjoint(hashes)


def _is_wanted() -> bool:
    """Whether the process is there that started this one, and said which it is."""
    return not sys.argv[1:] or os.getppid() == int(sys.argv[1])


def _encoded(digest: bytes) -> bytes:
    """Return a digest as a RECORD has it: URL-safe base64 without padding."""
    return b2a_base64(digest).translate(_URL_SAFE, _PADDING)


if __name__ == "__main__":
    main()
