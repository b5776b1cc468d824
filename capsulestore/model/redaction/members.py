"""Takes out of a text what stands behind the name of a secret: `key=value`, `key: value`, `--option value`."""

from __future__ import annotations

import re
from typing import Final

from capsulestore.model.redaction.names import is_harmless, is_switch, names_secret
from capsulestore.model.redaction.tokens import REDACTED

__all__ = ["SEPARATOR", "redact_members"]

SEPARATOR: Final = r"[ \t]*+(?::=|=>|==?|:(?!//|:))[ \t]*+"
"""What stands between a key and its value; a url's scheme and C++'s namespaces are no keys."""

# Expressions are compiled, and kept by `re`, when a text first needs them: start-up counts.
# Runs of what a key is made of begin where none does before: so each is read once, whatever the text.
_MEMBER: Final = (
    r"(?<![\w.-])[.-]*+((?:(?i:access|account|api|encryption|private|secret|session|signing)[ ](?=(?i:keys?)\b))?+"
    rf"[A-Za-z_][\w.-]*+)([\\\"'\]]{{0,8}}+){SEPARATOR}"
)
_OPTION: Final = r"(?<![^\s\"'`(\[=,])-{1,2}+([A-Za-z][\w.-]*+)(?:\\?[\"'],)?[ \t]++(?=[^\s=:|&;<>-])"
_PAIR: Final = (
    r"(?<![^\s\"'`(])((?:-[uU]|--(?:proxy-)?user)[ \t=]++[\"']?)(?![0-9]++:[0-9]++(?![^\s\"']))([^\s:\"']++:[^\s\"']*+)"
)
_INTERPRETER: Final = r"(?:python|pypy)[0-9.]{0,8}w?(?:\.exe)?(?:[ \t]+-[A-Za-z]+)*[ \t]+[\"']?$"
"""What stands before a `-u` that names no user."""
_MAX_INTERPRETER: Final = 64
"""Characters within which that is looked for."""
_QUOTED: Final = r"(\\{0,7}[\"'`])"
_IN_QUOTES: Final = r'(?s)[^"\\]++|\\.|(")'
_LITERAL: Final = r"(?i:null|none|true|false)(?=[\s,;}\])&|\"'\\]|$)"
_SPACE: Final = r"\s"
_CLOSING: Final = ";,)]}\"'`&|>\\"
_TO_THE_END: Final = ("authorization", "cookie", "passphrase")
"""Headers and what else has more than one word."""


def redact_members(text: str) -> str:
    """Return a text with `redacted` for each value whose key or option names a secret, and for `-u user:password`.

    A value in quotes goes up to the closing quote, as does one whose key is in the same quotes; any other up to the
    next white space, of an `Authorization:` or a `Cookie:` to the end of the line. Takes linear time.
    """
    if "=" in text or ":" in text:
        text = _redact_behind(_MEMBER, text)
        text = re.compile(_PAIR).sub(_without_pair, text)
    return _redact_behind(_OPTION, text) if "-" in text else text


def _redact_behind(expression: str, text: str) -> str:
    clean: list[str] = []
    done = 0
    for match in re.compile(expression).finditer(text):
        name = match[1]
        if match.start() < done or not names_secret(name) or (expression == _OPTION and is_switch(name)):
            continue
        start, end = _value(text, match)
        if is_harmless(name, text[start:end]) or re.compile(_LITERAL).match(text, start):
            continue
        clean += text[done:start], REDACTED
        done = end
    return "".join([*clean, text[done:]])


def _without_pair(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - _MAX_INTERPRETER) : match.start()]
    is_interpreters = match[1].startswith("-u") and re.compile(_INTERPRETER).search(before)
    return match[0] if is_interpreters else f"{match[1]}{REDACTED}"


def _value(text: str, match: re.Match[str]) -> tuple[int, int]:
    """Return where the value begins and ends that stands behind a match."""
    start = match.end()
    if quote := re.compile(_QUOTED).match(text, start):
        return quote.end(), _closing(text, quote.end(), quote[1])
    if match.re.pattern == _MEMBER:
        before = text[match.start() - 1 : match.start()]
        if before and before in "\"'`" and not match[2]:
            return start, _closing(text, start, before)
        if match[1].lower().endswith(_TO_THE_END) and ":" in text[match.end(2) : start]:
            return start, _end_of_line(text, start)
    if text.startswith(("{", "[", "("), start):
        return start, _end_of_line(text, start)
    space = re.compile(_SPACE).search(text, start)
    return start, start + len(text[start : space.start() if space else len(text)].rstrip(_CLOSING))


def _closing(text: str, start: int, quote: str) -> int:
    """Return where a quotation that began before `start` is closed, or where its line ends."""
    if quote == '"':
        end = next((part.start() for part in re.compile(_IN_QUOTES).finditer(text, start) if part[1]), -1)
    else:
        end = text.find(quote, start)
    return end if end >= 0 else _end_of_line(text, start)


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return end if end >= 0 else len(text)
