"""Guesses the interpreter of what is no Python program: a shell script, make, a launcher nobody here knows."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from capsulestore.capture.command.conda import named_environment
from capsulestore.capture.command.line import Line, Started
from capsulestore.capture.command.programs import beginning, find
from capsulestore.capture.target import choose
from capsulestore.errors import InterpreterProblem

__all__ = ["guess"]

_Follow = Callable[[Line], Started | Line]

_MAX_WORDS: Final = 300
_SHELLS: Final = frozenset({"ash", "bash", "dash", "ksh", "sh", "zsh"})
_COMMENT: Final = re.compile(r"(?:^|\s)#.*", re.MULTILINE)
_BETWEEN_WORDS: Final = re.compile(r"""[\s;|&()`"']+""")
_CONDAS: Final = frozenset({"conda", "mamba", "micromamba"})


def guess(given: Line, reached: Line, follow: _Follow) -> Started:
    """Return the likeliest interpreter of a command line that could be followed only to `reached`.

    That is the first one named in the command line, or in the text of a shell script; else that of the environment
    which a launcher has entered, which is activated, or which is here; else the first on PATH. A command that is not
    there has none.
    """
    path = find(reached.words[0], reached.environ, reached.directory) if reached.words else None
    if path is None and reached.words and reached.python is None:
        return Started(None, None, reached.prepares, f"there is no `{reached.words[0]}`")
    reason = reached.doubt or _reason(given, reached, path)
    line = replace(reached, doubt=reason)
    for words in _suffixes(line, path):
        if words[0].endswith("/bin/activate") or words[1:2] == ("activate",):
            if python := _activated(line, words):
                return line.started(python)
            continue
        found = follow(replace(line, words=words))
        if isinstance(found, Started) and (found.target or found.prepares):
            return found._replace(reason=reason)
    python = line.python or _here(line)
    return line.started(python) if python else Started(None, None, line.prepares, reason)


def _reason(given: Line, reached: Line, path: str | None) -> str:
    if not reached.words:
        return f"`{shlex.join(given.words)}` runs no command" if given.words else "there is no command"
    word = reached.words[0]
    if path is None:
        return f"`{word}` is no program of the environment, but may be a task"
    text = beginning(path)
    first = os.fsdecode(text.partition(b"\n")[0]).rstrip()
    if b"\0" in text[:80]:
        return f"`{word}` is no Python program"
    if not first.startswith("#!"):
        return f"`{word}` is a shell script"
    names = {os.path.basename(part) for part in first[2:].split()}
    return f"`{word}` is a shell script" if names & _SHELLS else f"`{word}` is no Python program"


def _suffixes(line: Line, path: str | None) -> Iterator[tuple[str, ...]]:
    """Yield the words of the command line, then of a script's lines: each with what comes after it."""
    left = _MAX_WORDS
    for words in _commands(line, path):
        for at, word in enumerate(words):
            if left == 0:
                return
            left -= 1
            if word and not word.startswith("-") and "=" not in word:
                yield words[at:]


def _commands(line: Line, path: str | None) -> Iterator[tuple[str, ...]]:
    yield line.words[1:]
    for word in line.words[1:]:
        if " " in word:
            yield from _in_text(word)
    if path is None:
        return
    scripts = [path]
    if os.path.basename(path) in _SHELLS:
        scripts = [os.path.join(line.directory, word) for word in line.words[1:] if not word.startswith("-")][:1]
    for script in scripts:
        text = beginning(script)
        if text and b"\0" not in text:
            yield from _in_text(os.fsdecode(text))


def _in_text(text: str) -> Iterator[tuple[str, ...]]:
    for command in _COMMENT.sub("", text).replace("\\\n", " ").splitlines():
        yield tuple(filter(None, _BETWEEN_WORDS.split(command)))


def _activated(line: Line, words: tuple[str, ...]) -> str | None:
    """Return the interpreter of the environment that a shell activates with these words."""
    if words[0].endswith("/bin/activate"):
        python = os.path.join(line.directory, os.path.dirname(words[0]), "python")
    elif os.path.basename(words[0]) in _CONDAS and len(words) > 2:
        prefix = words[2] if os.sep in words[2] else named_environment(words[2], line.environ)
        python = os.path.join(line.directory, prefix, "bin", "python") if prefix else ""
    else:
        return None
    return python if os.path.exists(python) else None


def _here(line: Line) -> str | None:
    try:
        chosen = choose(None, environ=line.environ, directory=line.directory)
    except InterpreterProblem:
        chosen = None
    if chosen and chosen.chosen_by != "PATH":
        return chosen.python
    return find("python", line.environ, line.directory) or find("python3", line.environ, line.directory)
