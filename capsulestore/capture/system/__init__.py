"""The `system` layer: what lies below Python. Distribution, C library, libraries Python runs with, OS packages."""

from __future__ import annotations

from capsulestore.capture.finding import Finding
from capsulestore.capture.layer import LayerCapture, Runtime, state_of
from capsulestore.capture.system.libraries import c_library, runtime_libraries
from capsulestore.capture.system.os_release import read_os_release
from capsulestore.capture.system.packages import read_packages
from capsulestore.capture.system.standard_library import standard_library_digest
from capsulestore.model.canonical import Json

__all__ = ["SystemLayer"]


class SystemLayer:
    """The operating system that the target runs on, under `root`."""

    name = "system"
    rules = frozenset({1})
    in_environment = False

    def __init__(self, root: str = "/") -> None:
        self._root = root

    def capture(self, runtime: Runtime, rules: int) -> LayerCapture:
        """Capture the layer; a collection with nothing in it, and a library whose version nobody tells, is left out."""
        os, os_findings = read_os_release(self._root)
        packages, packages_findings = read_packages(self._root, runtime.cache)
        library, library_findings = standard_library_digest(runtime.interpreter.standard_library, runtime.cache)
        context: dict[str, Json] = {"rules": rules}
        collections = {
            "os": os,
            "libc": c_library(runtime.interpreter),
            "runtime": runtime_libraries(runtime.interpreter) | library,
            "packages": packages,
        }
        findings: list[Finding] = [*os_findings, *library_findings, *packages_findings]
        return LayerCapture(
            state=state_of(findings),
            context=context | {name: told for name, told in collections.items() if told},
            findings=tuple(findings),
        )
