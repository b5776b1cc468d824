"""Takes secrets out of what people type: a text, the words of a command, a JSON value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from capsulestore.errors import InvalidValue
from capsulestore.model.canonical import MAX_DEPTH, Json, check
from capsulestore.model.redaction.arguments import redact_commands, redact_words
from capsulestore.model.redaction.members import redact_members
from capsulestore.model.redaction.names import is_harmless, names_secret
from capsulestore.model.redaction.tokens import REDACTED, redact_tokens
from capsulestore.model.redaction.urls import redact_addresses, redact_urls

__all__ = ["redact_arguments", "redact_text", "redact_value"]

_MAX_ROUNDS: Final = 6
"""How often a text is looked through until nothing more is found: what one rule leaves, another may know."""


def redact_text(text: str) -> tuple[str, bool]:
    """Return a title, description, label or parameter without secrets, and whether anything was taken out.

    Urls lose user, password, query and fragment; tokens of a known form become `redacted`, as do the values of
    `key=value`, `key: value` and `--option value` whose name is a secret's, and what `redact_arguments` takes out where
    the text holds a command. Text that is JSON is taken as such. What was redacted once stays as it is; the time taken
    is in proportion to the text's length.
    """
    clean = text
    for _ in range(_MAX_ROUNDS):
        before, clean = clean, _redact_text(clean)
        if clean == before:
            return clean, clean != text
    return REDACTED, True


def redact_arguments(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Return a command line, word by word, without secrets, and whether anything was taken out.

    Beside what `redact_text` takes out: what follows an option that names a secret (`--password X`) but is no option
    itself, `-u USER:PASSWORD`, and the short options of programs that take a password so (`mysql -pX`,
    `docker login -p X`). Any other `-p X` stays: it is a port, a path, a number of processes.
    """
    clean = list(arguments)
    for _ in range(_MAX_ROUNDS):
        before, clean = clean, redact_words(clean, lambda word: redact_text(word)[0])
        if clean == before:
            return clean, clean != list(arguments)
    return [REDACTED] * len(clean), True


def redact_value(value: Json) -> tuple[Json, bool]:
    """Return a JSON value without secrets, and whether anything was taken out.

    A member whose key names a secret becomes `redacted`, unless it is null or true or false; a list of texts counts as
    a command line, any other text as `redact_text` has it. What canonical JSON refuses is left for it to refuse.
    """
    clean = _redact_value(value, 0)
    return clean, clean is not value and clean != value


def _redact_text(text: str) -> str:
    if text.lstrip()[:1] in {"{", "["}:
        with suppress(ValueError, RecursionError, InvalidValue):
            return _redact_json(text)
    text = redact_members(redact_tokens(redact_urls(text)))
    return redact_commands(redact_addresses(text))


def _redact_json(text: str) -> str:
    import json  # noqa: PLC0415  (few texts are JSON, and start-up counts)

    repeated = False

    def members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        nonlocal repeated
        repeated = repeated or len(dict(pairs)) < len(pairs)
        return dict(pairs)

    value: Json = json.loads(text, object_pairs_hook=members)
    check(value)
    clean, redacted = redact_value(value)
    # Of a key that is there twice, the first value is in the text alone.
    return json.dumps(clean, ensure_ascii=False) if redacted or repeated else text


def _redact_value(value: Json, depth: int) -> Json:
    if depth > MAX_DEPTH:
        return value
    if isinstance(value, str):
        return redact_text(value)[0]
    if isinstance(value, Mapping):
        return _redact_members(value, depth)
    if not isinstance(value, list):
        return value
    if all(isinstance(member, str) for member in value):
        return redact_arguments(value)[0]
    return [_redact_value(member, depth + 1) for member in value]


def _redact_members(members: Mapping[str, Json], depth: int) -> dict[str, Json]:
    clean: dict[str, Json] = {}
    for key, value in members.items():
        kept = redact_text(key)[0] if isinstance(key, str) else key
        # Without a url, what is left of a key may be a name, too.
        named = isinstance(key, str) and (names_secret(key) or names_secret(kept))
        if kept != key and (kept in clean or kept in members):
            kept = f"{kept} {len(clean)}"
        is_secret = named and not (value is None or isinstance(value, bool) or _is_harmless(key, value))
        clean[kept] = REDACTED if is_secret else _redact_value(value, depth + 1)
    return clean


def _is_harmless(key: str, value: Json) -> bool:
    return isinstance(value, str | int | float) and is_harmless(key, str(value))
