"""What a notebook's cell says of itself: the options of its first line, its title, its text, and whether to keep that.

%%capsule TITLE [--input P]... [--output P]... [--param K=V]... [--label K=V]... [--parent NAME]... [--strict]
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from capsulestore.errors import UsageError
from capsulestore.model.canonical import Json

__all__ = [
    "MAX_TITLE",
    "Header",
    "digest_of",
    "encoded",
    "end_of_future_imports",
    "holds_secret",
    "parse_header",
    "split_words",
    "title_of",
]

MAX_TITLE: Final = 72
"""The characters of a title that is taken from the text."""

_LISTS: Final = ("--input", "--output", "--parent")
_PAIRS: Final = ("--param", "--label")
_SWITCH: Final = "--strict"

_OPTION: Final = re.compile(r"--?[A-Za-z]")
_COMMAND: Final = re.compile(r"[ \t]*(?:[\w., \t]{1,128}=[ \t]*)?[%!]")
"""How a line begins that is no Python: `%env`, `!curl`, `files = !ls`."""
_OF_PYTHON: Final = frozenset({"%%capsule", "%%capture", "%%prun", "%%time", "%%timeit"})
"""The cell magics below which Python stands."""


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
        parameters=_mapping("--param", given["--param"]),
        labels=_mapping("--label", given["--label"]),
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


def title_of(text: str) -> str:
    """Return a cell's first comment in a line, else its first line that is no magic, else its first; shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    comments = (line.lstrip("#%! ") for line in lines if line.startswith("#"))
    others = (line for line in lines if not line.startswith(("#", "%")))
    title = next(filter(None, comments), None) or next(others, None) or next(iter(lines), "cell")
    return title if len(title) <= MAX_TITLE else f"{title[: MAX_TITLE - 1].rstrip()}…"


def holds_secret(text: str) -> bool:
    """Return whether a cell holds what looks like a credential: in its Python, or as a word of its magics and commands.

    Below a magic that is not Python's, as `%%bash`, each line counts as a command.
    """
    from capsulestore.model.redaction import redact_text  # noqa: PLC0415
    from capsulestore.model.redaction.source import holds_secret as is_in_source  # noqa: PLC0415

    lines = text.splitlines()
    foreign = any(line.startswith("%%") and line.split()[0] not in _OF_PYTHON for line in lines)
    commands = [line for line in lines if foreign or _COMMAND.match(line)]
    return is_in_source(text) or any(redact_text(line)[1] for line in commands)


def encoded(text: str) -> bytes:
    """Return a cell as it is kept: UTF-8, with what has no form in it escaped."""
    return text.encode("utf-8", "backslashreplace")


def digest_of(text: str) -> dict[str, Json]:
    """Return what a manifest says of a cell: the SHA-256 and the size of its bytes."""
    import hashlib  # noqa: PLC0415

    data = encoded(text)
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def end_of_future_imports(lines: Sequence[str]) -> int:
    """Return how many lines of a program must stay its first: those up to the last `from __future__ import`."""
    end = 0
    if any("__future__" in line for line in lines):
        import ast  # noqa: PLC0415

        # What is no program is for the compiler to tell.
        with suppress(SyntaxError, ValueError):
            for statement in ast.parse("".join(lines)).body:
                if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                    end = statement.end_lineno or end
    return end


def _meant(option: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415

    known = (*_LISTS, *_PAIRS, _SWITCH)
    near = get_close_matches(option, known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{name}`' for name in known)}"


def _placeholder(option: str) -> str:
    if option in _PAIRS:
        return "KEY=VALUE"
    return "NAME" if option == "--parent" else "PATH"


def _mapping(option: str, given: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"`{option} {text}` is no KEY=VALUE", hint=f"write `{option} KEY=VALUE`")
        if key in pairs:
            raise UsageError(f"`{option}` gives `{key}` twice")
        pairs[key] = value
    return pairs
