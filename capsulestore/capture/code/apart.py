"""What of a source tree an import would find, and what in it is no source: environments, and what a build left.

Paths are bytes: a file name need not be text in any encoding.
"""

from __future__ import annotations

import os

from capsulestore.capture.live_source import is_apart

__all__ = ["is_build_output", "is_environment", "is_importable"]


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
