"""Reads the options before a command's first operand, as getopt_long(3) does."""

from __future__ import annotations

from collections.abc import Collection, Iterable

__all__ = ["read_options"]


def read_options(
    words: Iterable[str], valued: Collection[str], ends: Collection[str] = ()
) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Return the options with their values (empty where there is none), and the words after them.

    `valued` are those that take a value (`-X`, `--exec`): in the same word or the next. What comes after one of `ends`
    is no longer read. An option that is not known is taken for one without a value.
    """
    options = []
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        for name, value in _named(word, valued):
            takes_next = value is None and name in valued
            options.append((name, rest.pop(0) if takes_next and rest else value or ""))
        if options[-1][0] in ends:
            break
    return options, tuple(rest)


def _named(word: str, valued: Collection[str]) -> list[tuple[str, str | None]]:
    """Return the options in one word: `-Bu` is two, `-Wignore` and `--python=3.12` are one with its value."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return [(name, value if equals else None)]
    named: list[tuple[str, str | None]] = []
    for at, letter in enumerate(word[1:], start=2):
        if f"-{letter}" in valued:
            return [*named, (f"-{letter}", word[at:] or None)]
        named.append((f"-{letter}", None))
    return named
