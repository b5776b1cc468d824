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

import asyncio
import functools
import inspect
import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar, cast

from capsulestore.analysis import Begun, begin, complete
from capsulestore.capture.files import path_text
from capsulestore.errors import CapsuleError, UsageError
from capsulestore.model.canonical import Json
from capsulestore.model.recordable import recordable
from capsulestore.recording import Description
from capsulestore.store import Place, opened

__all__ = ["Order", "Record", "Recording", "current", "record"]

_LOGGER: Final = logging.getLogger("capsulestore")
_BOUND: Final = frozenset({"self", "cls"})

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_Path = str | os.PathLike[str]

_running: ContextVar[tuple[Recording, ...]] = ContextVar("_running", default=())


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be recorded of an analysis, as `record` has it; without `parameters`, the arguments of a call.

    `observed` are more keys of the manifest, and `kept` more files of the capsule, by who sees more of the analysis.
    """

    title: str
    inputs: Sequence[_Path] = ()
    outputs: Sequence[_Path] = ()
    parameters: Mapping[str, Any] | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)
    parents: Sequence[str] = ()
    observed: Mapping[str, Json] = field(default_factory=dict)
    kept: Mapping[str, bytes] = field(default_factory=dict)
    layers: Collection[str] | None = None
    store: Place = None
    strict: bool = False


class Recording:
    """One analysis while it runs, and its capsule afterwards.

    While it runs, `inputs`, `outputs`, `parameters`, `labels` and `parents` may be added to; an input that is added is
    digested at the end. Afterwards `capsule_id` and `environment_digest` are 64 hex digits, `registered` says whether
    the capsule was new, and `remarks` says in words what could not be seen. Where recording failed they are None, and
    `error` is why.
    """

    def __init__(self, order: Order, parameters: Mapping[str, Any]) -> None:
        self.title = order.title
        self.inputs: list[_Path] = list(order.inputs)
        self.outputs: list[_Path] = list(order.outputs)
        self.parameters: dict[str, Any] = dict(parameters)
        self.labels: dict[str, Any] = dict(order.labels)
        self.parents: list[str] = list(order.parents)
        self.capsule_id: str | None = None
        self.environment_digest: str | None = None
        self.registered: bool | None = None
        self.remarks: tuple[str, ...] = ()
        self.error: Exception | None = None
        self._order = order
        self._begun: Begun | None = None

    def begin(self) -> None:
        """Find the store, and digest the inputs; called by what runs the analysis."""
        try:
            with opened(self._order.store) as store:
                self._begun = begin(store, [os.fspath(path) for path in self.inputs], strict=self._order.strict)
        except Exception as error:
            self._failed(error, raises=self._order.strict)

    def complete(self, failure: BaseException | None) -> None:
        """Register the capsule; called by what runs the analysis, once."""
        # A process that was forked within the analysis is not the one that runs it.
        if self._begun is None or self._begun.process != os.getpid():
            return
        try:
            self._complete(self._begun, failure)
        except Exception as error:
            self._failed(error, raises=self._order.strict and failure is None)

    def _complete(self, begun: Begun, failure: BaseException | None) -> None:
        with opened(begun.store) as store:
            later = [os.fspath(path) for path in self.inputs if os.fspath(path) not in begun.given]
            if later:
                more = begin(store, later, strict=False)
                begun = begun._replace(
                    given=(*begun.given, *more.given),
                    inputs=tuple(sorted({*begun.inputs, *more.inputs})),
                    remarks=(*begun.remarks, *more.remarks),
                )
            parameters, converted = recordable(self.parameters)
            labels, _ = recordable(self.labels)
            completed = complete(
                store,
                begun._replace(remarks=(*begun.remarks, *(f"parameter `{name}` became a text" for name in converted))),
                Description(
                    title=path_text(self.title),
                    parameters=cast("Mapping[str, Json]", parameters),
                    labels=cast("Mapping[str, Json]", labels),
                    parents=[store.resolve_capsule(name) for name in self.parents],
                    observed=self._order.observed,
                    kept=self._order.kept,
                ),
                outputs=[os.fspath(path) for path in self.outputs],
                failure=failure,
                layers=self._order.layers,
            )
        recorded = completed.recorded.as_dict()
        self.capsule_id, self.environment_digest = str(recorded["capsule_id"]), str(recorded["environment_digest"])
        self.registered = completed.recorded.new
        self.remarks = completed.remarks
        for remark in self.remarks:
            _LOGGER.warning("%s: %s", self.title, remark)
        _LOGGER.info("%s: capsule %s", self.title, self.capsule_id)

    def _failed(self, error: Exception, *, raises: bool) -> None:
        self.error = error
        if raises:
            raise error
        hint = f"; {error.hint}" if isinstance(error, CapsuleError) and error.hint else ""
        # What is no error of ours is a defect of ours: where it came from helps to mend it.
        unexpected = not isinstance(error, CapsuleError)
        _LOGGER.warning("%s: not recorded: %s%s", self.title, error, hint, exc_info=unexpected)


class Record:
    """Records what it is put around: a function (`@record(...)`), or the block of a `with` or an `async with`.

    A function may be a coroutine function; each call is an analysis of its own, and the recording of the latest
    call is the function's attribute `recording`.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._entered: list[tuple[Recording, Token[tuple[Recording, ...]]]] = []

    def __call__(self, function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
        """Return the function, recorded whenever it is called; raise `UsageError` for a generator function."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise UsageError(
                f"`{function.__qualname__}` yields: its analysis would end before it has begun",
                hint="record the statements that use it, with `with record(...)`",
            )
        # A call may be made while another runs: each has a record of its own.
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*arguments: _Parameters.args, **named: _Parameters.kwargs) -> Any:
                async with self._of_call(function, arguments, named) as recording:
                    awaited.recording = recording  # type: ignore[attr-defined]
                    return await function(*arguments, **named)

            return cast("Callable[_Parameters, _Result]", awaited)

        @functools.wraps(function)
        def called(*arguments: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
            with self._of_call(function, arguments, named) as recording:
                called.recording = recording  # type: ignore[attr-defined]
                return function(*arguments, **named)

        return called

    def __enter__(self) -> Recording:
        recording = Recording(self._order, self._order.parameters or {})
        recording.begin()
        self._push(recording)
        return recording

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pop().complete(error)

    async def __aenter__(self) -> Recording:
        recording = Recording(self._order, self._order.parameters or {})
        await asyncio.to_thread(recording.begin)
        self._push(recording)
        return recording

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._pop().complete, error)

    def _push(self, recording: Recording) -> None:
        self._entered.append((recording, _running.set((*_running.get(), recording))))

    def _pop(self) -> Recording:
        recording, token = self._entered.pop()
        # Entered and left in different contexts, as a generator may be, there is nothing to go back to.
        with suppress(ValueError):
            _running.reset(token)
        return recording

    def _of_call(self, function: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Record:
        if self._order.parameters is not None:
            return Record(self._order)
        return Record(replace(self._order, parameters=_arguments(function, arguments, named)))


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
    begins where that is possible, and never in place of the analysis's own exception.
    """
    if not isinstance(title, str) or not title:
        raise UsageError("an analysis needs a title to be recorded", hint='as in `@record("fit")`')
    return Record(
        Order(
            title=title,
            inputs=_several("inputs", inputs),
            outputs=_several("outputs", outputs),
            parameters=parameters,
            labels=labels or {},
            parents=_several("parents", parents),
            layers=layers,
            store=store,
            strict=strict,
        )
    )


def current() -> Recording | None:
    """Return the innermost analysis that is being recorded here, to add to it; None where there is none."""
    running = _running.get()
    return running[-1] if running else None


def _several(name: str, given: Sequence[Any]) -> Sequence[Any]:
    # A text is a sequence too, of characters.
    if isinstance(given, str | os.PathLike):
        raise UsageError(f"`{name}` is a list", hint=f'as in `{name}=["{os.fspath(given)}"]`')
    return tuple(given)


def _arguments(function: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call's arguments by name, with the defaults of those that are not given; none that do not fit."""
    try:
        bound = inspect.signature(function).bind(*arguments, **named)
    except (TypeError, ValueError):
        # The call itself will say so.
        return {}
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if name not in _BOUND}
