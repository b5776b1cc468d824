"""Which files should be installed for an interpreter, with which bytes, and whose they are.

A distribution's files are in its RECORD; those that conda installed, in the records of the prefix. Where conda has a
distribution's metadata, conda's record counts: packages are changed after their RECORD was written. Where pip or uv has
since put another distribution in its place, conda's record of it is out of date, and the RECORD counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator

from capsulestore.capture.conda import META
from capsulestore.capture.conda.ownership import distributions_of, is_in_place
from capsulestore.capture.conda.record import CondaRecord, read_records
from capsulestore.capture.files import path_text, read_whole
from capsulestore.capture.finding import Finding
from capsulestore.capture.integrity.conda_files import conda_rows
from capsulestore.capture.integrity.directories import Directories, Owner
from capsulestore.capture.integrity.expected import Expected
from capsulestore.capture.integrity.outcome import Unchecked
from capsulestore.capture.integrity.rows import Rows, listed_file, read_rows
from capsulestore.capture.interpreter import Interpreter
from capsulestore.capture.python.discovery import Found, list_directory
from capsulestore.capture.python.distro_files import DistroFiles
from capsulestore.capture.python.metadata import normalized
from capsulestore.capture.search_path import search_path
from capsulestore.capture.watch import noticed

__all__ = ["read_expected"]

_MAX_RECORD_BYTES = 256 * 2**20


def read_expected(interpreter: Interpreter, layers: Collection[str]) -> Expected:
    """Return what should be installed: of the files that are listed, those count that one of these layers installed.

    Where `layers` has `python`, files that nobody lists are to be looked for: in the directories of distributions below
    a site directory, and in those of the standard library where conda installed it. What lies elsewhere in a prefix
    comes and goes as programs run. Raises nothing for what lies on disk.
    """
    directories, _ = search_path(interpreter)
    prefix = os.path.realpath(interpreter.base_prefix)
    sites = [os.path.realpath(directory.path) for directory in directories if directory.role == "site"]
    reading = _Reading(layers)
    found = [one for directory in directories for one in _distributions(directory.path)]
    by_conda = reading.conda(prefix, found)
    for one in found:
        if one not in by_conda:
            reading.distribution(one)
    return Expected(
        tasks=list(reading.files.tasks(_looked_through(sites, interpreter, reading) if "python" in layers else _none)),
        unchecked=reading.unchecked,
        unreadable=reading.unreadable,
        roots=sorted({*sites, prefix, os.path.realpath(interpreter.prefix)}),
    )


def _looked_through(sites: list[str], interpreter: Interpreter, reading: _Reading) -> Callable[[bytes], bool]:
    tops = frozenset(map(os.fsencode, sites))
    below = tuple(top + b"/" for top in tops)
    library = os.fsencode(os.path.realpath(interpreter.standard_library))
    if not reading.files.lists(library):
        # What lies in a site directory itself, capture tells.
        return lambda directory: directory.startswith(below) and directory not in tops
    below += (library + b"/",)
    return lambda directory: directory == library or (directory.startswith(below) and directory not in tops)


def _none(_: bytes) -> bool:
    return False


def _distributions(directory: str) -> Iterator[Found]:
    try:
        yield from list_directory(directory).distributions
    except OSError:
        # Capture tells it.
        return


def _key(found: Found) -> str:
    return normalized(path_text(found.stem).partition("-")[0])


class _Reading:
    """Reads lists of files, and keeps what they say."""

    def __init__(self, layers: Collection[str]) -> None:
        self.files = Directories()
        self.unchecked: list[Unchecked] = []
        self.unreadable: list[tuple[Owner, str]] = []
        self._layers = layers
        self._distro = DistroFiles()
        self._reals: dict[str, bytes] = {}

    def conda(self, prefix: str, found: Collection[Found]) -> set[Found]:
        """Read the records of a prefix; return those distributions of some that are conda's own."""
        own: set[Found] = set()
        try:
            records = list(read_records(prefix))
        except OSError:
            self._cannot_read(Owner("conda", ""), os.path.join(prefix, META, ""))
            return own
        by_path = {os.path.realpath(one.path): one for one in found} if records else {}
        keys = set(map(_key, by_path.values()))
        for record in records:
            if isinstance(record, Finding):
                self._cannot_read(Owner("conda", ""), os.path.join(prefix, META, record.subject))
                continue
            replaced = False
            for brought in distributions_of(record):
                in_place = is_in_place(prefix, brought)
                installed = by_path.get(os.path.realpath(os.path.join(prefix, brought.metadata)))
                if in_place and installed:
                    own.add(installed)
                replaced = replaced or (brought.key in keys and not in_place)
            self._add_package(record, prefix, replaced=replaced)
        return own

    def distribution(self, found: Found) -> None:
        """Read the list of a distribution's files: its RECORD, else what has the paths alone."""
        owner = Owner("python", _key(found))
        record = os.path.join(found.path, "RECORD")
        by_system = self._of_system(found)
        if found.kind == "dist-info" and by_system is None:
            try:
                self._add(owner, found.directory, read_rows(read_whole(record, _MAX_RECORD_BYTES)))
            except (FileNotFoundError, NotADirectoryError):
                pass
            except (OSError, ValueError):
                self._cannot_read(owner, record)
                return
            else:
                return
        paths = self._paths(found) if by_system is None else by_system
        reason = "has no RECORD" if by_system is None else "the system's package manager installed it, without hashes"
        self._unchecked(owner, reason, None if paths is None else len(paths))
        # With a NUL in it, a path is none of a file.
        self._add(owner, found.directory, Rows([listed_file(path) for path in paths or () if b"\0" not in path]))

    def _of_system(self, found: Found) -> list[bytes] | None:
        """Return the files of a distribution that came by the system's package manager, None for any other.

        Its RECORD, where it has one, is of what was built, before files were moved, stripped and replaced.
        """
        noticed(found.path)
        # pip, uv and conda leave their name.
        if os.path.exists(os.path.join(found.path, "INSTALLER")):
            return None
        paths = self._distro.of(found.path)
        return None if paths is None else [path for path in paths if not os.path.isdir(path)]

    def _paths(self, found: Found) -> list[bytes] | None:
        """Return the files of a distribution without a RECORD, None where nothing lists them."""
        if found.kind == "egg-info":
            try:
                data = read_whole(os.path.join(found.path, "installed-files.txt"), _MAX_RECORD_BYTES)
            except OSError:
                pass
            else:
                own = os.fsencode(found.name)
                data += b"\ninstalled-files.txt"
                return [os.path.normpath(os.path.join(own, path)) for path in data.splitlines() if path]
        return None

    def _add_package(self, record: CondaRecord, prefix: str, *, replaced: bool) -> None:
        owner = Owner("conda", record.name)
        rows = conda_rows(record)
        if replaced:
            self._unchecked(owner, "another installer has put a distribution in its place", len(rows.files))
            rows = rows.listed_only()
        self._add(owner, prefix, rows)

    def _add(self, owner: Owner, directory: str, rows: Rows) -> None:
        if owner.layer not in self._layers:
            rows = rows.listed_only()
        self.files.add(owner, self._real(directory), rows.files)
        if rows.unhashed:
            self._unchecked(owner, "no hash is recorded", rows.unhashed)
        if rows.unknown:
            self._unchecked(owner, "the hash is of an algorithm that is not compared", rows.unknown)

    def _real(self, directory: str) -> bytes:
        if directory not in self._reals:
            self._reals[directory] = os.fsencode(os.path.realpath(directory))
        return self._reals[directory]

    def _unchecked(self, owner: Owner, reason: str, files: int | None) -> None:
        if owner.layer in self._layers:
            self.unchecked.append(Unchecked(*owner, reason, files))

    def _cannot_read(self, owner: Owner, path: str) -> None:
        if owner.layer in self._layers:
            self.unreadable.append((owner, path_text(path)))
