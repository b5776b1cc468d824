"""`capsule run`: run an analysis, and register what was seen of it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import click

from capsulestore.errors import CapsuleError, FileProblem, UsageError

from .command import FILE, Command, settings_options, target_options
from .description import described, description_options
from .output import note, print_error, print_findings, say, tell_redacted
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.recording.run import Observed

_NOT_RECORDED = 125
"""The command succeeded, and recording it failed; as docker's own failures are told from the command's."""


@click.command(
    cls=Command,
    examples=(
        ("capsule run python fit.py", "an analysis, and the environment it runs in"),
        ('capsule run -m "first fit" --output fit.csv ./fit.py', "with a title and a result"),
        ("capsule run --input data.csv -- uv run fit.py --fast", "with what goes in"),
        ("capsule run --trace-imports python -m fit", "with what is really imported"),
    ),
    context_settings={"allow_interspersed_args": False},
)
@description_options
@click.option("--digest-file", metavar="FILE", type=FILE, help="Write the capsule's digest to FILE.")
@click.option("--trace-imports", is_flag=True, help="Record which distributions and modules are imported.")
@target_options
@click.argument("words", nargs=-1, metavar="CMD...", type=click.UNPROCESSED)
@settings_options
def command(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    title: str | None,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    param: dict[str, Any],
    param_json: dict[str, Any],
    label: dict[str, Any],
    parents: tuple[str, ...],
    digest_file: str | None,
    trace_imports: bool,
    python: str | None,
    layers: tuple[str, ...],
    words: tuple[str, ...],
) -> int:
    """Run CMD as the shell would, and register a capsule of the run.

    What is captured is the interpreter that CMD starts. CMD's streams, terminal, signals and exit status are its own;
    the capsule's digest goes to stderr. An input is digested before, an output after; both may be patterns. A command
    that fails is registered as failed and keeps its status; 125 says that it succeeded and could not be recorded.
    """
    from capsulestore.capture.cache import users_cache
    from capsulestore.capture.own_environ import own_environ
    from capsulestore.recording.run import Order, observe

    from .here import target

    if not words:
        raise UsageError("no command to run", hint="as in `capsule run python fit.py`")
    if digest_file:
        _make_way(digest_file)
    with settings().open_store() as store:
        observed = observe(
            store,
            Order(
                command=words,
                environ=own_environ(),
                target=target(python) if python else None,
                layers=layers or None,
                inputs=inputs,
                outputs=outputs,
                trace_imports=trace_imports,
                description=described(
                    store, title or "", param=param, param_json=param_json, label=label, parents=parents
                ),
            ),
            cache=users_cache(),
        )
    status = _told(observed, digest_file)
    if observed.execution.signal == signal.SIGINT:
        _end_by_interrupt()
    return status


def _told(observed: Observed, digest_file: str | None) -> int:
    """Say what was registered, or why nothing could be, and return the exit status."""
    status = observed.execution.status
    print_findings(finding for finding in observed.findings if finding.incomplete or finding.layer == "code")
    for remark in observed.remarks:
        note(remark)
    try:
        if isinstance(observed.recorded, CapsuleError):
            raise observed.recorded
        tell_redacted(observed.recorded)
        say(f"capsule {observed.recorded.capsule}")
        if digest_file:
            _write(digest_file, str(observed.recorded.capsule))
    except CapsuleError as error:
        print_error(error, settings())
        return status or _NOT_RECORDED
    return status


def _make_way(path: str) -> None:
    """Remove the digest of an earlier run, and see that there can be another, before it is too late for either."""
    try:
        if os.path.isfile(path):
            os.unlink(path)
        if not os.access(os.path.dirname(path) or os.curdir, os.W_OK | os.X_OK):
            raise FileProblem(f"cannot write to `{path}`: its directory may not be written, or is not there")
    except OSError as error:
        raise FileProblem(f"cannot replace `{path}`: {error.strerror}") from error


def _write(path: str, digest: str) -> None:
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{digest}\n")
    except OSError as error:
        raise FileProblem(f"registered {digest}, and cannot write that to `{path}`: {error.strerror}") from error


def _end_by_interrupt() -> None:
    """End as the command did: a shell that runs a loop ends it where a command of it was ended by Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
