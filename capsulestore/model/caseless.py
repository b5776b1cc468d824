"""Text without its case, for searching."""

from __future__ import annotations

__all__ = ["caseless"]


def caseless(text: str) -> str:
    """Return what texts have in common that differ in upper and lower case, or in how accents are composed.

    That is Unicode's canonical caseless matching (The Unicode Standard, section 3.13, D145): `Straße` and `STRASSE` are
    the same; a dotless i and an i, which only some languages take for one letter, are not.
    """
    if text.isascii():
        return text.lower()
    from unicodedata import normalize  # noqa: PLC0415  (most text is ASCII)

    return normalize("NFD", normalize("NFD", text).casefold())
