"""What every route has at hand."""

from __future__ import annotations

from dataclasses import dataclass

from capsulestore.capture.target import Target
from capsulestore.serving.documents import Documents
from capsulestore.serving.limits import Limits
from capsulestore.serving.routes.bodies import Bodies
from capsulestore.serving.stores import Stores
from capsulestore.serving.threads import Threads

__all__ = ["Served"]


@dataclass(frozen=True, slots=True)
class Served:
    """A store that is served: `target` is the interpreter whose environment is the server's own.

    `registered` and `compared` are what is sent to be registered, and to be compared. `git` is whether git's transport
    is served too.
    """

    stores: Stores
    threads: Threads
    documents: Documents
    registered: Bodies
    compared: Bodies
    limits: Limits
    target: Target
    git: bool
