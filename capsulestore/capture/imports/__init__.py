"""Which modules the interpreters of a command really imported, and whose they are."""

from __future__ import annotations

from capsulestore.capture.imports.here import imported_here
from capsulestore.capture.imports.observed import Traced, archive_of
from capsulestore.capture.imports.owners import distributions_and_modules, loaded_distributions, local_modules
from capsulestore.capture.imports.trace import Tracing, tracing

__all__ = [
    "Traced",
    "Tracing",
    "archive_of",
    "distributions_and_modules",
    "imported_here",
    "loaded_distributions",
    "local_modules",
    "tracing",
]
