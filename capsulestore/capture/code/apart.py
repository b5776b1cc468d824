"""What lies in a source tree and is no source: environments, caches, stores, and an analysis's inputs and outputs.

Paths are bytes: a file name need not be text in any encoding.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

__all__ = [
    "Declared",
    "declared_paths",
    "is_apart",
    "is_build_output",
    "is_declared",
    "is_environment",
    "is_importable",
]

Declared = frozenset[bytes]
"""Absolute paths of inputs and outputs, files or directories, without links in the directories that lead to them."""


def is_apart(name: bytes) -> bool:
    """Whether a directory of that name holds no source: a cache, a repository's or a store's own, or another tool's.

    Import never looks into a hidden directory: its name cannot be a package's.
    """
    return name.startswith(b".") or name in {b"__pycache__", b"node_modules"}


def is_build_output(name: bytes) -> bool:
    """Whether a directory of that name, where git ignores it, is what a build left there."""
    return name in {b"build", b"dist"}


def is_environment(directory: bytes) -> bool:
    """Whether a directory is a virtual environment (PEP 405) or conda's."""
    return any(os.path.exists(os.path.join(directory, mark)) for mark in (b"pyvenv.cfg", b"conda-meta"))


def is_importable(path: bytes) -> bool:
    """Whether a file at that path of a source tree is Python or an extension module, of a name that import can ask for.

    The directory it lies in may be on the search path, so that those above need not be packages.
    """
    *above, name = path.split(b"/")
    stem, _, ending = name.partition(b".")
    is_module = ending == b"py" or ending in {b"so", b"pyd"} or ending.endswith((b".so", b".pyd"))
    return is_module and stem.decode("utf-8", "replace").isidentifier() and not any(map(is_apart, above))


def declared_paths(paths: Iterable[str]) -> Declared:
    """Return the paths as `is_declared` compares them: as given, and where links lead."""
    found = set()
    for path in map(os.path.abspath, paths):
        directory, name = os.path.split(path)
        found |= {os.path.join(os.path.realpath(directory), name), os.path.realpath(path)}
    return frozenset(map(os.fsencode, found))


def is_declared(path: bytes, declared: Declared) -> bool:
    """Whether an absolute path is one of those declared, or below one."""
    while declared:
        if path in declared:
            return True
        path, below = os.path.dirname(path), path
        if path == below:
            break
    return False
