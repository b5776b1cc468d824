r"""What a container shows in /proc/self/mountinfo and /proc/self/cgroup (proc_pid_mountinfo(5), cgroups(7)).

A host that runs containers has their file systems among its mounts too. What only a container has is a file of its
engine's mounted over its own, or an engine's storage for its own root. So only certain mount points are looked at:

| mount point | what is mounted there | by |
|---|---|---|
| /etc/hostname, /etc/hosts, /etc/resolv.conf | `…/containers/ID/hostname` | docker |
| | `…-containers/ID/userdata/hostname` | podman, CRI-O |
| | `…/io.containerd.grpc.v1.cri/sandboxes/ID/hostname`, `…/pods/UID/etc-hosts` | kubernetes |
| | `/ID-DIGITS-hostname`, `…/ID/hostname` | Kata, other users of containerd |
| /dev/termination-log, /run/secrets/kubernetes.io/serviceaccount | | kubernetes |
| /.singularity.d/… | | apptainer |
| /proc/… as `fuse.lxcfs` | | lxc |
| / | a file system in an engine's storage | docker, podman, containerd, BuildKit, systemd-nspawn, lxc |

ID are 64 hex digits. Seen in containers' own mountinfo as users report it: moby (elastic/apm-agent-java#2352), podman
(crun#729), containerd (opentelemetry-go#3508), Kata (kata-containers/runtime#1674), lxc (lxd#4348).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from capsulestore.capture.container.evidence import Evidence
from capsulestore.capture.mountinfo import Mount, parse_mounts

__all__ = ["in_cgroups", "in_mounts"]

_FILES: Final = frozenset({"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"})
_OF_KUBELET: Final = frozenset(
    {
        "/dev/termination-log",
        "/run/secrets/kubernetes.io/serviceaccount",
        "/var/run/secrets/kubernetes.io/serviceaccount",
    }
)
# Patterns as text: most often none is needed, and compiling one costs more than all that is read.
_FILE: Final = (
    r"(?:(?P<docker>/containers/[0-9a-f]{64}/)(?:hostname|hosts|resolv\.conf)"
    r"|(?P<podman>-containers/[0-9a-f]{64}/userdata/)(?:hostname|hosts|resolv\.conf)"
    r"|(?P<kubernetes>/sandboxes/[0-9a-f]{64}/(?:hostname|resolv\.conf)|/pods/[^/]+/etc-hosts)"
    r"|/[0-9a-f]{64}(?:/|-[0-9a-f]+-)(?:hostname|hosts|resolv\.conf))\Z"
)
_STORAGE: Final = (
    r"(?P<docker>/docker/(?:overlay2|overlayfs|rootfs|aufs|btrfs|zfs|vfs|devicemapper|fuse-overlayfs|[0-9.]+)/)"
    r"|(?P<podman>/containers/storage/)"
    r"|(?P<nspawn>/var/lib/machines/)"
    r"|(?P<lxc>/lxc/[^/]+/rootfs|/(?:lxd|incus)/storage-pools/)"
    r"|/io\.containerd\.|/buildkit/"
)
_CGROUP: Final = (
    r"(?P<docker>/docker[-/][0-9a-f]{64})"
    r"|(?P<podman>/libpod-[0-9a-f]{64})"
    r"|(?P<kubernetes>[-/]kubepods(?=[-./]|$))"
    r"|(?P<lxc>/lxc(?:\.payload[./]|/)[^/])"
    r"|(?P<nspawn>/machine\.slice/(?:machine-|systemd-nspawn@)[^/]+/payload)"
)
"""The conmon of podman and the monitor of lxc, which stand beside their containers, do not match."""

_IN_CGROUPS: Final = ("docker", "libpod", "kubepods", "lxc", "machine.slice")


def in_mounts(mountinfo: str) -> Iterator[Evidence]:
    """Yield what the mounts tell; lines that are no mounts are passed over."""
    for mount in parse_mounts(mountinfo):
        runtime = _of_mount(mount)
        if runtime is not None:
            yield Evidence(f"what is mounted on `{mount.point}`", "proof", runtime or None)


def in_cgroups(cgroup: str) -> Iterator[Evidence]:
    """Yield what the cgroups that a process is in are named after: the innermost container of each."""
    for line in cgroup.split("\n"):
        path = line.split(":", 2)[-1]
        if any(word in path for word in _IN_CGROUPS) and (containers := list(re.finditer(_CGROUP, path))):
            yield Evidence("its cgroup", "proof", _runtime(containers[-1]))


def _of_mount(mount: Mount) -> str | None:
    """Return the runtime whose mount this is, empty for an unknown one, None where it is nobody's."""
    root, point, kind, _, options = mount
    found: re.Match[str] | None = None
    if point in _FILES:
        found = re.search(_FILE, root)
    elif point == "/" and (kind == "overlay" or root != "/"):
        found = re.search(_STORAGE, root) or (re.search(_STORAGE, options) if kind == "overlay" else None)
    elif point in _OF_KUBELET:
        return "kubernetes"
    elif point.startswith("/.singularity.d/"):
        return "apptainer"
    elif kind == "fuse.lxcfs" and point.startswith("/proc/"):
        return "lxc"
    return (_runtime(found) or "") if found else None


def _runtime(found: re.Match[str]) -> str | None:
    return "systemd-nspawn" if found.lastgroup == "nspawn" else found.lastgroup
