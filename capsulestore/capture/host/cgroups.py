"""The control groups that this process is in, from its own up to the root, by controller (cgroups(7)).

They are found as /proc/self/cgroup and /proc/self/mountinfo show them (proc_pid_cgroup(5), proc_pid_mountinfo(5)): of
version 1, of version 2, and of both at once, where each controller is in one of them. A container's namespaces hide
the groups above its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from capsulestore.capture.files import read_up_to
from capsulestore.capture.mountinfo import MAX_BYTES, parse_mounts, unescaped

__all__ = ["ControlGroups", "control_groups"]

_MAX_GROUPS: Final = 64 * 1024
_MAX_DEPTH: Final = 64
_VERSIONS: Final = {"cgroup": 1, "cgroup2": 2}
"""By the type of a hierarchy's file system."""

_VERSION_2: Final = ""
"""What /proc/self/cgroup has in place of the names of controllers."""


class _Mount(NamedTuple):
    """Where a hierarchy of groups is mounted, from its group `root` downwards; `controllers` of version 1 alone."""

    version: int
    root: str
    point: str
    controllers: frozenset[str]


class ControlGroups(NamedTuple):
    """The path of the process's group by controller, that of version 2 by the empty one, and what is mounted where."""

    paths: Mapping[str, str]
    mounts: tuple[_Mount, ...]

    def version(self, controller: str) -> int:
        """Return which version of control groups has a controller."""
        return 1 if controller in self.paths else 2

    def directories(self, controller: str) -> list[str]:
        """Return the directories of the process's group and of those above it that it sees, relative to the root.

        None, where no mount shows the group.
        """
        version = self.version(controller)
        path = self.paths.get(controller if version == 1 else _VERSION_2)
        if path is None:
            return []
        shown = [
            mount
            for mount in self.mounts
            if mount.version == version
            and (version == 2 or controller in mount.controllers)
            and f"{path}/".startswith(f"{mount.root.rstrip('/')}/")
        ]
        if not shown:
            return []
        # Parts of a hierarchy may be mounted at other places too.
        mount = min(shown, key=lambda mount: len(mount.root))
        names = [name for name in path[len(mount.root) :].split("/") if name]
        if ".." in names or len(names) > _MAX_DEPTH:
            # The process was moved out of what its namespace shows.
            return []
        point = mount.point.strip("/")
        return ["/".join([point, *names[:depth]]) for depth in range(len(names), -1, -1)]


def control_groups(root: str) -> ControlGroups:
    """Return the groups of this process, as the files below `root` tell them."""
    return ControlGroups(
        paths=_paths(_text(root, "proc/self/cgroup", _MAX_GROUPS)),
        mounts=tuple(_mounts(_text(root, "proc/self/mountinfo", MAX_BYTES))),
    )


def _paths(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.split("\n"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if path.startswith("/"):
            for controller in controllers.split(","):
                found.setdefault(controller, path)
    return found


def _mounts(text: str) -> Iterator[_Mount]:
    for mount in parse_mounts(text):
        if mount.kind in _VERSIONS:
            controllers = frozenset(mount.options.split(","))
            yield _Mount(_VERSIONS[mount.kind], unescaped(mount.root), unescaped(mount.point), controllers)


def _text(root: str, path: str, limit: int) -> str:
    try:
        # They are of paths, in which any byte may be but NUL.
        return os.fsdecode(read_up_to(os.path.join(root, path), limit)).replace("\0", "")
    except OSError:
        return ""
