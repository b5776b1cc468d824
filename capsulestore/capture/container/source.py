"""What a source of the image is asked with, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from capsulestore.capture.container.deadline import Deadline
from capsulestore.capture.container.identity import Identity
from capsulestore.capture.container.limits import Limits
from capsulestore.capture.finding import Finding
from capsulestore.capture.layer import Runtime
from capsulestore.model.canonical import Json

__all__ = ["Asked", "Found", "NoAnswer"]


class NoAnswer(Exception):
    """Whoever was asked gave no answer that can be used; the text says in words why, and quotes nothing of it."""


class Asked(NamedTuple):
    """Of which container the image is asked: what its mounts tell, and what runs it, of `RUNTIMES` or `unknown`.

    `root` is where its files are. All sources together have until `deadline`.
    """

    root: str
    runtime: Runtime
    engine: str
    identity: Identity
    deadline: Deadline
    limits: Limits


class Found(NamedTuple):
    """What a source said: the entries of `image`, None where it knows none, and what else it knows, which is context.

    `why` says in words why it knows none, and is empty for a source that does not apply. `faults` are what went wrong
    with whoever was asked: reasons where nobody knows the image, findings where somebody does.
    """

    image: Mapping[str, Json] | None = None
    context: Mapping[str, Json] | None = None
    findings: tuple[Finding, ...] = ()
    why: tuple[str, ...] = ()
    faults: tuple[Finding, ...] = ()
