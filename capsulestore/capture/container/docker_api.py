"""Reads what an engine says of a container and its image: the Docker API, which podman answers too.

Docker Engine API, ContainerInspect, ImageInspect and ContainerList:

| of | field | |
|---|---|---|
| container | `Id`, `Image` | which it is, and the id of its image |
| | `GraphDriver.Data.UpperDir` | its writable layer, where it is an overlay |
| | `ImageManifestDescriptor` | the manifest chosen for its processor (since 1.48, by containerd's image store) |
| image | `RootFS.Layers` | the digests of its layers, not compressed: `diff_ids` of the OCI image specification |
| | `Id` | the digest of its configuration; in containerd's image store that of its manifest or index |
| | `RepoTags`, `RepoDigests` | its names, by tag and by the digest of its manifest or index |
| | `Descriptor`, `Architecture` | what containerd's image store alone has; the processor |
| others | `HostConfig.NetworkMode` | the container whose network they share |

What else is there, variables and labels with secrets in them, is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from capsulestore.capture.container.answers import array, digest, mapping, references, text
from capsulestore.capture.container.identity import Identity
from capsulestore.capture.container.limits import Limits
from capsulestore.capture.container.source import NoAnswer
from capsulestore.model.canonical import Json

__all__ = ["image_of"]

_Get = Callable[[str], Any]


def image_of(get: _Get, identity: Identity, limits: Limits) -> dict[str, Json]:
    """Return the layers of the image of a container as `rootfs`, and as `context` what else is known of the image.

    `get` returns what the engine answers to a GET of a path, or its status. Raise `NoAnswer` for an engine that does
    not know this container, or answers what no engine does.
    """
    answer = _get(get, f"/containers/{identity.container}/json", "does not know this container")
    container = mapping(answer, "a container")
    if container.get("Id") != identity.container or not _is_this_one(container, get, identity, limits):
        raise NoAnswer("answers for another container")
    # Podman before release 4 left out the algorithm.
    id_ = re.fullmatch(r"(?:sha256:)?([0-9a-f]{64})", text(container.get("Image"), "an image"))
    if not id_:
        raise NoAnswer("knows the container by no image")
    image = mapping(_get(get, f"/images/sha256:{id_[1]}/json", "no longer has the image"), "an image")
    layers: list[Json] = [
        digest(layer, "a layer by its digest")
        for layer in array(mapping(image.get("RootFS"), "layers").get("Layers"), "layers", limits.layers)
    ]
    if not layers:
        raise NoAnswer("answers without layers")
    return {"rootfs": layers, "context": _context(container, image, limits)}


def _get(get: _Get, path: str, unknown: str) -> Any:
    answer = get(path)
    if answer == 404:
        raise NoAnswer(unknown)
    if isinstance(answer, int):
        raise NoAnswer(f"answers with the status {answer}")
    return answer


def _is_this_one(container: Mapping[str, Any], get: _Get, identity: Identity, limits: Limits) -> bool:
    """Return whether the id among our mounts is ours, not that of a container whose network we share.

    Raise `NoAnswer` where it cannot be told.
    """
    driver = container.get("GraphDriver")
    data = driver.get("Data") if isinstance(driver, dict) else None
    upper = data.get("UpperDir") if isinstance(data, dict) else None
    if isinstance(upper, str) and identity.upper:
        # With many layers an engine mounts them by paths relative to its storage.
        return f"/{upper}".endswith(f"/{identity.upper.lstrip('/')}")
    if identity.certain:
        return True
    others = array(_get(get, "/containers/json", "does not tell of other containers"), "others", limits.answer_bytes)
    for other in others:
        settings = mapping(mapping(other, "other containers").get("HostConfig"), "the networks of containers")
        mode = text(settings.get("NetworkMode"), "the networks of containers")
        shared = mode.removeprefix("container:")
        if shared != mode and (shared == identity.container or not re.fullmatch(r"[0-9a-f]{64}", shared)):
            raise NoAnswer("knows several containers that share this one's network")
    return True


def _context(container: Mapping[str, Any], image: Mapping[str, Any], limits: Limits) -> dict[str, Json]:
    """Return what the image is called, and its digests by what each is of: engines differ in which one is its id."""
    id_ = digest(image.get("Id"), "the id of the image")
    names: list[Json] = [*references(image.get("RepoTags"), "names", limits, pinned=False)]
    pinned: list[Json] = [*references(image.get("RepoDigests"), "digests", limits, pinned=True)]
    known: dict[str, Json] = {"names": names, "repo_digests": pinned}
    chosen = container.get("ImageManifestDescriptor")
    if isinstance(chosen, dict):
        _check_processor(chosen.get("platform"), image.get("Architecture"))
        known["manifest_digest"] = digest(chosen.get("digest"), "a manifest")
    by_containerd = isinstance(image.get("Descriptor"), dict) or any(str(name).endswith(f"@{id_}") for name in pinned)
    known["target_digest" if by_containerd else "config_digest"] = id_
    return {name: value for name, value in known.items() if value}


def _check_processor(platform: Any, described: Any) -> None:
    """Raise `NoAnswer` where the image is described as it is for another processor than the container's."""
    wanted = platform.get("architecture") if isinstance(platform, dict) else None
    if isinstance(wanted, str) and isinstance(described, str) and wanted != described:
        raise NoAnswer("describes the image for another processor")
