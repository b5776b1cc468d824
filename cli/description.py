"""What is said of an analysis on a command line: its title, inputs and outputs, parameters, labels, parents."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from capsulestore.capture.files import path_text
from capsulestore.errors import InvalidValue, UsageError
from capsulestore.model.canonical import check
from capsulestore.model.json_text import parse_json

from .candidates import complete_name
from .command import FILE

if TYPE_CHECKING:
    from capsulestore.recording.capsule import Description
    from capsulestore.store import Store

__all__ = ["described", "description_options", "parse_json", "result_options"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def description_options(function: _Function) -> _Function:
    """Give a command that registers a capsule the options that say what it is: those that `described` takes."""
    return _with(function, _TITLE, *_FILES, *_FACTS)


def result_options(function: _Function) -> _Function:
    """Give a command that is told of results as its arguments the same options, but `--input` and `--output`."""
    return _with(function, _TITLE, *_FACTS)


def described(  # noqa: PLR0913  (one parameter for each option)
    store: Store | None,
    title: str,
    *,
    param: dict[str, Any],
    param_json: dict[str, Any],
    label: dict[str, Any],
    parents: tuple[str, ...],
) -> Description:
    """Return what the options say, but for inputs and outputs; a parent is one of the store's, where there is one."""
    from capsulestore.recording.capsule import Description

    if both := param.keys() & param_json.keys():
        raise UsageError(f"the parameter `{min(both)}` is given as text and as JSON")
    return Description(
        title=path_text(title),
        parameters=param | param_json,
        labels=label,
        parents=[store.resolve_capsule(name) for name in parents] if store else (),
    )


def _pairs(
    parse: Callable[[str], Any],
) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], dict[str, Any]]:
    """Return a callback that reads `KEY=VALUE` options into a mapping."""

    def read(_: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
        from capsulestore.recording.pairs import read_pairs

        option = parameter.opts[0]
        pairs: dict[str, Any] = {}
        for key, text in read_pairs(option, map(path_text, given)).items():
            try:
                pairs[key] = parse(text)
                check({key: pairs[key]})
            except (ValueError, RecursionError, InvalidValue) as error:
                raise UsageError(f"`{option} {key}={text}`: {error}") from None
        return pairs

    return read


def _with(function: _Function, *options: Callable[[_Function], _Function]) -> _Function:
    for option in reversed(options):
        function = option(function)
    return function


_TITLE: Final = click.option("-m", "--message", "title", metavar="TITLE", help="What to call the capsule.")
_FILES: Final = (
    click.option(
        "--input",
        "inputs",
        metavar="PATH",
        type=FILE,
        multiple=True,
        help="A file that went in, or a directory of such (repeatable).",
    ),
    click.option(
        "--output",
        "outputs",
        metavar="PATH",
        type=FILE,
        multiple=True,
        help="A file that came out, or a directory of such (repeatable).",
    ),
)
_FACTS: Final = (
    click.option(
        "--param",
        metavar="K=V",
        multiple=True,
        callback=_pairs(str),
        help="A parameter, as text (repeatable).",
    ),
    click.option(
        "--param-json",
        metavar="K=V",
        multiple=True,
        callback=_pairs(parse_json),
        help="A parameter, as JSON (repeatable).",
    ),
    click.option("--label", metavar="K=V", multiple=True, callback=_pairs(str), help="A label (repeatable)."),
    click.option(
        "--parent",
        "parents",
        metavar="NAME",
        multiple=True,
        shell_complete=complete_name,
        help="A capsule that this one derives from (repeatable).",
    ),
)
