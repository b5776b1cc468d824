"""JSON from outside as values: nothing in it is passed over, rounded or guessed at (RFC 8259, and I-JSON, RFC 7493)."""

from __future__ import annotations

from typing import Any, Final

from capsulestore.errors import InvalidValue
from capsulestore.model import canonical

__all__ = ["check_size", "parse_json", "parse_sent"]

_MOST_SHOWN: Final = 100
_MOST_DIGITS: Final = 4000
"""Of an integer; Python takes some more, and then says what only those can do who run the program."""


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text; raise `ValueError` for what is none, `RecursionError` for what is too deep.

    A key that is there twice is refused, as are NaN and integers of thousands of digits. Other numbers are what they
    are, for the model to refuse.
    """
    import json  # noqa: PLC0415  (not by those who check sizes alone)

    # Not orjson, which rounds large integers, and of two keys takes the last.
    return json.loads(text, parse_constant=_refuse, parse_int=_integer, object_pairs_hook=_mapping)


def parse_sent(data: bytes, most_values: int) -> Any:
    """Return the value of a JSON text (UTF-8) that somebody sent, which canonical JSON can hold.

    Raise `InvalidValue` with the reason, and the path where it is a value's, for everything else, and for more than so
    many values.
    """
    check_size(data, most_values)
    try:
        value = parse_json(data.decode())
        canonical.check(value)
    except RecursionError:
        raise InvalidValue(f"more than {canonical.MAX_DEPTH} levels deep") from None
    except UnicodeDecodeError:
        raise InvalidValue("not UTF-8") from None
    except ValueError as error:
        raise InvalidValue(f"not JSON: {error}") from None
    return value


def check_size(data: bytes, most_values: int) -> None:
    """Raise `InvalidValue` for a JSON text that may have more than so many values: each takes many times its bytes.

    It is not parsed; commas and brackets in texts count too.
    """
    if len(data) > most_values and sum(map(data.count, (b",", b"[", b"{"))) > most_values:
        raise InvalidValue(f"JSON of more than {most_values} values")


def _mapping(members: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(members)
    if len(mapping) < len(members):
        seen: set[str] = set()
        for key, _ in members:
            if key in seen:
                raise ValueError(f"the key {key[:_MOST_SHOWN]!a} is there twice")
            seen.add(key)
    return mapping


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
