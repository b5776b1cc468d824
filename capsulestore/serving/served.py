"""What every route has at hand."""

from __future__ import annotations

from dataclasses import dataclass

from capsulestore.capture.target import Target
from capsulestore.serving.bodies import Bodies
from capsulestore.serving.limits import Limits
from capsulestore.serving.memory import Memory
from capsulestore.serving.stores import Stores
from capsulestore.serving.threads import Threads

__all__ = ["Served"]


@dataclass(frozen=True, slots=True)
class Served:
    """A store that is served: `target` is the interpreter whose environment is the server's own.

    `git` is whether git's transport is served too.
    """

    stores: Stores
    threads: Threads
    documents: Memory[bytes]
    bodies: Bodies
    limits: Limits
    target: Target
    git: bool
