"""What in a site directory could be imported, or is run at start-up, and belongs to no distribution."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Final

from capsulestore.capture.budget import TooLarge
from capsulestore.capture.files import path_text, read_up_to
from capsulestore.capture.finding import Finding
from capsulestore.capture.python.installed import INSTALLERS, Installed, Place
from capsulestore.capture.python.keys import entry_key
from capsulestore.capture.python.rows import Row, content, hash_of
from capsulestore.capture.python.tree import content_of
from capsulestore.capture.watch import noticed
from capsulestore.model.canonical import Json

__all__ = ["find_unowned"]

_MADE_BY_VENV_TOOLS: Final = frozenset({"_virtualenv.py", "_virtualenv.pth"})
_MODULE_ENDINGS: Final = (".py", ".pyc", ".pth")
_MAX_PTH_BYTES: Final = 2**20


def find_unowned(installed: Installed, extension_suffixes: Sequence[str]) -> tuple[dict[str, Json], list[Finding]]:
    """Return an entry by file name for each module, package or `.pth` file that no distribution lists.

    An entry is `{"content": DIGEST}`, or `{"unhashed": REASON}` for what is too large or cannot be read; names that
    stand again in a later site directory come under `shadowed`. A package without any file is nothing.
    """
    endings = (*_MODULE_ENDINGS, *extension_suffixes)
    owned = _owned(installed)
    entries: dict[str, dict[str, Json]] = {}
    findings: list[Finding] = []
    for place in installed.places:
        if place.directory.role != "site":
            continue
        for name in _candidates(place, endings, owned.get(place.directory.path, frozenset())):
            entry = _entry(place.directory.path, name)
            if entry is None:
                continue
            if "unhashed" in entry:
                message = f"belongs to no distribution and is not hashed ({entry['unhashed']})"
                findings.append(Finding("python", "unhashed", path_text(name), message, incomplete=True))
            else:
                findings.append(Finding("python", "unowned", path_text(name), "belongs to no distribution; hashed"))
            first = entries.setdefault(entry_key(path_text(name)), entry)
            if first is not entry:
                first["shadowed"] = [*first.get("shadowed", []), entry]  # type: ignore[misc]
    return dict(entries), findings


def _owned(installed: Installed) -> dict[str, frozenset[str]]:
    """Return the top-level names that distributions list, by directory: also those reached by `../`."""
    directories = {place.directory.path for place in installed.places}
    found: dict[str, set[str]] = {directory: set() for directory in directories}
    for place in installed.places:
        here = found[place.directory.path]
        for distribution in place.distributions:
            if distribution.key in INSTALLERS:
                here.add(distribution.key)
            # What an absolute path leads to is no row that counts, so what lies there is nobody's.
            here |= {os.fsdecode(top) for top in distribution.tops - {b"", b".."}}
            if b".." not in distribution.tops:
                continue
            for path, _ in distribution.listed:
                if not path.startswith(b"../"):
                    continue
                target = os.path.normpath(os.path.join(place.directory.path, os.fsdecode(path)))
                for directory in directories:
                    if target.startswith(f"{directory}/"):
                        found[directory].add(target[len(directory) + 1 :].partition("/")[0])
    return {directory: frozenset(names) for directory, names in found.items()}


def _candidates(place: Place, endings: tuple[str, ...], owned: frozenset[str]) -> Iterator[str]:
    for entry in place.listing.others:
        name = entry.name
        if name in owned or name in _MADE_BY_VENV_TOOLS or name == "__pycache__":
            continue
        if name.endswith(endings):
            yield name
        elif name.isidentifier():
            if os.path.isdir(entry.path):
                yield name
            else:
                noticed(entry.path)


def _entry(directory: str, name: str) -> dict[str, Json] | None:
    try:
        digest = _pth_content(directory, name) if name.endswith(".pth") else content_of(directory, name)
    except TooLarge:
        return {"unhashed": "too large"}
    except OSError:
        return {"unhashed": "unreadable"}
    return {"content": digest} if digest else None


def _pth_content(directory: str, name: str) -> str:
    """Return the content of a `.pth` file without the absolute paths in it.

    Those say where other directories lie, whose modules are code; what is left is what start-up runs.
    """
    data = read_up_to(os.path.join(directory, name), _MAX_PTH_BYTES + 1)
    if len(data) > _MAX_PTH_BYTES:
        raise TooLarge
    lines = [line for line in data.splitlines(keepends=True) if not os.path.isabs(line.strip())]
    return content([Row(os.fsencode(name), hash_of(b"".join(lines)))])
