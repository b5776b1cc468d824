"""Which files of a work tree an import would find though git does not track them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache

from capsulestore.capture.budget import Budget, TooLarge
from capsulestore.capture.code.apart import is_build_output, is_environment, is_importable
from capsulestore.capture.code.declared import Declared
from capsulestore.capture.code.status import ABSENT, Status
from capsulestore.capture.code.walk import sources_below
from capsulestore.capture.files import path_text
from capsulestore.capture.finding import Report
from capsulestore.capture.live_source import is_apart

__all__ = ["untracked_sources"]


def untracked_sources(top: bytes, status: Status, declared: Declared, report: Report) -> list[bytes]:
    """Return the paths of Python files and extension modules that git does not track, ignored ones too, sorted.

    `top` is a real path, `status` what git says of that directory. None of what is apart or declared, nor of a
    directory whose entries are too many or cannot be listed: that is reported, once each.
    """
    found: list[bytes] = []
    in_environment = cache(is_environment)
    # Git lists nothing in a directory that took a tracked file's place.
    replaced = [one.path for one in status.differing if one.mode == ABSENT and one.is_in_index]
    listed = {**dict.fromkeys((*status.untracked, *replaced), False), **dict.fromkeys(status.ignored, True)}
    for path, ignored in sorted(listed.items()):
        above = path.split(b"/")[:-1]
        if any(is_apart(name) or (ignored and is_build_output(name)) for name in above):
            continue
        if any(map(in_environment, _directories(top, above))):
            continue
        try:
            sources = sources_below(top, path, declared=declared, budget=Budget(), ignored=ignored)
            found += [source for source, _ in sources if is_importable(source)]
        except (FileNotFoundError, NotADirectoryError):
            continue  # gone since git looked, or with the directory that it lay in
        except TooLarge:
            report("not-looked-through", f"`{path_text(path)}` holds more files than are looked through; none counts")
        except OSError as error:
            report("not-looked-through", f"`{path_text(path)}` cannot be listed ({error.strerror}); none of it counts")
    return sorted(found)


def _directories(top: bytes, above: list[bytes]) -> Iterator[bytes]:
    """Yield the directories that lead from `top` to a path, `top` itself not."""
    directory = top
    for name in above:
        directory = os.path.join(directory, name)
        yield directory
