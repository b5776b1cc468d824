"""Where a container's runtime leaves traces: a handful of small files, and the variables that the target has."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Final

from capsulestore.capture.container.evidence import Evidence
from capsulestore.capture.container.mounts import in_cgroups, in_mounts
from capsulestore.capture.files import path_text, read_up_to, read_whole
from capsulestore.capture.mountinfo import MAX_BYTES

__all__ = ["look", "mounts"]

_MAX_BYTES: Final = 64 * 1024

_MANAGERS: Final[Mapping[str, str]] = {
    "lxc": "lxc",
    "lxc-libvirt": "lxc",
    "podman": "podman",
    "systemd-nspawn": "systemd-nspawn",
}
"""What container managers call themselves."""

_SET_BY_IMAGES: Final[Mapping[str, str | None]] = {"docker": "docker", "oci": None}
"""What images say of themselves, and so do virtual machines that are made from them.

Fedora's have `ENV container`; Ubuntu's had a file /run/systemd/container that says docker, which no docker writes.
"""

_NO_CONTAINER: Final = frozenset({"", "wsl"})
"""Windows' subsystem calls itself one (starship#4593), and is a machine to whoever works in it, made from no image."""

_GVISOR: Final = ("-gvisor ", "#1 SMP Sun Jan 10 15:06:54 PST 2016")
"""gVisor's kernel calls itself so or, in older releases, has the date of Linux 4.4 (its syscalls/linux/linux64.go)."""


def look(root: str, environ: Mapping[str, str], platform: str) -> tuple[list[Evidence], str | None]:
    """Return what tells of a container under `root`, and in the variables of what is started there.

    Beside it, in words, what could not be looked at that a container would show in. Never raise for what is there.

    Containers are Linux's: on another platform (`sys.platform`) nothing is looked at. Of the variables only those
    named here are looked at, and no value is told.
    """
    if platform != "linux":
        return [], None
    unseen = None
    evidence = [*_in_files(root), *_in_variables(root, environ)]
    try:
        evidence += in_mounts(_mounts(root))
    except OSError as error:
        unseen = f"`/proc/self/mountinfo` cannot be read ({error.strerror})"
    for process in ("self", "1"):
        evidence += in_cgroups(_text(root, f"proc/{process}/cgroup") or "")
    return evidence, unseen


def mounts(root: str) -> str | None:
    """Return the mounts that this process sees, as proc_pid_mountinfo(5) has them; None where they cannot be read."""
    try:
        return _mounts(root)
    except OSError:
        return None


def _mounts(root: str) -> str:
    return path_text(read_whole(os.path.join(root, "proc/self/mountinfo"), MAX_BYTES))


def _in_files(root: str) -> Iterator[Evidence]:
    # podman-run(1): there in each container, empty unless it is privileged.
    if _is_there(root, "run/.containerenv"):
        yield Evidence("`/run/.containerenv`", "proof", "podman")
    # Docker makes it; so do tools that make machines' disks from images.
    if _is_there(root, ".dockerenv"):
        yield Evidence("`/.dockerenv`", "nothing", "docker")
    # https://systemd.io/CONTAINER_INTERFACE; systemd copies what process 1 was started with to the second.
    for path in ("run/host/container-manager", "run/systemd/container"):
        yield from _of_manager(f"`/{path}`", (_text(root, path) or "").strip())
    version = _text(root, "proc/version") or ""
    if any(sign in version for sign in _GVISOR):
        yield Evidence("the kernel, which is gVisor's,", "proof")


def _in_variables(root: str, environ: Mapping[str, str]) -> Iterator[Evidence]:
    of_process_1 = _text(root, "proc/1/environ")
    if of_process_1 is not None:
        yield from _of_manager("`container=` of process 1", _value(of_process_1, "container"))
    elif runtime := _MANAGERS.get(environ.get("container", "")):
        # Anybody may set a variable of that name; where process 1 is seen not to have it, somebody did.
        yield Evidence("the variable `container`", "hint", runtime)
    for name in ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"):
        if name in environ:
            # Batch systems pass variables on to hosts; what the image's own scripts lie in stays behind.
            inside = _is_there(root, ".singularity.d")
            yield Evidence(f"the variable `{name}`", "proof" if inside else "hint", "apptainer")
    if "KUBERNETES_SERVICE_HOST" in environ:
        # Other tools set it to reach a cluster. kubernetes.io, "Accessing the API from within a Pod"
        inside = _is_there(root, "var/run/secrets/kubernetes.io/serviceaccount")
        yield Evidence("the service account", "proof" if inside else "nothing", "kubernetes")


def _of_manager(place: str, manager: str) -> Iterator[Evidence]:
    if manager in _SET_BY_IMAGES:
        yield Evidence(place, "nothing", _SET_BY_IMAGES[manager])
    elif manager not in _NO_CONTAINER:
        yield Evidence(place, "proof", _MANAGERS.get(manager))


def _value(environ: str, name: str) -> str:
    """Return a variable's value among those of a process, each ended by a NUL (proc_pid_environ(5))."""
    return f"\0{environ}".partition(f"\0{name}=")[2].partition("\0")[0]


def _is_there(root: str, path: str) -> bool:
    return os.path.exists(os.path.join(root, path))


def _text(root: str, path: str) -> str | None:
    try:
        return path_text(read_up_to(os.path.join(root, path), _MAX_BYTES))
    except OSError:
        return None
