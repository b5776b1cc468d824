"""The hash that nix keeps of a store path: the SHA-256 of its archive (NAR), in the one spelling that is recorded.

nix spells one hash in several ways: in hex in its database, in base 32 where `nix-store` prints it and binary caches
have it, in base 64 (W3C Subresource Integrity) in newer commands. Recorded is hex, as every other digest here is.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["nar_hash"]

_BASE32: Final = "0123456789abcdfghijklmnpqrsvwxyz"
_HEX: Final = re.compile(r"sha256:[0-9a-f]{64}")
_IN_BASE32: Final = re.compile(rf"sha256:([{_BASE32}]{{52}})")
_IN_BASE64: Final = re.compile(r"sha256-([0-9A-Za-z+/]{43}=)")


def nar_hash(text: str) -> str:
    """Return a SHA-256 in any of nix's spellings as `sha256:` and 64 lower-case hex digits; raise `ValueError`."""
    if _HEX.fullmatch(text):
        return text
    if found := _IN_BASE32.fullmatch(text):
        return f"sha256:{_of_base32(found[1]).hex()}"
    if found := _IN_BASE64.fullmatch(text):
        import base64  # noqa: PLC0415  (no nix of today keeps it so)

        return f"sha256:{base64.b64decode(found[1]).hex()}"
    raise ValueError("no SHA-256 as nix spells it")


def _of_base32(digits: str) -> bytes:
    """Return the 32 bytes, the last of which nix spells first."""
    number = 0
    for digit in digits:
        number = number * 32 + _BASE32.index(digit)
    try:
        return number.to_bytes(32, "little")
    except OverflowError:
        raise ValueError("no SHA-256 as nix spells it") from None
