r"""What the interpreters of a traced command said of themselves, read from the file they wrote it to.

The file has one line for each fact, its fields parted by tabs, in the bytes of file names; in a field `\\`, `\n` and
`\t` stand for a backslash, a newline and a tab. Two kinds of lines are known:

    interpreter VERSION whole|part PREFIX SITE-DIRECTORY...
    file PATH

`part` says that this Python cannot be observed as it runs. Every process appends, each line at once. The traced program
could write there too, so nothing is believed but what has this form.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from capsulestore.capture.files import read_up_to
from capsulestore.errors import FileProblem

__all__ = ["DIRECTORY_PREFIX", "MAX_BYTES", "MODULE_ENDINGS", "Traced", "archive_of", "read_observed", "still_there"]

MAX_BYTES: Final = 64 * 2**20
"""How much the interpreters of one command write; `sitecustomize.py` has the same number."""

DIRECTORY_PREFIX: Final = "capsule-imports-"
"""How the directories are named that are ours while a command runs: a traced command may itself trace others."""

MODULE_ENDINGS: Final = (".py", ".pyw", ".pyc", ".so")
"""How the files end that Python runs as modules."""

_MAX_PATH_BYTES: Final = 4096
_VERSION: Final = re.compile(rb"\d{1,3}\.\d{1,3}")
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_UNESCAPED: Final = {b"\\": b"\\", b"n": b"\n", b"t": b"\t"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """What was seen of a command.

    `interpreters` are the `sys.prefix` of those that were observed, and `site_directories` where their packages are
    installed. `files` are the modules that were run, scripts among them, by absolute path as import found them: those
    that are still there, for a module in an archive the archive, and none of the standard library. `problem` says in
    words what is known to be missing, None where nothing is. An interpreter that was told to ignore PYTHONPATH or to
    do without `site` (`-I`, `-E`, `-S`) is not seen, and nothing says so but that it is not among `interpreters`; nor
    is what a process runs that has become another user or sees other files.
    """

    interpreters: frozenset[str]
    site_directories: frozenset[str]
    files: frozenset[str]
    problem: str | None = None

    @property
    def complete(self) -> bool:
        """Whether all that the observed interpreters ran is here."""
        return self.problem is None

    def saw(self, prefix: str) -> bool:
        """Return whether the interpreter with this `sys.prefix` was observed, by whatever links it was started."""
        return os.path.realpath(prefix) in map(os.path.realpath, self.interpreters)


def read_observed(path: str) -> Traced:
    """Return what was written to the file at `path`, within `MAX_BYTES`; never raises for what it holds."""
    try:
        data = read_up_to(path, MAX_BYTES + 1)
    except (OSError, FileProblem):
        problem = "what was observed of its imports cannot be read"
        return Traced(interpreters=frozenset(), site_directories=frozenset(), files=frozenset(), problem=problem)
    problems: list[str] = []
    if len(data) >= MAX_BYTES:
        problems.append(f"its imports fill more than {MAX_BYTES // 2**20} MiB, which is all that is observed")
    *lines, rest = data.split(b"\n")
    interpreters: set[str] = set()
    site_directories: set[str] = set()
    files: set[str] = set()
    strange = bool(rest)
    for line in dict.fromkeys(lines):
        match line.split(b"\t"):
            case [b"interpreter", version, b"whole" | b"part" as seen, *places] if (
                _VERSION.fullmatch(version) and places and (paths := _paths(places)) is not None
            ):
                interpreters.add(paths[0])
                site_directories.update(paths[1:])
                if seen == b"part":
                    problems.append(f"Python {version.decode()} cannot be observed as it runs")
            case [b"file", path_there] if (paths := _paths([path_there])) is not None:
                files.update(paths)
            case _:
                strange = True
    if strange:
        problems.append("among its imports stands what no interpreter writes")
    return Traced(
        interpreters=frozenset(interpreters),
        site_directories=frozenset(site_directories),
        files=frozenset(still_there(files)),
        problem="; ".join(dict.fromkeys(problems)) or None,
    )


def _paths(fields: Iterable[bytes]) -> list[str] | None:
    """Return the paths in these fields, None where one of them is no absolute path."""
    paths = []
    for field in fields:
        try:
            path = _ESCAPED.sub(lambda escaped: _UNESCAPED[escaped[1]], field)
        except KeyError:
            return None
        if not path.startswith(b"/") or b"\0" in path or len(path) > _MAX_PATH_BYTES:
            return None
        paths.append(os.path.normpath(os.fsdecode(path)))
    return paths


def still_there(paths: Iterable[str]) -> Iterator[str]:
    """Yield the files among these paths, and the archives in which the others lie.

    Code that was never in a file (of a notebook's cell, of a template) has the name of one that is not there, or of one
    that is no module.
    """
    for path in paths:
        if os.path.isfile(path):
            if path.endswith(MODULE_ENDINGS) and f"/{DIRECTORY_PREFIX}" not in path:
                yield path
        elif archive := archive_of(path):
            yield archive


def archive_of(path: str) -> str | None:
    """Return the file in which something lies that has this absolute path, and is no file itself; None for none."""
    above = os.path.dirname(path)
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    return above if os.path.isfile(above) else None
