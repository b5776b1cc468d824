"""One installed distribution: from its metadata on disk to its entry in an environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from capsulestore.capture.budget import TooLarge
from capsulestore.capture.files import path_text, read_up_to, read_whole
from capsulestore.capture.finding import Finding, Report
from capsulestore.capture.python import direct_url
from capsulestore.capture.python.discovery import Found
from capsulestore.capture.python.distro_files import DistroFiles
from capsulestore.capture.python.metadata import headers, is_utf8, normalized, script_names
from capsulestore.capture.python.rows import Row, content, parse_record, select
from capsulestore.capture.python.tree import files_below
from capsulestore.capture.search_path import Role
from capsulestore.capture.watch import noticed
from capsulestore.model.canonical import Json

__all__ = ["Distribution", "read_distribution"]

_MAX_METADATA_BYTES: Final = 4 * 2**20
_MAX_RECORD_BYTES: Final = 256 * 2**20
_MOST_NAMED: Final = 3

_INCOMPLETE: Final = frozenset({"file-unreadable", "too-large"})
"""The findings that say that something an analysis could notice is not in the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A distribution as installed. `rows` are those of its content; `listed` are all, paths as it lists them.

    A row is a path and a hash; `tops` are the first parts of the listed paths, `..` among them. `content` is None for
    an editable, and where nothing says which files it has.
    """

    found: Found
    name: str
    version: str
    tags: tuple[str, ...] = ()
    build: str | None = None
    editable: bool = False
    content: str | None = None
    rows: frozenset[tuple[bytes, bytes]] = frozenset()
    listed: Sequence[tuple[bytes, bytes]] = ()
    tops: frozenset[bytes] = frozenset()
    source: dict[str, Json] | None = None

    @property
    def key(self) -> str:
        """The name as PEP 503 normalises it."""
        return normalized(self.name)

    @property
    def owned(self) -> frozenset[bytes]:
        """The paths that it lists, as it lists them."""
        return frozenset(path for path, _ in self.listed)

    def entry(self) -> dict[str, Json]:
        """Return what an environment holds of the distribution."""
        if self.editable:
            return {"version": self.version, "editable": True}
        entry: dict[str, Json] = {"version": self.version}
        if self.tags:
            entry["tags"] = sorted(self.tags)
        if self.build:
            entry["build"] = self.build
        if self.content:
            entry["content"] = self.content
        return entry


def read_distribution(
    found: Found, role: Role, distro: DistroFiles, *, has_url: bool = True
) -> tuple[Distribution | None, list[Finding]]:
    """Return the distribution that metadata on disk describes, and findings; None where nothing gives it a name.

    Its modules are then owned by nobody, so that they are captured all the same. Never raises for what lies on disk.
    Without `has_url`, its `direct_url.json` is not read: what conda installed has one that leads into the machine that
    built the package.
    """
    findings: list[Finding] = []

    def finding(code: str, message: str) -> None:
        findings.append(Finding("python", code, path_text(found.path), message, code in _INCOMPLETE))

    name, version = _identity(found, finding)
    if not name:
        finding("nameless", "metadata without a name; not listed as a distribution, its modules count as unowned")
        return None, findings
    distribution = Distribution(found=found, name=name, version=version)
    source = direct_url.read(os.path.join(found.path, "direct_url.json")) if has_url else direct_url.Source()
    if source.problem:
        finding("source-unreadable", f"its direct_url.json {source.problem}; where it came from is not recorded")
    if source.redacted:
        finding("redacted", "its url held credentials or a query string, which are not recorded")
    distribution = replace(distribution, source=source.value)
    return _with_files(distribution, role, source.editable, distro, finding), findings


def _identity(found: Found, finding: Report) -> tuple[str, str]:
    """Return name and version: as the metadata has them, else as the file name does."""
    path = found.path
    if os.path.isdir(path):
        path = os.path.join(path, "METADATA" if found.kind == "dist-info" else "PKG-INFO")
    fields: dict[str, str] = {}
    try:
        data = read_up_to(path, _MAX_METADATA_BYTES)
    except OSError as error:
        code = "metadata-missing" if isinstance(error, FileNotFoundError) else "metadata-unreadable"
        finding(code, "its metadata cannot be read; name and version are taken from the file name")
    else:
        if not is_utf8(data):
            finding("metadata-not-utf8", "its metadata is not UTF-8")
        for key, value in headers(data, "name", "version"):
            fields.setdefault(key, value)
        if not fields.get("name") or not fields.get("version"):
            finding("metadata-incomplete", "its metadata lacks name or version; the file name is asked instead")
    stem_name, _, rest = path_text(found.stem).partition("-")
    stem_version = rest.partition("-py")[0]
    if not stem_version and not fields.get("name"):
        return "", ""
    return fields.get("name") or stem_name, fields.get("version") or stem_version


def _with_files(
    distribution: Distribution, role: Role, editable: bool, distro: DistroFiles, finding: Report
) -> Distribution:
    found = distribution.found
    noticed(found.path)
    editable = editable or _is_develop(found, role)
    listed = _listed_files(found, distro, finding)
    tops = frozenset({path.partition(b"/")[0] for path, _ in listed or ()})
    distribution = replace(distribution, listed=listed or (), tops=tops)
    if editable:
        return replace(distribution, editable=True)
    tags, build = _wheel(found, finding) if found.kind == "dist-info" else ((), None)
    if listed is None:
        finding("files-unknown", "nothing lists its files; its modules count as unowned")
        return replace(distribution, tags=tags, build=build)
    selection = select(listed, found.directory, os.fsencode(found.name), _scripts(found))
    for path in selection.unreadable[:_MOST_NAMED]:
        finding("file-unreadable", f"a file of it cannot be read: {path_text(path)}")
    if len(selection.unreadable) > _MOST_NAMED:
        finding("file-unreadable", f"and {len(selection.unreadable) - _MOST_NAMED} more of its files")
    return replace(
        distribution,
        tags=tags,
        build=build,
        content=content(selection.rows),
        rows=selection.rows,
    )


def _is_develop(found: Found, role: Role) -> bool:
    """Return whether metadata lies in a source tree on the path: what `setup.py develop` and a build leave there."""
    return (
        found.kind == "egg-info"
        and role == "added"
        and os.path.exists(os.path.join(found.path, "SOURCES.txt"))
        and not os.path.exists(os.path.join(found.path, "installed-files.txt"))
    )


def _listed_files(found: Found, distro: DistroFiles, finding: Report) -> Sequence[tuple[bytes, bytes]] | None:
    """Return the distribution's files from the best list there is: paths from its directory, hashes where listed."""
    try:
        if found.kind == "egg":
            top = os.path.dirname(found.directory), os.path.basename(found.directory)
            below = len(os.fsencode(top[1])) + 1
            return [Row(path[below:], b"") for path in files_below(*top)]
        if found.kind == "dist-info":
            listed = parse_record(read_whole(os.path.join(found.path, "RECORD"), _MAX_RECORD_BYTES))
        else:
            installed = read_whole(os.path.join(found.path, "installed-files.txt"), _MAX_RECORD_BYTES)
            own = os.fsencode(found.name)
            listed = [Row(os.path.normpath(os.path.join(own, path)), b"") for path in installed.splitlines() if path]
        if listed:
            return listed
    except (FileNotFoundError, NotADirectoryError):
        pass
    except TooLarge:
        finding("too-large", "more files than are hashed without a RECORD")
    except (OSError, ValueError):
        finding("record-unreadable", "its list of files cannot be read")
    files = distro.of(found.path)
    if files is None:
        return None
    finding("distro-files", "has no RECORD; its files were hashed as the system's package manager lists them")
    return list(_inside(files, found.directory))


def _inside(files: Iterable[bytes], directory: str) -> Iterable[Row]:
    below = os.fsencode(directory) + b"/"
    for path in files:
        if path.startswith(below) and not os.path.isdir(path):
            yield Row(path[len(below) :], b"")


def _wheel(found: Found, finding: Report) -> tuple[tuple[str, ...], str | None]:
    try:
        data = read_up_to(os.path.join(found.path, "WHEEL"), _MAX_METADATA_BYTES)
    except OSError:
        finding("wheel-unreadable", "its WHEEL cannot be read; the tags of its wheel are not known")
        return (), None
    fields = list(headers(data, "build", "tag"))
    build = next((value for key, value in fields if key == "build"), None)
    return tuple(value for key, value in fields if key == "tag"), build


def _scripts(found: Found) -> frozenset[bytes]:
    try:
        return script_names(read_up_to(os.path.join(found.path, "entry_points.txt"), _MAX_METADATA_BYTES))
    except OSError:
        return frozenset()
