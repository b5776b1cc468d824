"""Which image a container is of: told by whoever knows it, each source asked in turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from capsulestore.capture.container import VARIABLE
from capsulestore.capture.container.engine import from_engine
from capsulestore.capture.container.kubernetes import from_cluster
from capsulestore.capture.container.source import Asked, Found
from capsulestore.capture.finding import Finding
from capsulestore.model.canonical import Json

__all__ = ["SOURCES", "Image", "find_image", "from_variable"]

_REFERENCE: Final = r"(?:[^@\s]+@)?(sha256:[0-9a-f]{64})"
"""A digest as the OCI image specification has it, alone or behind the name of a repository."""


class Image(NamedTuple):
    """What is known of the image: its entries in the environment, None where nobody knows it, and in the context.

    `why` says of each source in words why it knows none.
    """

    image: Mapping[str, Json] | None
    context: Mapping[str, Json]
    why: tuple[str, ...]
    findings: tuple[Finding, ...]


def from_variable(asked: Asked) -> Found:
    """Return the image that `VARIABLE` names; what else it holds is not told: it may be anything, a secret too (I7)."""
    told = asked.runtime.environ.get(VARIABLE)
    reference = re.fullmatch(_REFERENCE, told or "")
    if reference:
        return Found({"manifest": reference[1]})
    why = (f"`{VARIABLE}` gives none",)
    if told is None:
        return Found(why=why)
    message = "is not `sha256:` and 64 lower-case hex digits, alone or behind `NAME@`; it counts as not given"
    return Found(findings=(Finding("container", "image-digest-malformed", VARIABLE, message),), why=why)


SOURCES: Final[tuple[Callable[[Asked], Found], ...]] = (from_engine, from_variable, from_cluster)
"""Who is asked: the first that knows the image is believed.

Layers are the same under any name and in any storage; a manifest is another for other compression, and what a variable
says, anybody may have set.
"""


def find_image(asked: Asked) -> Image:
    """Return the image that the first source knows, with what was noticed on the way to it."""
    faults: tuple[Finding, ...] = ()
    findings: tuple[Finding, ...] = ()
    why: tuple[str, ...] = ()
    for source in SOURCES:
        found = source(asked)
        findings += found.findings
        if found.image:
            context = dict(found.context or {})
            if "rootfs" in found.image:
                given = from_variable(asked)
                findings += (*given.findings, *_contradictions(given, context))
                context |= {"given_digest": given.image["manifest"]} if given.image else {}
            return Image(found.image, context, (), findings + faults + found.faults)
        faults += found.faults
        why += (*found.why, *(f"`{fault.subject}` {fault.message}" for fault in found.faults))
    return Image(None, {}, why, findings)


def _contradictions(given: Found, context: Mapping[str, Json]) -> Iterable[Finding]:
    """Yield what is wrong with the digest that `VARIABLE` gives, where an engine knows the image by others."""
    pinned = context.get("repo_digests")
    if not given.image or not isinstance(pinned, list):
        return
    known = {str(name).rpartition("@")[2] for name in pinned}
    known |= {str(context.get(name)) for name in ("config_digest", "manifest_digest", "target_digest")}
    if given.image["manifest"] not in known:
        message = "is none of the digests by which the engine knows the image; the engine's layers are recorded"
        yield Finding("container", "image-digest-contradicted", VARIABLE, message)
