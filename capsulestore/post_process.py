"""Summarises the results of an analysis that has ended, and registers a capsule of them: `--capture-capsule`.

    post_process("out", capture_capsule=True)["capsule_id"]

    python -m capsulestore.post_process out --capture-capsule

Scripts of one's own get the same flag in one line, with which they are recorded as they run:

    @click.command()
    @capture_capsule_option(outputs=["{out}/*.csv"])
    def fit(out): ...

    add_capture_capsule_argument(parser, outputs=["{out}/*.csv"])

Until one of these is called, nothing else of the package is imported; without the flag, nothing is captured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    import os

    from capsulestore.store import Place

    _Path = str | os.PathLike[str]

__all__ = ["add_capture_capsule_argument", "capture_capsule_option", "post_process", "summarise_results"]


def summarise_results(results: _Path | Sequence[_Path], *, metadata: _Path | None = None) -> dict[str, Any]:
    """Return what lies at paths, a directory standing for the files below it; nothing is captured or registered.

    The answer: `files`, each with `path` (from the working directory), `sha256` and `size`, the `bytes` of all, and the
    `metadata`, a mapping or None: that of the file so named, else of `metadata.json` at the top of the one directory
    that has it. Raise `FileProblem` for a file that is not there, cannot be read, is no regular file or changes while
    it is read, for a directory without files, for more than 200,000 files, and for a malformed metadata file;
    `UsageError` for what is no path, for no results at all, and for several directories with a `metadata.json`.
    """
    import os  # noqa: PLC0415

    from capsulestore.recording.results import summarise  # noqa: PLC0415

    paths, said = _paths(results, metadata)
    return summarise(paths, root=os.path.realpath(os.curdir), metadata=said).as_dict()


def post_process(  # noqa: PLR0913  (each says another thing of the results)
    results: _Path | Sequence[_Path],
    *,
    capture_capsule: bool = False,
    title: str | None = None,
    metadata: _Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    labels: Mapping[str, Any] | None = None,
    parents: Sequence[str] = (),
    python: _Path | None = None,
    store: Place = None,
) -> dict[str, Any]:
    """Summarise results and, with `capture_capsule`, register a capsule of the environment with them as its outputs.

    The environment is the running interpreter's, or that of `python`. The capsule says what the metadata file says
    under the keys `title`, `description`, `parameters`, `labels`, `command`, `entry_point`, `parents` and `status`;
    what is given here wins. Without `store`, it is found as the commands do. What became a text, what looks like
    credentials and is not recorded, and what capture noticed of the environment is logged.

    The answer has the keys of `summarise_results`, with paths as the capsule has them, and `capsule_id`,
    `environment_digest`, and whether it was `registered` now; by then it is durable. Raise what `summarise_results` and
    `register_capsule` raise: nothing is registered then.
    """
    if not capture_capsule:
        return summarise_results(results, metadata=metadata)
    import logging  # noqa: PLC0415

    from capsulestore.capture.finding import said_of  # noqa: PLC0415
    from capsulestore.capture.target import of_caller  # noqa: PLC0415
    from capsulestore.recording import arguments  # noqa: PLC0415
    from capsulestore.recording.capsule import Description  # noqa: PLC0415
    from capsulestore.recording.redacted import said_of_redaction  # noqa: PLC0415
    from capsulestore.recording.results import register  # noqa: PLC0415
    from capsulestore.store import opened  # noqa: PLC0415

    paths, said = _paths(results, metadata)
    with opened(store) as opened_store:
        given = Description(
            title="" if title is None else arguments.title(title),
            parameters=arguments.mapping("parameters", parameters),
            labels=arguments.mapping("labels", labels),
            parents=[opened_store.resolve_capsule(name) for name in arguments.texts("parents", parents)],
        )
        registered = register(opened_store, paths, given, metadata=said, target=of_caller(python))
    redaction = said_of_redaction(registered.recorded)
    for line in (*said_of(registered.findings), *([redaction] if redaction else ())):
        logging.getLogger("capsulestore").warning("%s", line)
    return registered.as_dict()


def capture_capsule_option(
    callback: Callable[..., Any] | None = None,
    *,
    title: str | None = None,
    inputs: Sequence[_Path] = (),
    outputs: Sequence[_Path] = (),
) -> Any:
    """Give a command of click the flag `--capture-capsule`, with which a call of it is recorded.

    A decorator, bare or with arguments, above or below the command's other options. `inputs` and `outputs` are paths
    and patterns, in which `{name}` stands for the value of the command's parameter of that name, and for each of
    several in turn. The capsule has the command's parameters, but those that are typed unseen, and without `title` the
    command's path for one. Its digest is told on stderr. What keeps it from being registered is logged as a warning,
    and changes nothing in what the command does.
    """
    from capsulestore.capture_flag.of_click import with_flag  # noqa: PLC0415
    from capsulestore.capture_flag.script import Script  # noqa: PLC0415

    script = Script.of(title, inputs, outputs)
    return with_flag(script)(callback) if callback is not None else with_flag(script)


def add_capture_capsule_argument(
    parser: argparse.ArgumentParser,
    title: str | None = None,
    inputs: Sequence[_Path] = (),
    outputs: Sequence[_Path] = (),
) -> None:
    """Give a parser the flag `--capture-capsule`, with which what follows the parsing is recorded.

    The namespace's `capture_capsule` says whether it was given. The capsule is registered when the program ends; as
    failed where an exception ended it, or an exit with another status than 0. It has all arguments of the command
    line as parameters, those of the parser that this one is a subparser of among them, and without `title` the `prog`
    of the parser that found the flag; `inputs` and `outputs` as for `capture_capsule_option`.

    What any parser refuses is not recorded. A program is one capsule, from where it first parsed the flag: to parse
    it again is a warning. A file that is still open when the program ends may be written to later. Before Python 3.12
    the status of `raise SystemExit(...)` cannot be seen: the capsule then does not say how it ended, and a warning
    does. A program that a signal ends, or `os._exit`, is not recorded.
    """
    from capsulestore.capture_flag.of_argparse import add_flag  # noqa: PLC0415
    from capsulestore.capture_flag.script import Script  # noqa: PLC0415

    add_flag(parser, Script.of(title, inputs, outputs))


def _paths(results: _Path | Sequence[_Path], metadata: _Path | None) -> tuple[list[str], str | None]:
    import os  # noqa: PLC0415

    from capsulestore.recording.arguments import paths  # noqa: PLC0415

    several = [results] if isinstance(results, str | bytes | os.PathLike) else results
    return paths("results", several), None if metadata is None else paths("metadata", [metadata])[0]


if __name__ == "__main__":
    from capsulestore_cli.__main__ import main

    main("post_process")
