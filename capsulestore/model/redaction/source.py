"""Tells whether a program holds a credential: a literal, where in a text `token = ...` may be any expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from capsulestore.model.redaction.names import is_harmless, names_secret
from capsulestore.model.redaction.tokens import redact_tokens

__all__ = ["holds_secret"]

# Expressions are compiled, and kept by `re`, when a source is first looked through: start-up counts.
_LITERAL: Final = r"[A-Za-z]{0,2}(?:\"\"\"|'''|[\"'])([^\"'\s{}<>]{4,512})[\"']"
_ASSIGNED: Final = (
    r"(?m:(?<![\w.-])|(?<=^-))([A-Za-z_][\w.-]{0,128})[\"']?[\])]?"
    r"[ \t]{0,8}(?::[ \t]{0,8}[\w.|\[\] ]{1,64}=|:|=)[ \t]{0,8}" + _LITERAL
)
"""`token = "..."`, `token: str = "..."`, `{"token": "..."}`, and what a patch takes away of these."""
_GIVEN: Final = r"[\"']--?([A-Za-z_][\w.-]{0,128})[\"'],[ \t\n]{0,8}(?![\"']-)" + _LITERAL
"""`["--token", "..."]`."""
_IN_QUERY: Final = r"[?&]([\w.-]{1,128})=([^&#\s\"'{}<>]{4,512})"
_IN_URL: Final = r"://[^/\s:@\"'{}<>]{0,128}:([^/\s@\"'{}<>$%]{1,256})@"


def holds_secret(source: str) -> bool:
    """Return whether a source holds what looks like a credential, in time proportional to its length.

    That is a token of a known form, a url with a password or with a query that holds a secret, and a literal (or a word
    of a command) behind a name that is a secret's. What a program computes or asks for is none.
    """
    return redact_tokens(source) != source or re.compile(_IN_URL).search(source) is not None or any(_named(source))


def _named(source: str) -> Iterator[bool]:
    for expression in (_ASSIGNED, _GIVEN, _IN_QUERY):
        for name, value in re.compile(expression).findall(source):
            yield names_secret(name) and not is_harmless(name, value)
