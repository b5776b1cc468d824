"""Records an analysis that runs in this process: what went in is digested at its beginning, the rest at its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from capsulestore.capture.artifacts import Artifact, digest_inputs, digest_outputs, recorded_path
from capsulestore.capture.cache import users_cache
from capsulestore.capture.code import Code, capture_code
from capsulestore.capture.environment import Capture, capture
from capsulestore.capture.files import path_text
from capsulestore.capture.host import NUMERIC_LIBRARIES
from capsulestore.capture.imports import distributions_and_modules, imported_here
from capsulestore.capture.numeric import numeric_libraries
from capsulestore.capture.own_environ import own_environ
from capsulestore.capture.target import running
from capsulestore.errors import CapsuleError, FileProblem, InterpreterProblem
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState
from capsulestore.recording import Description, Recorded, Surroundings, record
from capsulestore.store import Store

__all__ = ["Begun", "Completed", "begin", "complete"]

_RECORDER: Final = "capsulestore"
_RECORDERS_MODULES: Final = os.path.dirname(os.path.abspath(__file__)) + os.sep
"""What is loaded to record, and so no part of the analysis."""


class Begun(NamedTuple):
    """An analysis that runs: its store and working directory, by their paths, its inputs, and when it began (UTC)."""

    store: str
    directory: str
    started_at: datetime
    given: tuple[str, ...]
    inputs: tuple[Artifact, ...]
    process: int
    remarks: tuple[str, ...] = ()


class Completed(NamedTuple):
    """The capsule of an analysis, and in words what could not be seen."""

    recorded: Recorded
    remarks: tuple[str, ...]


def begin(store: Store, inputs: Sequence[str], *, strict: bool) -> Begun:
    """Note that an analysis begins, whose capsule will be registered in a store that may be written.

    `inputs` are paths and patterns. One that cannot be digested is told and left out; with `strict`, `FileProblem` is
    raised. Raise `StoreUnwritable`.
    """
    store.check_writable()
    found: set[Artifact] = set()
    remarks = []
    for one in inputs:
        try:
            found.update(digest_inputs([one], root=store.root))
        except FileProblem as problem:
            if strict:
                raise
            remarks.append(f"an input is not recorded: {problem.message}")
    return Begun(
        store=store.path,
        directory=os.getcwd(),
        started_at=datetime.now(UTC),
        given=tuple(inputs),
        inputs=tuple(sorted(found)),
        process=os.getpid(),
        remarks=tuple(remarks),
    )


def complete(  # noqa: PLR0913  (each says another thing of the analysis)
    store: Store,
    begun: Begun,
    description: Description,
    *,
    outputs: Sequence[str] = (),
    failure: BaseException | None = None,
    layers: Collection[str] | None = None,
) -> Completed:
    """Register the capsule of an analysis that has ended, by `failure` where it raised.

    The environment is the one that this process has now, with the distributions and the code that it really imported,
    and the state of the numeric libraries. `outputs` are paths and patterns, from the directory it began in. What
    cannot be seen is left out and told. Raise what `record` raises.
    """
    finished_at = datetime.now(UTC)
    digested, problems = digest_outputs((os.path.join(begun.directory, output) for output in outputs), root=store.root)
    remarks = [*begun.remarks, *problems]
    found = _captured(layers, remarks)
    failed = failure is not None and not _is_success(failure)
    observed: dict[str, Json] = {
        "command": [path_text(word) for word in sys.orig_argv],
        "working_directory": recorded_path(begun.directory, store.root),
        "run": _run(begun.started_at, finished_at, failure if failed else None),
        "status": "failed" if failed else "completed",
    }
    script = _script(found)
    if script:
        observed["entry_point"] = recorded_path(script, store.root)
    code = _code(begun, found, script, outputs, store.root, remarks)
    if found:
        loaded, modules = distributions_and_modules(imported_here(), found.interpreter, found.live)
        observed["loaded"] = [name for name in loaded if name != _RECORDER]
        own = [module for module in modules if not module.startswith(_RECORDERS_MODULES)]
        code = code.with_files(own, root=store.root)
    if said := code.as_json():
        observed["code"] = said
    remarks += [f"{finding.subject}: {finding.message}" for finding in code.findings if finding.incomplete]
    recorded = record(
        store,
        _surroundings(found),
        description._replace(
            inputs=begun.inputs,
            outputs=digested,
            observed={**observed, **description.observed},
            kept={**code.kept, **description.kept},
        ),
    )
    return Completed(recorded, tuple(remarks))


def _is_success(failure: BaseException) -> bool:
    """Whether an exception ends a program well: `sys.exit()` and `sys.exit(0)` raise one."""
    return isinstance(failure, SystemExit) and failure.code in {None, 0}


def _run(started_at: datetime, finished_at: datetime, failure: BaseException | None) -> dict[str, Json]:
    run: dict[str, Json] = {"started_at": started_at.isoformat(), "finished_at": finished_at.isoformat()}
    if failure is not None:
        # Not its message: it may hold anything, secrets included.
        run["exception"] = type(failure).__qualname__
    return run


def _captured(layers: Collection[str] | None, remarks: list[str]) -> Capture | None:
    try:
        found = capture(running(), layers=layers, environ=own_environ(), cache=users_cache())
    except InterpreterProblem as problem:
        remarks.append(f"the environment is not recorded: {problem.message}")
        return None
    remarks += [f"{finding.subject}: {finding.message}" for finding in found.findings if finding.incomplete]
    return found


def _surroundings(found: Capture | None) -> Surroundings:
    if found is None:
        unknown = LayerState("unknown", "the running program does not know its interpreter")
        return Surroundings(environment={}, layers={"python": unknown})
    layer, collection = NUMERIC_LIBRARIES
    context: Mapping[str, Json] = found.context
    told = context.get(layer)
    if isinstance(told, dict) and (libraries := numeric_libraries()):
        context = {**context, layer: {**told, collection: libraries}}
    return Surroundings.of(found)._replace(context=context)


def _script(found: Capture | None) -> str | None:
    """Return the file that this process runs, where it is the analysis's own.

    An interactive session and `-c` have none; a notebook's kernel and pytest are in the environment.
    """
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    if not isinstance(path, str) or not os.path.isfile(path):
        return None
    path = os.path.abspath(path)
    installed = (*(found.interpreter.site_directories if found else ()), os.path.join(sys.prefix, "bin"))
    return None if any(path.startswith(f"{directory}{os.sep}") for directory in installed) else path


def _starts_in(script: str | None, directory: str) -> str | None:
    """Return the directory that is on the search path for the program: the script's, with `-m` the working one."""
    if script is None:
        return None
    return directory if getattr(sys.modules["__main__"], "__spec__", None) else os.path.dirname(script)


def _code(  # noqa: PLR0913, PLR0917  (each says another thing of the analysis)
    begun: Begun, found: Capture | None, script: str | None, outputs: Sequence[str], root: str, remarks: list[str]
) -> Code:
    try:
        return capture_code(
            found.live if found else (),
            directory=begun.directory,
            root=root,
            declared=[*begun.given, *outputs],
            script=script,
            starts_in=_starts_in(script, begun.directory),
        )
    except (CapsuleError, OSError) as problem:
        remarks.append(f"the code is not recorded: {problem}")
        return Code((), (), {}, ())
