"""What a target interpreter is and where it looks for modules, in its own words."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["Interpreter"]


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
