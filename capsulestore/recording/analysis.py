"""Records an analysis that runs in this process: what went in is digested at its beginning, the rest at its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Final, NamedTuple

from capsulestore.capture.artifacts import Artifact, digest_inputs, digest_outputs
from capsulestore.capture.cache import Cache, users_cache
from capsulestore.capture.code import Code, capture_code
from capsulestore.capture.environment import Capture, capture
from capsulestore.capture.host import NUMERIC_LIBRARIES
from capsulestore.capture.imports import archive_of, distributions_and_modules, imported_here
from capsulestore.capture.numeric import numeric_libraries
from capsulestore.capture.own_environ import own_environ
from capsulestore.capture.target import running
from capsulestore.errors import FileProblem
from capsulestore.model.canonical import Json
from capsulestore.model.recordable import recordable
from capsulestore.recording.capsule import Description, Recorded, Surroundings, record
from capsulestore.recording.redacted import said_of_redaction
from capsulestore.recording.seen import NO_CODE, Remarks, observed
from capsulestore.store import Store

__all__ = ["Begun", "Completed", "Unseen", "begin", "complete", "working_directory"]

_RECORDER: Final = "capsulestore"
_NEEDED_TO_RECORD: Final = frozenset({"dulwich", "orjson", "rfc8785", "threadpoolctl"})
"""What is imported in order to record, at the latest when this is over: so a first analysis is as the next."""


class Unseen(BaseException):
    """Stands for the end of an analysis that nobody has seen: its capsule does not say how it ended."""


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


def working_directory() -> str:
    """Return the working directory by its real path; raise `FileProblem` where it was removed."""
    try:
        return os.getcwd()
    except OSError as error:
        raise FileProblem("the working directory is not there any more", hint="change to one that is") from error


def begin(store: Store, directory: str, inputs: Sequence[str], *, strict: bool) -> Begun:
    """Note that an analysis begins in a directory, whose capsule will be registered in a store that may be written.

    `inputs` are paths and patterns from there. One that cannot be digested is told and left out; with `strict`,
    `FileProblem` is raised. Raise `StoreUnwritable`.
    """
    store.check_writable()
    remarks = Remarks()
    found = _inputs(inputs, directory, store.root, remarks if not strict else None)
    return Begun(
        store=store.path,
        directory=directory,
        started_at=datetime.now(UTC),
        given=tuple(inputs),
        inputs=found,
        process=os.getpid(),
        remarks=tuple(remarks),
    )


def complete(  # noqa: PLR0913  (each says another thing of the analysis)
    store: Store,
    begun: Begun,
    description: Description,
    *,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    failure: BaseException | None = None,
    layers: Collection[str] | None = None,
) -> Completed:
    """Register the capsule of an analysis that has ended, by `failure` where it raised (`Unseen` where nobody knows).

    The environment is the one that this process has now, with the distributions and the code that it really imported,
    and the state of the numeric libraries. `inputs` that were not known at the beginning, and `outputs`, are paths and
    patterns from the directory it began in. What cannot be seen is left out and told. Raise what `record` raises.
    """
    finished_at = datetime.now(UTC)
    remarks = Remarks(begun.remarks)
    later = _inputs([one for one in inputs if one not in begun.given], begun.directory, store.root, remarks)
    digested, problems = digest_outputs((_from(begun.directory, output) for output in outputs), root=store.root)
    for problem in problems:
        remarks.add(problem)
    kept = users_cache().at_one_moment()
    found = _captured(layers, kept, remarks)
    is_seen = not isinstance(failure, Unseen)
    failed = is_seen and failure is not None and not _is_success(failure)
    script = _script(found)
    code = _code(begun, found, script, [*inputs, *outputs], store.root, remarks)
    loaded = None
    if found:
        imported, modules = distributions_and_modules(imported_here(), found.interpreter, found.live, cache=kept)
        loaded = sorted({*imported, *_needed(found)} - {_RECORDER})
        code = code.with_files(modules, root=store.root)
    for finding in (*(found.findings if found else ()), *code.findings):
        if finding.incomplete:
            remarks.add(f"{finding.subject}: {finding.message}")
    told = observed(
        command=sys.orig_argv,
        directory=begun.directory,
        root=store.root,
        run=_run(begun.started_at, finished_at, failure if failed else None),
        status=("failed" if failed else "completed") if is_seen else None,
        script=script,
        loaded=loaded,
        code=code,
    )
    recorded = record(
        store,
        _surroundings(found),
        description._replace(
            inputs=tuple(sorted({*begun.inputs, *later})),
            outputs=digested,
            observed={**told, **description.observed},
            kept={**code.kept, **description.kept},
        ),
    )
    if said := said_of_redaction(recorded):
        remarks.add(said)
    return Completed(recorded, tuple(remarks))


def _inputs(given: Iterable[str], directory: str, root: str, remarks: Remarks | None) -> tuple[Artifact, ...]:
    """Return the files that paths and patterns from a directory name; without `remarks`, raise what is wrong."""
    found: set[Artifact] = set()
    for one in given:
        with remarks.instead("an input") if remarks is not None else nullcontext():
            found.update(digest_inputs([_from(directory, one)], root=root))
    return tuple(sorted(found))


def _from(directory: str, path: str) -> str:
    """Return a path from a directory, which is a real path and may have been removed: `..` leads out of it even so."""
    while path.startswith("../"):
        directory, path = os.path.dirname(directory), path.removeprefix("../").lstrip("/")
    return os.path.join(directory, path)


def _is_success(failure: BaseException) -> bool:
    """Whether an exception ends a program well: `sys.exit()` and `sys.exit(0)` raise one."""
    return isinstance(failure, SystemExit) and (
        failure.code is None or (isinstance(failure.code, int) and failure.code == 0)
    )


def _run(started_at: datetime, finished_at: datetime, failure: BaseException | None) -> dict[str, Json]:
    run: dict[str, Json] = {"started_at": started_at.isoformat(), "finished_at": finished_at.isoformat()}
    if failure is not None:
        # Not its message: it may hold anything, secrets included.
        run["exception"] = recordable(type(failure).__qualname__)[0]
    if isinstance(failure, SystemExit) and type(failure.code) is int:
        run["exit_code"] = failure.code
    return run


def _captured(layers: Collection[str] | None, cache: Cache, remarks: Remarks) -> Capture | None:
    with remarks.instead("the environment"):
        return capture(running(), layers=layers, environ=own_environ(), cache=cache)
    return None


def _needed(found: Capture) -> Collection[str]:
    python = found.environment.get("python")
    packages = python.get("packages") if isinstance(python, Mapping) else None
    return _NEEDED_TO_RECORD & packages.keys() if isinstance(packages, Mapping) else ()


def _surroundings(found: Capture | None) -> Surroundings:
    if found is None:
        return Surroundings.unknown("the running interpreter could not be captured")
    layer, collection = NUMERIC_LIBRARIES
    context: Mapping[str, Json] = found.context
    told = context.get(layer)
    if isinstance(told, dict) and (libraries := numeric_libraries()):
        context = {**context, layer: {**told, collection: libraries}}
    return Surroundings.of(found)._replace(context=context)


def _script(found: Capture | None) -> str | None:
    """Return the file that this process runs, an archive where it lies in one, if it is the analysis's own.

    What is typed at a prompt and `-c` have none; a notebook's kernel and pytest are in the environment.
    """
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    if not isinstance(path, str) or not os.path.isabs(path) or "\0" in path:
        return None
    script = path if os.path.isfile(path) else archive_of(path)
    installed = (*(found.interpreter.site_directories if found else ()), os.path.join(sys.prefix, "bin"))
    if script and any(script.startswith(f"{directory}{os.sep}") for directory in installed):
        return None
    return script


def _starts_in(script: str | None, directory: str) -> str | None:
    """Return the directory that is on the search path for the program (documentation of `sys.path`).

    That is the script's, or that of a directory which is run as a program; with `-m` and `-c` the working directory. An
    archive has none, nor has anything with the option `-P`.
    """
    if sys.flags.safe_path:
        return None
    main = sys.modules.get("__main__")
    name = getattr(getattr(main, "__spec__", None), "name", "__main__")
    if script is None or name != "__main__":
        return None if {"-m", "-c"}.isdisjoint(sys.orig_argv) else directory
    return os.path.dirname(script) if getattr(main, "__file__", None) == script else None


def _code(  # noqa: PLR0913, PLR0917  (each says another thing of the analysis)
    begun: Begun, found: Capture | None, script: str | None, declared: Sequence[str], root: str, remarks: Remarks
) -> Code:
    with remarks.instead("the code"):
        return capture_code(
            found.live if found else (),
            directory=begun.directory,
            root=root,
            declared=[*begun.given, *declared],
            script=script,
            starts_in=_starts_in(script, begun.directory),
        )
    return NO_CODE
