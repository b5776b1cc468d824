"""Which container this is: the id by which its engine knows it, or its pod, as its mounts tell (mounts.py)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from capsulestore.capture.mountinfo import parse_mounts, unescaped

__all__ = ["Identity", "identify"]

_FILES: Final = ("/run/.containerenv", "/etc/hostname", "/etc/resolv.conf", "/etc/hosts")
"""Where an engine mounts files of its own, those first that are never another container's."""

_OF_PODMAN: Final = r"-containers/([0-9a-f]{64})/userdata/[^/]+\Z"
_OF_DOCKER: Final = r"/containers/([0-9a-f]{64})/[^/]+\Z"
_OF_KUBELET: Final = r"/pods/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/containers/([a-z0-9-]{1,63})/[^/]+\Z"
"""The file that a container of a pod may leave its last words in, another in each start."""

_UPPER: Final = r"(?:\A|,)upperdir=([^,]+)"


class Identity(NamedTuple):
    """Which container this is. None of it is recorded: another start has another.

    `container` is an id of 64 hex digits. It is `certain` where it is not that of a container whose network this one
    shares, and with it, by docker, the files that the id is read from. `disk` is all that tells its root file system
    from others, `upper` the writable layer of an overlay. `pod` is the uid of a pod, `pod_container` the name within
    it, and `pod_start` what tells one start of it from the next.
    """

    container: str | None = None
    certain: bool = False
    disk: str = ""
    upper: str | None = None
    pod: str | None = None
    pod_container: str | None = None
    pod_start: str = ""


def identify(mountinfo: str) -> Identity:
    """Return what the mounts tell; what they do not, or not with one voice, is None."""
    files: dict[str, str] = {}
    starts = set()
    disk, upper = "", None
    for root, point, kind, source, options in parse_mounts(mountinfo):
        if point == "/":
            disk = f"{root} {kind} {source} {options}"
            found = re.search(_UPPER, options) if kind == "overlay" else None
            upper = unescaped(found[1]) if found else None
        elif point in _FILES:
            files[point] = root
        if "/pods/" in root and (start := re.search(_OF_KUBELET, root)):
            starts.add((start[1], start[2], start[0]))
    container, certain = _id(files)
    if len(starts) != 1:
        return Identity(container, certain, disk, upper)
    return Identity(container, certain, disk, upper, *starts.pop())


def _id(files: dict[str, str]) -> tuple[str | None, bool]:
    for point in _FILES:
        root = files.get(point, "")
        if found := re.search(_OF_PODMAN, root):
            # podman-run(1): of a container whose network is shared, the hosts and the resolver are too.
            return found[1], point in _FILES[:2]
        if found := re.search(_OF_DOCKER, root):
            return found[1], False
    return None, False
