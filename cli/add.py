"""`capsule add`: capture the environment here and register it as a capsule."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from capsulestore.capture.files import read_whole
from capsulestore.errors import FileProblem, InvalidValue, UsageError

from .command import FILE, Command, settings_options, target_options
from .description import described, description_options, parse_json
from .output import note, print_findings, print_json, print_line, tell_redacted
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.recording.capsule import Surroundings

_MAX_FILE_BYTES: Final = 256 * 2**20


@click.command(
    cls=Command,
    examples=(
        ("capsule add", "the environment here"),
        ('capsule add -m "first fit" --output fit.csv', "with a title and a result"),
        ("capsule add --param alpha=0.5 --input data.csv", "with what went in"),
        ("capsule add --environment environment.json", "one captured elsewhere"),
    ),
)
@description_options
@click.option(
    "--environment",
    metavar="FILE",
    type=FILE,
    help="Register the environment in FILE, as `capture --json` prints it.",
)
@target_options
@click.argument("files", nargs=-1, metavar="")
@settings_options
def command(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    title: str | None,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    param: dict[str, Any],
    param_json: dict[str, Any],
    label: dict[str, Any],
    parents: tuple[str, ...],
    environment: str | None,
    python: str | None,
    layers: tuple[str, ...],
    files: tuple[str, ...],
) -> None:
    """Capture the environment here, register it as a capsule, and print the capsule's digest.

    The same facts are the same capsule: adding them again prints the same digest and adds nothing.
    """
    from capsulestore.capture.artifacts import digest_artifacts
    from capsulestore.capture.environment import check_layers_to_record
    from capsulestore.recording.capsule import record

    if files:
        raise UsageError(
            f"`add` takes no file: `{files[0]}`",
            hint=_about_files(files, repeated=bool(inputs or outputs)),
        )
    check_layers_to_record(layers or None)
    if environment and (python or layers):
        raise UsageError("`--environment` says what to register; `--python` and `--layer` look for it here")
    with settings().open_store() as store:
        title = title or f"environment of {os.path.basename(os.getcwd()) or '/'}"
        description = described(
            store, title, param=param, param_json=param_json, label=label, parents=parents
        )._replace(
            inputs=digest_artifacts(inputs, root=store.root),
            outputs=digest_artifacts(outputs, root=store.root),
        )
        surroundings = _from_file(environment) if environment else _from_here(python, layers)
        recorded = record(store, surroundings, description)
    tell_redacted(recorded)
    if settings().json:
        print_json(recorded.as_dict())
        return
    print_line(str(recorded.capsule))
    if not recorded.new:
        note("registered before; nothing was added")


def _about_files(files: tuple[str, ...], *, repeated: bool) -> str:
    if repeated:
        again = " ".join(f"--output {shlex.quote(file)}" for file in files[:2])
        return f"`--input` and `--output` take one file or directory each; repeat them: `{again}`"
    return f"record a result with `--output {shlex.quote(files[0])}`; a title of several words needs quotes"


def _from_here(python: str | None, layers: tuple[str, ...]) -> Surroundings:
    from capsulestore.recording.capsule import Surroundings

    from .here import captured, tell_target

    found = captured(python, layers)
    if layers and all(state.state == "none" for state in found.layers.values()):
        raise UsageError(f"`{'`, `'.join(sorted(set(layers)))}` does not apply here: nothing would be recorded")
    tell_target(found.target)
    for layer, state in found.layers.items():
        if state.state == "unknown":
            note(f"the layer `{layer}` is not known: {state.reason}")
    print_findings(found.findings)
    return Surroundings.of(found)


def _from_file(path: str) -> Surroundings:
    from capsulestore.recording.capsule import Surroundings

    try:
        data = sys.stdin.buffer.read(_MAX_FILE_BYTES) if path == "-" else read_whole(path, _MAX_FILE_BYTES)
        return Surroundings.from_document(parse_json(data))
    except OSError as error:
        raise FileProblem(f"cannot read `{path}`: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise FileProblem(f"`{path}` is not JSON: {error}") from error
    except InvalidValue as error:
        raise InvalidValue(error.reason, (path, *error.path)) from None
