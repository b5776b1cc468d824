"""What a notebook's cell says in its first line of what is to be recorded.

%%capsule TITLE [--input P]... [--output P]... [--param K=V]... [--label K=V]... [--parent NAME]... [--strict]
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from capsulestore.errors import UsageError
from capsulestore.recording.pairs import read_pairs

__all__ = ["Header", "parse_header", "split_words"]

_LISTS: Final = ("--input", "--output", "--parent")
_PAIRS: Final = ("--param", "--label")
_SWITCH: Final = "--strict"

_OPTION: Final = re.compile(r"--?[A-Za-z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a cell's first line says; `title` is empty where it says none."""

    title: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    parameters: Mapping[str, str]
    labels: Mapping[str, str]
    parents: Sequence[str]
    strict: bool


def parse_header(line: str) -> Header:
    """Return what stands behind `%%capsule`, split as a shell splits it; words that are no option make up the title.

    Raise `UsageError` for an option that there is none of, one without its value, and quotes that do not close.
    """
    title: list[str] = []
    given: dict[str, list[str]] = {option: [] for option in (*_LISTS, *_PAIRS, _SWITCH)}
    words = iter(split_words(line))
    for word in words:
        option, equals, value = word.partition("=")
        if not _OPTION.match(word):
            title.append(word)
        elif option not in given:
            raise UsageError(f"no option `{option}`", hint=_meant(option))
        elif option == _SWITCH:
            if equals:
                raise UsageError(f"`{_SWITCH}` takes no value")
            given[option].append(word)
        else:
            following = value if equals else next(words, None)
            if following is None:
                raise UsageError(f"`{option}` takes a value", hint=f"write `{option} {_placeholder(option)}`")
            given[option].append(following)
    return Header(
        title=" ".join(title),
        inputs=given["--input"],
        outputs=given["--output"],
        parameters=read_pairs("--param", given["--param"]),
        labels=read_pairs("--label", given["--label"]),
        parents=given["--parent"],
        strict=bool(given[_SWITCH]),
    )


def split_words(line: str) -> list[str]:
    """Return the words of a line as a shell has them; raise `UsageError` for quotes that do not close."""
    try:
        return shlex.split(line)
    except ValueError:
        raise UsageError(
            f"a quotation in `{line.strip()}` does not close",
            hint="write words with an apostrophe in double quotes",
        ) from None


def _meant(option: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415

    known = (*_LISTS, *_PAIRS, _SWITCH)
    near = get_close_matches(option, known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{name}`' for name in known)}"


def _placeholder(option: str) -> str:
    if option in _PAIRS:
        return "KEY=VALUE"
    return "NAME" if option == "--parent" else "PATH"
