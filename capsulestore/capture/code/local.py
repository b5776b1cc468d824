"""Where a path that a manifest has recorded leads here."""

from __future__ import annotations

import os

__all__ = ["local_path"]


def local_path(recorded: str, root: str) -> str | None:
    """Return the path here of a recorded one, which is from `root` or absolute; None where no file can have it.

    With an empty `root` it stays relative. What is recorded is UTF-8 in every locale; the answer is what `os.fsencode`
    takes.
    """
    try:
        path = os.fsdecode(recorded.encode())
    except UnicodeEncodeError:
        return None
    return None if "\0" in path else os.path.join(root, path)
