"""Reads the `python` layer from disk: what an interpreter is, what is installed for it, and what nobody installed."""

from __future__ import annotations

from collections.abc import Collection

from capsulestore.capture.finding import Finding
from capsulestore.capture.interpreter import Interpreter
from capsulestore.capture.layer import LayerCapture
from capsulestore.capture.python.installed import Installed, read_installed
from capsulestore.capture.python.live import live_sources
from capsulestore.capture.python.overlaps import find_overlaps
from capsulestore.capture.python.unowned import find_unowned
from capsulestore.capture.search_path import search_path
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState

__all__ = ["read_layer"]


def read_layer(interpreter: Interpreter, rules: int, of_conda: Collection[str]) -> LayerCapture:
    """Return the layer as it is on disk now. `of_conda`: as for `read_installed`."""
    directories, path_findings = search_path(interpreter)
    installed = read_installed(directories, of_conda)
    overlaps, overlap_findings = find_overlaps(installed)
    unowned, unowned_findings = find_unowned(installed, interpreter.extension_suffixes)
    environment: dict[str, Json] = {
        "rules": rules,
        "interpreter": _interpreter(interpreter),
        "packages": installed.packages(),
    }
    environment |= {name: found for name, found in (("overlaps", overlaps), ("unowned", unowned)) if found}
    findings: list[Finding] = [
        *path_findings,
        *installed.findings,
        *overlap_findings,
        *unowned_findings,
    ]
    return LayerCapture(
        state=LayerState("captured"),
        environment=environment,
        context=_context(installed, rules),
        findings=tuple(findings),
        live=live_sources(installed),
    )


def _interpreter(interpreter: Interpreter) -> dict[str, Json]:
    """Return the interpreter as an environment has it: not its build, its libc's version or its path."""
    described: dict[str, Json] = {
        "implementation": interpreter.implementation,
        "version": interpreter.version,
        "soabi": interpreter.soabi,
        "debug": interpreter.debug,
        "free_threading": interpreter.free_threading,
        "os": interpreter.platform,
        "architecture": interpreter.architecture,
        "libc": interpreter.libc_family,
    }
    if interpreter.implementation_version != interpreter.version:
        described["implementation_version"] = interpreter.implementation_version
    return described


def _context(installed: Installed, rules: int) -> dict[str, Json]:
    context: dict[str, Json] = {"rules": rules}
    collections = {"installers": installed.installers(), "sources": installed.sources()}
    return context | {name: found for name, found in collections.items() if found}
