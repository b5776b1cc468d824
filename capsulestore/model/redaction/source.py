"""Tells whether a program holds a credential: a literal, where in a text `token = ...` may be any expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from capsulestore.model.redaction.names import is_harmless, names_secret
from capsulestore.model.redaction.tokens import redact_tokens

__all__ = ["holds_secret"]

# Expressions are compiled, and kept by `re`, when a source is first looked through: start-up counts.
# Each repetition has a bound, so that a source of any shape takes time in proportion to its length.
_NAME: Final = r"([A-Za-z_][\w.-]{0,128})"
_QUOTE: Final = r"[A-Za-z]{0,2}[#@$]{0,2}(\\{0,3}(?:\"\"\"|'''|[\"'`]))"
_BRACKET: Final = r"(?:([(\[])[\s+-]{0,64}(?:[\w.]{1,64},[\s+-]{0,64})?)?"
"""What may stand before a literal: `(`, and the user in `auth=(user, "...")`. In a patch lines begin with a sign."""
_ASSIGNED: Final = (
    rf"(?m:(?<![\w.-])|(?<=^-)){_NAME}\\{{0,3}}[\"'`]?(?:[\])]|\[[ \w]{{0,32}}\])?[ \t]{{0,8}}"
    r"(?::=|=>|<{1,2}-|[:=]|:[^\n=\"`;(){}]{1,64}=)[ \t]{0,8}(?:\\\n[ \t+-]{0,64})?"
    rf"{_BRACKET}(?={_QUOTE})"
)
"""`token = "..."`, `token: str = "..."`, `{"token": "..."}`, `token <- "..."`, and what a patch takes away of these."""
_DEFINED: Final = rf"(?m:^)[+-]?[ \t]{{0,8}}#[ \t]{{0,8}}define[ \t]{{1,64}}{_NAME}[ \t]{{1,64}}{_BRACKET}(?={_QUOTE})"
_GIVEN: Final = rf"[\"']--?{_NAME}[\"'],[\s+-]{{0,64}}()(?=(?![\"']-){_QUOTE})"
"""`["--token", "..."]`."""
_IN_QUERY: Final = r"[?&]([\w.-]{1,128})=([^&#\s\"'{}<>]{3,512})"
_IN_URL: Final = r"://[^/\s:@\"']{0,128}:([^/\s@\"']{1,256})@"

_IN_LINE: Final = r"(?s:[^\\\n{}]|\\.)*+"
_IN_LINES: Final = r"(?s:(?!{})[^\\]|\\.)*+"
_JOINT: Final = r"[ \t+]{0,8}(?:\\\n[ \t+-]{0,64})?()"
_JOINT_IN_BRACKETS: Final = r"[\s+\\-]{0,64}+(,[\s+\\-]{0,64}+(?![)\]]))?"
_MAX_PARTS: Final = 8
"""Literals of which one is made: `("..." "...")`."""

_FILLED_IN: Final = r"\$?\{[^{}]*\}|%\(\w{1,64}\)s|%s|\.\.\.|^<[^<>]*>$|(?i:^(?:basic|bearer|token)[ ])"
"""`{password}`, `${PASSWORD}`, `%s`, `...`, `<password>`, and what stands before a token in a header."""
_LEFT: Final = r"\w"
_MIN_LENGTH: Final = 3
_MAX_LENGTH: Final = 512
"""Characters within which the end of a literal is looked for."""


def holds_secret(source: str) -> bool:
    """Return whether a source holds what looks like a credential, in time proportional to its length.

    That is a token of a known form, a url with a password or with a query that holds a secret, and a literal (or a word
    of a command) behind a name that is a secret's, whatever the literal holds. What a program computes, fills in or
    asks for is none, nor is a `<placeholder>` or a literal of fewer than three characters.
    """
    return redact_tokens(source) != source or any(_in_urls(source)) or any(_named(source))


def _in_urls(source: str) -> Iterator[bool]:
    for match in re.compile(_IN_URL).finditer(source):
        yield not _is_filled_in(match[1])
    for match in re.compile(_IN_QUERY).finditer(source):
        yield names_secret(match[1]) and not is_harmless(match[1], match[2])


def _named(source: str) -> Iterator[bool]:
    for expression in (_ASSIGNED, _DEFINED, _GIVEN):
        for match in re.compile(expression).finditer(source):
            if names_secret(match[1]) and not _ends_a_literal(match):
                value = _literal(source, match.end(), is_in_brackets=bool(match[2]))
                yield len(value) >= _MIN_LENGTH and not is_harmless(match[1], value) and not _is_filled_in(value)


def _ends_a_literal(match: re.Match[str]) -> bool:
    """Return whether the quote behind a name closes what was opened before it: `"Password: "`."""
    before = match.string[match.start() - 1 : match.start()]
    return before in {'"', "'", "`"} and match[0].count(before) == 0 and match.string.startswith(before, match.end())


def _literal(source: str, start: int, *, is_in_brackets: bool) -> str:
    """Return what the literals hold that begin at `start`, those that are one together; of a list, what is last."""
    joint = re.compile(_JOINT_IN_BRACKETS if is_in_brackets else _JOINT)
    parts: list[str] = []
    for _ in range(_MAX_PARTS):
        opening = re.compile(_QUOTE).match(source, start)
        if opening is None:
            break
        part = _up_to(opening[1], source, opening.end())
        parts.append(part)
        start = opening.end() + len(part) + len(opening[1])
        between = joint.match(source, start)
        if between is None:
            break
        if between[1]:
            parts.clear()
        start = between.end()
    return "".join(parts)


def _up_to(quote: str, source: str, start: int) -> str:
    """Return what stands from `start` to a closing quote, or to a bound; nothing where the line ends before."""
    if quote.startswith("\\"):
        inside, closed, _ = source[start : start + _MAX_LENGTH].partition("\n")[0].partition(quote)
        return inside if closed else ""
    expression = _IN_LINE if quote in {'"', "'"} else _IN_LINES
    match = re.compile(expression.format(quote)).match(source, start, start + _MAX_LENGTH)
    inside = match[0] if match else ""
    is_cut = len(inside) < _MAX_LENGTH and source.startswith("\n", start + len(inside))
    return "" if is_cut else inside


def _is_filled_in(value: str) -> bool:
    """Return whether nothing is left of a literal without the places where a program or a reader fills in something."""
    rest, count = re.compile(_FILLED_IN).subn("", value)
    return count > 0 and not re.compile(_LEFT).search(rest)
