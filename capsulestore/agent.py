"""Records analyses by themselves: around a function, a block of statements, or what an agent decides to run.

    from capsulestore import record

    @record("fit", outputs=["fit.csv"])
    def fit(alpha: float) -> float: ...

    with record("fit", inputs=["data.csv"], parameters={"alpha": 0.1}) as run:
        ...
    run.capsule_id

A failure to record never destroys an analysis: it is logged to the logger `capsulestore`, with what to do.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import ContextVar, copy_context
from dataclasses import replace
from threading import get_ident
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar, cast

from capsulestore.capture.environment import check_layers_to_record
from capsulestore.errors import UsageError
from capsulestore.recording import arguments
from capsulestore.recording.within import Order, Recording
from capsulestore.store import Place

__all__ = ["Order", "Record", "Recording", "current", "record"]

_BOUND: Final = frozenset({"self", "cls"})

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_Path = str | os.PathLike[str]

_running: ContextVar[tuple[Recording, ...]] = ContextVar("_running", default=())


class Record:
    """Records what it is put around: a function (`@record(...)`), or the block of a `with` or an `async with`.

    A function may be a coroutine function; each call is an analysis of its own. The function's attribute `recording`
    is the recording of the call that began or ended last, None before the first.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._entered: list[tuple[Recording, int]] = []

    def __call__(self, function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
        """Return the function, recorded whenever it is called; raise `UsageError` for a generator function."""
        if isinstance(function, classmethod | staticmethod):
            return cast("Callable[_Parameters, _Result]", type(function)(self(function.__func__)))
        if not callable(function) or isinstance(function, type):
            raise UsageError("what is recorded is a function", hint="put `@record(...)` right above a `def`")
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise UsageError(
                f"`{getattr(function, '__qualname__', function)}` yields: its analysis would end before it has begun",
                hint="record the statements that use it, with `with record(...)`",
            )
        # A call may be made while another runs: each has a record of its own.
        if _is_coroutine_function(function):

            @functools.wraps(function)
            async def awaited(*positional: _Parameters.args, **named: _Parameters.kwargs) -> Any:
                async with self._of_call(function, positional, named) as recording:
                    _tell(awaited, recording)
                    try:
                        return await function(*positional, **named)  # type: ignore[misc]
                    finally:
                        _tell(awaited, recording)

            _tell(awaited, None)
            return cast("Callable[_Parameters, _Result]", awaited)

        @functools.wraps(function)
        def called(*positional: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
            with self._of_call(function, positional, named) as recording:
                _tell(called, recording)
                try:
                    result = function(*positional, **named)
                finally:
                    _tell(called, recording)
                if inspect.isawaitable(result) or inspect.isgenerator(result) or inspect.isasyncgen(result):
                    recording.give_up(_not_run_yet(result))
                return result

        _tell(called, None)
        return called

    def __enter__(self) -> Recording:
        recording = Recording(self._order)
        recording.begin()
        self._push(recording)
        return recording

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pop().complete(error)

    async def __aenter__(self) -> Recording:
        recording = Recording(self._order)
        await _apart(recording.begin)
        self._push(recording)
        return recording

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        recording = self._pop()
        await _apart(functools.partial(recording.complete, error))

    def _push(self, recording: Recording) -> None:
        _running.set((*_still_running(), recording))
        self._entered.append((recording, get_ident()))

    def _pop(self) -> Recording:
        """Return the recording that ends: of several threads or tasks that are within this, it is this one's."""
        running = _still_running()
        here = {id(recording) for recording in running}
        # Left in another context than it was entered in, as by a generator, it is at least this thread's.
        entered = next(
            (one for one in reversed(self._entered) if id(one[0]) in here),
            next((one for one in reversed(self._entered) if one[1] == get_ident()), self._entered[-1]),
        )
        self._entered.remove(entered)
        _running.set(tuple(one for one in running if one is not entered[0]))
        return entered[0]

    def _of_call(self, function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> Record:
        if self._order.parameters is not None:
            return Record(self._order)
        return Record(replace(self._order, parameters=_arguments(function, positional, named)))


def record(  # noqa: PLR0913  (each says another thing of the analysis)
    title: str,
    *,
    inputs: Sequence[_Path] = (),
    outputs: Sequence[_Path] = (),
    parameters: Mapping[str, Any] | None = None,
    labels: Mapping[str, Any] | None = None,
    parents: Sequence[str] = (),
    layers: Collection[str] | None = None,
    store: Place = None,
    strict: bool = False,
) -> Record:
    """Return what records an analysis when it completes: a decorator, and a context manager that gives a `Recording`.

    `inputs` (digested at the beginning) and `outputs` (at the end) are paths and patterns (glob, with `**`), from the
    working directory at the beginning. `parameters` and `labels` may hold anything; what JSON cannot hold becomes a
    text. Without `parameters`, those of a function are the arguments it is called with. `parents` are names of capsules
    that this one derives from. `layers` restricts what is captured. Without `store`, it is found as the commands do.

    The capsule holds the environment as it is when the analysis completes, the distributions it really imported, the
    state of the numeric libraries, and its code. An exception makes a capsule with the status `failed`, and goes on.
    What keeps the analysis from being recorded is logged; with `strict` it is raised instead, before the analysis
    begins where that is possible, and never in place of the analysis's own exception. Raise `UsageError` at once for
    arguments that make no sense.
    """
    for name, given in (("parameters", parameters), ("labels", labels)):
        if given is not None and not isinstance(given, Mapping):
            raise UsageError(f"`{name}` is a mapping, not `{type(given).__name__}`")
    if layers is not None:
        layers = frozenset(arguments.texts("layers", layers))
        check_layers_to_record(layers)
    return Record(
        Order(
            title=arguments.title(title),
            inputs=arguments.paths("inputs", inputs),
            outputs=arguments.paths("outputs", outputs),
            parameters=parameters,
            labels=labels or {},
            parents=arguments.texts("parents", parents),
            layers=layers,
            store=store,
            strict=strict,
        )
    )


def current() -> Recording | None:
    """Return the innermost analysis that is being recorded here, to add to it; None where there is none.

    A task and `asyncio.to_thread` are within the analysis that started them, a thread is not.
    """
    running = _still_running()
    return running[-1] if running else None


def _still_running() -> list[Recording]:
    # What was begun here may have ended elsewhere.
    return [recording for recording in _running.get() if not recording.ended]


async def _apart(work: Callable[[], None]) -> None:
    """Do what waits for disks in a thread, that the event loop goes on meanwhile.

    In one of its own: those that the loop has may all be waiting for the analysis that begins.
    """
    import asyncio  # noqa: PLC0415  (who is here has loaded it)
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    thread = ThreadPoolExecutor(1, "capsulestore")
    try:
        started = asyncio.get_running_loop().run_in_executor(thread, copy_context().run, work)
    except RuntimeError:
        # Another event loop than asyncio's, or one that is being closed.
        work()
        return
    finally:
        thread.shutdown(wait=False)
    await started


def _not_run_yet(result: object) -> UsageError:
    return UsageError(
        f"what was called gave back a `{type(result).__name__}`, whose analysis has not run yet",
        hint="put `@record(...)` right above the `def`, below other decorators",
    )


def _is_coroutine_function(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _tell(function: Any, recording: Recording | None) -> None:
    function.recording = recording


def _arguments(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call's arguments by name, with the defaults of those that are not given; none that do not fit."""
    try:
        bound = inspect.signature(function).bind(*positional, **named)
    except Exception:
        # The call itself will say so.
        return {}
    bound.apply_defaults()
    given = dict(bound.arguments)
    first, is_method = next(iter(given), ""), "." in getattr(function, "__qualname__", "").rpartition("<locals>.")[2]
    if first in _BOUND and is_method:
        del given[first]
    return given
