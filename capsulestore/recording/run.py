"""Runs an analysis and registers what was seen of it: a capsule of a run, whatever the run came to."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from capsulestore.capture.artifacts import Artifact, digest_inputs, digest_outputs
from capsulestore.capture.cache import Cache
from capsulestore.capture.code import Code, capture_code
from capsulestore.capture.command import Started, sources_named, started_by, starting_directory
from capsulestore.capture.environment import Capture, capture, check_layers_to_record
from capsulestore.capture.files import path_text
from capsulestore.capture.finding import Finding
from capsulestore.capture.target import Target
from capsulestore.errors import CapsuleError
from capsulestore.model.canonical import Json
from capsulestore.model.redaction import redact_arguments, redact_text
from capsulestore.recording.capsule import Description, Recorded, Surroundings, record
from capsulestore.recording.execution import Execution, execute
from capsulestore.recording.seen import NO_CODE, Remarks, observed
from capsulestore.store import Store

if TYPE_CHECKING:
    from capsulestore.capture.imports import Tracing

__all__ = ["Observed", "Order", "observe"]

_ENDING: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


class Order(NamedTuple):
    """What is to be run and recorded.

    `target` is the interpreter to capture, else the one that the command starts. `inputs` and `outputs` are paths or
    patterns (glob, with `**`), digested before and after. `description` is what people say; without a title it is the
    command line.
    """

    command: Sequence[str]
    environ: Mapping[str, str]
    description: Description
    target: Target | None = None
    layers: Collection[str] | None = None
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    trace_imports: bool = False


class Observed(NamedTuple):
    """A run: how it ended, what was noticed, and what a reader should know of it in words.

    `recorded` is the capsule, or the error that kept it from being registered.
    """

    recorded: Recorded | CapsuleError
    execution: Execution
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...]


def observe(store: Store, order: Order, *, cache: Cache) -> Observed:
    """Run a command as the shell would, and register what was seen of it; return when both are done.

    Before it starts the store is found writable, the inputs are digested, and environment and code are captured; after
    it has ended, the environment is captured once more, to tell whether it changed, and the outputs are digested. A
    launcher may make the environment only then (`uv run`): in that case, what counts is what is there afterwards.

    What stands in the way before the command starts is raised, and nothing was run: what `digest_inputs`, `capture`
    for a layer that there is none of, `Store.check_writable` and `execute` raise. Nothing is raised once it has run:
    what cannot be seen is left out and said in `remarks`, and an error of registering is part of the answer.
    """
    seen = _Seeing(store, order, cache)
    with ExitStack() as stack:
        tracing = None
        if order.trace_imports:
            from capsulestore.capture.imports import tracing as traced  # noqa: PLC0415

            tracing = stack.enter_context(traced(order.environ))
        execution = execute(order.command, environ=tracing.environ if tracing else order.environ)
        with _signals_held():
            return seen.registered(execution, tracing)


class _Seeing:
    """What was seen before a command ran, to which comes what is seen afterwards."""

    def __init__(self, store: Store, order: Order, cache: Cache) -> None:
        check_layers_to_record(order.layers)
        store.check_writable()
        self._store = store
        self._order = order
        self._cache = cache
        # The command may remove it.
        self._directory = os.getcwd()
        self._remarks = Remarks()
        self._inputs = digest_inputs(order.inputs, root=store.root)
        self._started = self._what_starts()
        self._before = None if self._started.prepares else self._captured(self._started)
        self._code = self._captured_code(self._before) if self._before else None

    def registered(self, execution: Execution, tracing: Tracing | None) -> Observed:
        """Capture what is there after the command, and register all of it."""
        order = self._order
        again = self._started if self._before else self._what_starts()
        after = self._captured(again)
        found = self._before or after
        code = self._code or self._captured_code(found)
        loaded = None
        if tracing and (imported := self._imported(tracing, found)):
            loaded, modules = imported
            code = code.with_files(modules, root=self._store.root)
        if again.guessed and again.target:
            self._remarks.add(f"looked at `{again.target.python}`, which is guessed: {again.reason}")
        description = order.description._replace(
            title=order.description.title or shlex.join(redact_arguments(list(map(path_text, order.command)))[0]),
            inputs=self._inputs,
            outputs=self._outputs(),
            observed=observed(
                command=order.command,
                directory=self._directory,
                root=self._store.root,
                run=self._run(execution, after),
                status="completed" if execution.status == 0 else "failed",
                script=self._script(),
                loaded=loaded,
                code=code,
            ),
            kept=code.kept,
        )
        recorded: Recorded | CapsuleError
        try:
            recorded = record(self._store, self._surroundings(found, again), description)
        except CapsuleError as error:
            recorded = error
        findings = (*(found.findings if found else ()), *code.findings)
        return Observed(recorded=recorded, execution=execution, findings=findings, remarks=tuple(self._remarks))

    def _run(self, execution: Execution, after: Capture | None) -> dict[str, Json]:
        run: dict[str, Json] = {
            "started_at": execution.started_at.isoformat(),
            "finished_at": execution.finished_at.isoformat(),
            "exit_code": execution.status,
        }
        if self._before and after:
            run["environment_changed"] = self._before.environment != after.environment
            if run["environment_changed"]:
                self._remarks.add("the environment changed while the command ran; recorded as it was before")
        return run

    def _what_starts(self) -> Started:
        order = self._order
        started = started_by(order.command, environ=order.environ, directory=self._directory)
        return started._replace(target=order.target, prepares=False) if order.target else started

    def _script(self) -> str | None:
        """Return the script, where one is there: another name is the command's to complain of, and may be a url."""
        script = self._started.script
        return script if script is not None and os.path.isfile(script) else None

    def _captured(self, started: Started) -> Capture | None:
        if started.target is None:
            return None
        environ = self._order.environ if started.environ is None else started.environ
        with self._remarks.instead("the environment"):
            return capture(started.target, layers=self._order.layers, environ=environ, cache=self._cache)
        return None

    def _captured_code(self, found: Capture | None) -> Code:
        order = self._order
        with self._remarks.instead("the code"):
            return capture_code(
                found.live if found else (),
                directory=self._directory,
                root=self._store.root,
                declared=[*order.inputs, *order.outputs],
                script=self._script(),
                starts_in=starting_directory(order.command, self._started, self._directory),
                modules=[
                    path for path in sources_named(order.command, self._directory) if path != self._started.script
                ],
            )
        return NO_CODE

    def _imported(self, tracing: Tracing, found: Capture | None) -> tuple[Sequence[str], Collection[str]] | None:
        """Return the distributions and the analysis's own modules that were imported; None where not all was seen."""
        from capsulestore.capture.imports import distributions_and_modules  # noqa: PLC0415

        traced = tracing.files()
        if traced.problem:
            self._remarks.add(f"what was imported is not recorded: {traced.problem}")
            return None
        if found is None or not traced.saw(found.interpreter.prefix):
            self._remarks.add("what was imported is not recorded: the interpreter was not seen to start")
            return None
        return distributions_and_modules(traced, found.interpreter, found.live, cache=self._cache)

    def _outputs(self) -> list[Artifact]:
        found, problems = digest_outputs(self._order.outputs, root=self._store.root)
        for problem in problems:
            self._remarks.add(problem)
        return found

    def _surroundings(self, found: Capture | None, started: Started) -> Surroundings:
        if found is not None:
            return Surroundings.of(found)
        reason = redact_text(started.reason or "the interpreter did not answer")[0]
        if not any(remark.startswith("the environment is not recorded") for remark in self._remarks):
            self._remarks.add(f"the environment is not recorded: {reason}")
        return Surroundings.unknown(reason)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Hold back for the block what would end this process, and with it the record of what has been run.

    Whoever presses Ctrl-C to end the command presses it twice; a batch system says SIGTERM to all of a job.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
