"""Programs that change something and then start the rest of their command line: env(1), nice(1), timeout(1), ..."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from capsulestore.capture.command.line import Line
from capsulestore.capture.command.options import read_options
from capsulestore.capture.command.programs import inside

__all__ = ["WRAPPERS", "through_env", "through_wrapper"]


@dataclass(frozen=True, slots=True)
class _Wrapper:
    """The options that take a value, and how many operands come before the command."""

    valued: frozenset[str] = frozenset()
    operands: int = 0


_SPLIT: Final = frozenset({"-S", "--split-string"})
_ENV_VALUED: Final = _SPLIT | {"-u", "--unset", "-C", "--chdir"}
WRAPPERS: Final[Mapping[str, _Wrapper]] = {
    "chrt": _Wrapper(frozenset({"-T", "-P", "-D"}), operands=1),
    "env": _Wrapper(_ENV_VALUED),
    "ionice": _Wrapper(frozenset({"-c", "-n", "--class", "--classdata"})),
    "nice": _Wrapper(frozenset({"-n", "--adjustment"})),
    "nohup": _Wrapper(),
    "setsid": _Wrapper(),
    "stdbuf": _Wrapper(frozenset({"-i", "-o", "-e", "--input", "--output", "--error"})),
    "taskset": _Wrapper(operands=1),
    "time": _Wrapper(frozenset({"-f", "-o", "--format", "--output"})),
    "timeout": _Wrapper(frozenset({"-k", "-s", "--kill-after", "--signal"}), operands=1),
}


def through_wrapper(line: Line, wrapper: _Wrapper) -> Line:
    """Return what a wrapper starts: the rest of its command line."""
    _, rest = read_options(line.words[1:], wrapper.valued)
    return replace(line, words=rest[wrapper.operands :])


def through_env(line: Line) -> Line:
    """Return what env(1) starts, with the variables and in the directory that it gives it.

    Of variables that Python itself reads, the interpreter that is asked later would know nothing: that is a doubt.
    """
    environ = dict(line.environ)
    directory, doubt, rest = line.directory, line.doubt, line.words[1:]
    changed: list[str] = []
    while True:
        options, rest = read_options(rest, WRAPPERS["env"].valued, _SPLIT)
        for name, value in options:
            if name in {"-i", "--ignore-environment"}:
                environ, doubt = {}, "`env -i` takes all variables away"
            elif name in {"-u", "--unset"}:
                environ.pop(value, None)
                changed.append(value)
            elif name in {"-C", "--chdir"}:
                directory = inside(directory, value)
        if options and options[-1][0] in _SPLIT:
            rest = (*_split(options[-1][1]), *rest)
        elif rest[:1] == ("-",):
            rest = ("-i", *rest[1:])
        else:
            break
    while rest and "=" in rest[0]:
        name, _, environ_value = rest[0].partition("=")
        environ[name] = environ_value
        changed.append(name)
        rest = rest[1:]
    for name in changed:
        if name.startswith("PYTHON"):
            doubt = doubt or f"`env` changes `{name}` for the command alone"
    return replace(line, words=rest, environ=environ, directory=directory, doubt=doubt)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []
