"""Which image a container is of: told by whoever knows it, each source asked in turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from capsulestore.capture.container import VARIABLE
from capsulestore.capture.finding import Finding
from capsulestore.capture.layer import Runtime
from capsulestore.model.canonical import Json

__all__ = ["SOURCES", "Found", "find_image", "from_variable"]

_REFERENCE: Final = r"(?:[^@\s]+@)?(sha256:[0-9a-f]{64})"
"""A digest as the OCI image specification has it, alone or behind the name of a repository."""


class Found(NamedTuple):
    """What a source said: the entries of `image` (`manifest`: a digest), None where it knows none, and findings."""

    image: Mapping[str, Json] | None = None
    findings: tuple[Finding, ...] = ()


def from_variable(runtime: Runtime) -> Found:
    """Return the image that `VARIABLE` names; what else it holds is not told: it may be anything, a secret too (I7)."""
    told = runtime.environ.get(VARIABLE)
    if told is None:
        return Found()
    reference = re.fullmatch(_REFERENCE, told)
    if reference:
        return Found({"manifest": reference[1]})
    message = "is not `sha256:` and 64 lower-case hex digits, alone or behind `NAME@`; it counts as not given"
    return Found(findings=(Finding("container", "image-digest-malformed", VARIABLE, message),))


SOURCES: Final[tuple[Callable[[Runtime], Found], ...]] = (from_variable,)
"""Who is asked: the first that knows the image is believed."""


def find_image(runtime: Runtime) -> Found:
    """Return the image that the first source knows, with what was noticed on the way to it."""
    findings: tuple[Finding, ...] = ()
    for source in SOURCES:
        found = source(runtime)
        findings += found.findings
        if found.image:
            return Found(found.image, findings)
    return Found(findings=findings)
