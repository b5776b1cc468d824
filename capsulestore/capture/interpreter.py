"""What a target interpreter is and where it looks for modules: asked of it once, and kept for as long as that holds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from capsulestore.capture.cache import Cache
from capsulestore.model.canonical import Json

__all__ = ["Interpreter", "interpreter_of"]

_OF_THE_SHELL: Final = frozenset({"_", "OLDPWD", "PWD", "SHLVL"})
"""Variables that differ from command to command, on which nothing at start-up depends."""

_OF_PATHS: Final = ("HOME", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE")
"""Variables that say where start-up looks; of a relative path in them it depends on the working directory."""


class Interpreter(NamedTuple):
    """What an interpreter said of itself. All paths are as it gave them, absolute where its start made them so.

    `openssl`, `sqlite` and `zlib` are the libraries it runs with, in their own words (`OpenSSL 3.0.19 27 Jan 2026`);
    they and `compiler` are empty where it cannot tell.
    """

    implementation: str
    implementation_version: str
    version: str
    extension_suffixes: list[str]
    abiflags: str
    debug: bool
    platform: str
    machine: str
    bits: int
    libc: str
    executable: str
    prefix: str
    base_prefix: str
    path: list[str]
    standard_library: str
    site_directories: list[str]
    user_site: str
    compiler: str
    openssl: str
    sqlite: str
    zlib: str

    @property
    def soabi(self) -> str | None:
        """The tag of extension modules built for it (`cpython-311-x86_64-linux-gnu`), None where it has none."""
        for suffix in self.extension_suffixes:
            tag = suffix.strip(".").rpartition(".")[0]
            if tag and not tag.startswith("abi"):
                return tag
        return None

    @property
    def free_threading(self) -> bool:
        """Whether it was built without the global interpreter lock (PEP 703)."""
        return "t" in self.abiflags

    @property
    def architecture(self) -> str:
        """The processor it was built for: a 32-bit interpreter on a 64-bit kernel is told as such."""
        return _ON_32_BITS.get(self.machine, self.machine) if self.bits == 32 else self.machine

    @property
    def libc_family(self) -> str | None:
        """`glibc` or `musl` on Linux, else None. The C library's version is context, not identity."""
        if self.libc.startswith("glibc"):
            return "glibc"
        return "musl" if self.platform == "linux" else None


_ON_32_BITS: Final = {"x86_64": "i686", "aarch64": "armv8l"}


def interpreter_of(python: str, environ: Mapping[str, str], cache: Cache) -> Interpreter:
    """Return what the interpreter at a path says of itself, started with these variables.

    It is asked where `cache` does not know: where a file that its start-up read, a directory that it searched, or a
    variable is another. Raise what `ask` raises.
    """

    def compute() -> Json:
        from capsulestore.capture.asking import ask  # noqa: PLC0415  (starting processes takes much to import)

        return cast("Json", ask(python, environ=environ)._asdict())

    # Site code may look at any variable, and what the kernel says of the machine is a process's own (personality(2)).
    given = sorted(f"{name}={value}" for name, value in environ.items() if name not in _OF_THE_SHELL)
    given.append(os.uname().machine)
    searched = [entry for name in _OF_PATHS if environ.get(name) for entry in environ[name].split(os.pathsep)]
    if not all(map(os.path.isabs, [python, *searched])):
        try:
            given.append(os.getcwd())
        except OSError:
            # It was removed.
            return Interpreter(**cast("dict[str, Any]", compute()))
    answer = cache.recall(f"interpreter {python}", compute, condition="\0".join(given))
    return Interpreter(**cast("dict[str, Any]", answer))
