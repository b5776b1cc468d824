"""One analysis: what is to be recorded of it, and what was."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from capsulestore.errors import CapsuleError, UsageError
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.recordable import MAX_MEMBERS, in_words, recordable
from capsulestore.recording import arguments
from capsulestore.recording.analysis import Begun, begin, complete, working_directory
from capsulestore.recording.capsule import Description
from capsulestore.store import Place, Store, opened

__all__ = ["Order", "Recording"]

_LOGGER: Final = logging.getLogger("capsulestore")

_Path = str | os.PathLike[str]
_Converted = tuple[Json, tuple[str, ...]]


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

    While it runs, `title`, `inputs`, `outputs`, `parameters`, `labels` and `parents` may be changed and added to; an
    input that is added is digested at the end, a parameter is as it was when the analysis began unless it is replaced.
    Afterwards `capsule_id` and `environment_digest` are 64 hex digits, `registered` says whether the capsule was new,
    and `remarks` says in words what could not be seen. Where recording failed they are None, and `error` is why. A
    process that is forked meanwhile has a recording of its own, which nobody registers. `ended` says that the analysis
    has.
    """

    def __init__(self, order: Order) -> None:
        self.title = order.title
        self.inputs: list[_Path] = list(order.inputs)
        self.outputs: list[_Path] = list(order.outputs)
        self.parameters: dict[str, Any] = dict(order.parameters or {})
        self.labels: dict[str, Any] = dict(order.labels)
        self.parents: list[str] = list(order.parents)
        self.capsule_id: str | None = None
        self.environment_digest: str | None = None
        self.registered: bool | None = None
        self.remarks: tuple[str, ...] = ()
        self.error: BaseException | None = None
        self.ended = False
        self._order = order
        self._begun: Begun | None = None
        self._converted: dict[str, tuple[Any, _Converted]] = {}
        self._resolved: dict[str, Digest] = {}
        self._noticed: list[str] = []

    def __repr__(self) -> str:
        state = f"capsule {self.capsule_id}" if self.capsule_id else "not recorded" if self.ended else "running"
        return f"<Recording {self.title!r}: {state}>"

    def begin(self) -> None:
        """Find the store, and digest the inputs; called by what runs the analysis."""
        strict = self._order.strict
        try:
            # The analysis may change what it is given.
            for name, value in self._members("parameters"):
                self._converted[name] = value, recordable(value)
            directory = working_directory()
            with opened(self._order.store) as store:
                list(self._parents(store, strict=strict))
                self._begun = begin(store, directory, list(self._paths("inputs")), strict=strict)
        except Exception as error:
            self._failed(error, raises=strict)

    def complete(self, failure: BaseException | None) -> None:
        """Register the capsule; called by what runs the analysis, once."""
        begun, self._begun = self._begun, None
        self.ended = True
        # A process that was forked within the analysis is not the one that runs it.
        if begun is None or begun.process != os.getpid():
            return
        try:
            self._complete(begun, failure)
        except Exception as error:
            self._failed(error, raises=self._order.strict and failure is None)
        except BaseException as interrupt:
            self.error = interrupt
            _LOGGER.warning("%s: not recorded: %s", self.title, "interrupted")
            raise
        finally:
            # Whoever holds the recording does not hold what the analysis was given.
            self._converted.clear()
            self._order = replace(self._order, parameters=None, labels={})

    def give_up(self, problem: UsageError) -> None:
        """Register nothing of what turned out not to be an analysis, and say why."""
        self._begun = None
        self._failed(problem, raises=self._order.strict)

    def _complete(self, begun: Begun, failure: BaseException | None) -> None:
        with opened(begun.store) as store:
            description = Description(
                title=str(recordable(self.title)[0]) or self._order.title,
                parameters=self._mapping("parameters", self._converted),
                labels=self._mapping("labels", {}),
                parents=list(self._parents(store, tell=True)),
                observed=self._order.observed,
                kept=self._order.kept,
            )
            inputs, outputs = list(self._paths("inputs")), list(self._paths("outputs"))
            completed = complete(
                store,
                begun._replace(remarks=(*begun.remarks, *self._noticed)),
                description,
                inputs=inputs,
                outputs=outputs,
                failure=failure,
                layers=self._order.layers,
            )
        self.parameters, self.labels = dict(description.parameters), dict(description.labels)
        recorded = completed.recorded.as_dict()
        self.capsule_id, self.environment_digest = str(recorded["capsule_id"]), str(recorded["environment_digest"])
        self.registered = completed.recorded.new
        self.remarks = completed.remarks
        for remark in self.remarks:
            _LOGGER.warning("%s: %s", description.title, remark)
        _LOGGER.info("%s: capsule %s", description.title, self.capsule_id)

    def _members(self, which: str) -> list[tuple[str, Any]]:
        members = getattr(self, which)
        if len(members) > MAX_MEMBERS:
            self._notice(f"more than {MAX_MEMBERS} {which}: none is recorded")
            return []
        return list(members.items())

    def _mapping(self, which: str, converted: Mapping[str, tuple[Any, _Converted]]) -> dict[str, Json]:
        """Return the parameters or labels as JSON; of a value that is the one that was converted before, that."""
        found: dict[str, Json] = {}
        texts: list[str] = []
        for name, value in self._members(which):
            known = converted.get(name)
            plain, places = known[1] if known and known[0] is value else recordable(value)
            # A key may be anything, and two of them the same text.
            (key,) = cast("dict[str, Json]", recordable({name: None})[0])
            while key in found:
                key += "'"
            found[key] = plain
            texts += [f"{key}{place}" if place[:1] in {"", "["} else f"{key}/{place}" for place in places]
        for line in in_words(which, texts):
            self._notice(line)
        return found

    def _paths(self, which: str) -> Iterator[str]:
        for path in getattr(self, which):
            try:
                text = os.fsdecode(path)
            except TypeError:
                text = "\0"
            if "\0" in text:
                self._notice(f"among the {which} is what can be no path: a `{type(path).__qualname__}`")
            else:
                yield text

    def _parents(self, store: Store, *, strict: bool = False, tell: bool = False) -> Iterator[Digest]:
        """Yield the capsules that are named as parents, each what its name stood for when it was first found."""
        for name in self.parents:
            try:
                text = arguments.text("parents", name)
                if text not in self._resolved:
                    self._resolved[text] = store.resolve_capsule(text)
            except CapsuleError as problem:
                if strict:
                    raise
                if tell:
                    self._notice(f"a parent is not recorded: {problem.message}")
            else:
                yield self._resolved[text]

    def _notice(self, remark: str) -> None:
        if remark not in self._noticed:
            self._noticed.append(remark)

    def _failed(self, error: Exception, *, raises: bool) -> None:
        self.error = error
        if raises:
            raise error
        hint = f"; {error.hint}" if isinstance(error, CapsuleError) and error.hint else ""
        # What is no error of ours is a defect of ours: where it came from helps to mend it.
        unexpected = not isinstance(error, CapsuleError)
        _LOGGER.warning("%s: not recorded: %s%s", self.title, error, hint, exc_info=unexpected)
