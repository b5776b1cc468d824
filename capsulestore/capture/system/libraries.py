"""The libraries in C that an interpreter runs with, by its own account."""

from __future__ import annotations

from capsulestore.capture.interpreter import Interpreter
from capsulestore.model.canonical import Json

__all__ = ["c_library", "runtime_libraries"]


def c_library(interpreter: Interpreter) -> dict[str, Json]:
    """Return the C library's family and version; musl, which tells no version, by its family alone."""
    family, version = interpreter.libc_family, interpreter.libc.partition(" ")[2]
    return {name: told for name, told in (("family", family), ("version", version)) if told}


def runtime_libraries(interpreter: Interpreter) -> dict[str, Json]:
    """Return compiler, OpenSSL, SQLite and zlib as the interpreter has them when it runs."""
    told = {
        "compiler": interpreter.compiler,
        "openssl": interpreter.openssl,
        "sqlite": interpreter.sqlite,
        "zlib": interpreter.zlib,
    }
    return {name: version for name, version in told.items() if version}
