"""The flag `--capture-capsule` of a command of click."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

import click

from capsulestore.capture_flag.script import Script, warn

__all__ = ["with_flag"]

Callback = Callable[..., Any]

_wanted: WeakSet[click.Context] = WeakSet()
"""The contexts of commands that were given the flag: it is no parameter of the callback's."""


def with_flag(script: Script) -> Callable[[Any], Any]:
    """Return a decorator of a command, or of a callback that will be one."""
    flag = click.option(
        "--capture-capsule",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Record this run as a capsule.",
    )

    def decorated(function: Any) -> Any:
        if isinstance(function, click.Command):
            if function.callback is not None:
                function.callback = _recordable(function.callback, script)
            return flag(function)
        return flag(_recordable(function, script))

    return decorated


def _remember(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        _wanted.add(ctx)


def _recordable(function: Callback, script: Script) -> Callback:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*arguments: Any, **named: Any) -> Any:
            with _recorded(script):
                return await function(*arguments, **named)

        return awaited

    @functools.wraps(function)
    def called(*arguments: Any, **named: Any) -> Any:
        with _recorded(script):
            return function(*arguments, **named)

    return called


@contextmanager
def _recorded(script: Script) -> Iterator[None]:
    """Record the statements of a block, where the command that is being run was given the flag."""
    ctx = click.get_current_context(silent=True)
    if ctx is None or ctx not in _wanted:
        yield
        return
    if isinstance(ctx.command, click.Group):
        warn(f"{ctx.command_path}: not recorded: it holds commands, each of which needs the option itself")
        yield
        return
    unseen = {parameter.name for parameter in ctx.command.params if getattr(parameter, "hide_input", False)}
    parameters = {name: value for name, value in ctx.params.items() if name not in unseen}
    running = script.begin(ctx.command_path, parameters)
    try:
        yield
    except click.exceptions.Exit as end:
        running.end(end if end.exit_code else None)
        raise
    except BaseException as failure:
        running.end(failure)
        raise
    running.end(None)
