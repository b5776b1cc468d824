"""A notebook's cell as a text: what to call it, its digest, whether it may be kept, and where its own code begins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from capsulestore.model.canonical import Json

__all__ = ["MAX_TITLE", "digest_of", "encoded", "end_of_future_imports", "holds_secret", "title_of"]

MAX_TITLE: Final = 72
"""The characters of a title that is taken from the text."""

_COMMAND: Final = re.compile(r"[ \t]*(?:[\w., \t]{1,128}=[ \t]*)?[%!]")
"""How a line begins that is no Python: `%env`, `!curl`, `files = !ls`."""
_OF_PYTHON: Final = frozenset({"%%capsule", "%%capture", "%%prun", "%%time", "%%timeit"})
"""The cell magics below which Python stands."""


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
