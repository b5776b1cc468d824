"""`python -m capsulestore.post_process`: summarise the results of an analysis, and register a capsule of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from .command import FILE, Command, settings_options
from .description import described, result_options
from .output import cell, note, print_findings, print_json, print_line, print_lines, safe, table, tell_redacted
from .running import run as run_command
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.recording.results import Registered, Summary

__all__ = ["command", "run"]

_NAME: Final = "python -m capsulestore.post_process"
_DIGITS: Final = 12


def run(arguments: list[str]) -> int:
    """Run a command line and return its status; what ends it early is told on stderr."""
    return run_command(arguments, command, _NAME)


@click.command(
    cls=Command,
    examples=(
        (f"{_NAME} out", "what lies there"),
        (f"{_NAME} --capture-capsule out", "and a capsule of it"),
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--capture-capsule", is_flag=True, help="Register a capsule: the environment, with the files as outputs.")
@result_options
@click.option(
    "--metadata",
    metavar="FILE",
    type=FILE,
    help="What the analysis says of itself, instead of `metadata.json` in a directory of results.",
)
@click.option(
    "--python",
    metavar="PATH",
    type=FILE,
    help="The interpreter that the analysis ran in, instead of the one that runs this.",
)
@click.argument("results", nargs=-1, required=True, metavar="RESULTS...", type=FILE)
@settings_options
def command(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    capture_capsule: bool,
    title: str | None,
    param: dict[str, Any],
    param_json: dict[str, Any],
    label: dict[str, Any],
    parents: tuple[str, ...],
    metadata: str | None,
    python: str | None,
    results: tuple[str, ...],
) -> None:
    """Summarise the results of an analysis: files, and directories of such.

    With `--capture-capsule`, register a capsule of the environment with these files as outputs. `title`, `description`,
    `parameters`, `labels`, `command`, `entry_point`, `parents` and `status` in the metadata file, a JSON mapping, go
    into it; what is given here wins.
    """
    import os

    from capsulestore.capture.target import of_caller
    from capsulestore.recording.results import register, summarise

    if not capture_capsule:
        if title or param or param_json or label or parents or python:
            note("nothing is registered without `--capture-capsule`")
        _show(summarise(results, root=os.path.realpath(os.curdir), metadata=metadata))
        return
    with settings().open_store() as store:
        given = described(store, title or "", param=param, param_json=param_json, label=label, parents=parents)
        registered = register(store, results, given, metadata=metadata, target=of_caller(python))
    print_findings(registered.findings)
    tell_redacted(registered.recorded)
    _show(registered.summary, registered)
    if not registered.recorded.new:
        note("registered before; nothing was added")


def _show(summary: Summary, registered: Registered | None = None) -> None:
    if summary.metadata and summary.metadata.left_alone:
        names = "`, `".join(summary.metadata.left_alone)
        note(f"`{summary.metadata.path}`: a capsule has no place for `{names}`")
    if settings().json:
        print_json((registered or summary).as_dict())
        return
    print_lines(_lines(summary))
    if registered:
        print_line(f"capsule {registered.recorded.capsule}")


def _lines(summary: Summary) -> Iterator[str]:
    yield from table([(safe(file.path), file.sha256[:_DIGITS], _bytes(file.size)) for file in summary.files])
    count = len(summary.files)
    yield f"{count:,} {'file' if count == 1 else 'files'}, {_bytes(summary.bytes)}"
    if summary.metadata and summary.metadata.recorded:
        yield f"{safe(summary.metadata.path)}:"
        yield from table([(key, cell(value)) for key, value in summary.metadata.recorded.items()], indent="  ")


def _bytes(count: int) -> str:
    return f"{count:,} {'byte' if count == 1 else 'bytes'}"
