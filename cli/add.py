"""`capsule add`: capture the environment here and register it as a capsule."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from capsulestore.capture.files import read_whole
from capsulestore.errors import FileProblem, InvalidValue, UsageError

from .command import FILE, Command, settings_options, target_options
from .description import described, description_options, parse_json
from .output import note, print_findings, print_json, print_line, tell_redacted
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.recording.capsule import Description, Recorded, Surroundings

_MAX_FILE_BYTES: Final = 256 * 2**20


@click.command(
    cls=Command,
    examples=(
        ("capsule add", "the environment here"),
        ('capsule add -m "first fit" --output fit.csv', "with a title and a result"),
        ("capsule add --param alpha=0.5 --input data.csv", "with what went in"),
        ("capsule add --environment environment.json", "one captured elsewhere"),
        ("capsule add --to https://capsules.example.org", "to a server, without a store here"),
    ),
)
@description_options
@click.option(
    "--environment",
    metavar="FILE",
    type=FILE,
    help="Register the environment in FILE, as `capture --json` prints it.",
)
@click.option("--to", metavar="URL", help="Register it with this server (`capsule serve`), not in a store here.")
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
    to: str | None,
    python: str | None,
    layers: tuple[str, ...],
    files: tuple[str, ...],
) -> None:
    """Capture the environment here, register it as a capsule, and print the capsule's digest.

    The same facts are the same capsule: adding them again prints the same digest and adds nothing. With --to, it is a
    server that registers it, and knows the parents; only digests of inputs and outputs are sent, with the token in
    CAPSULE_TOKEN.
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
    if to is not None and settings().store:
        raise UsageError("`--to` names a server and `--store` a store here: a capsule is added to one of them")
    title = title or f"environment of {os.path.basename(os.getcwd()) or '/'}"
    with nullcontext() if to is not None else settings().open_store() as store:
        register = _by_server(to or "", parents) if store is None else partial(record, store)
        root = os.path.realpath(os.curdir) if store is None else store.root
        description = described(
            store, title, param=param, param_json=param_json, label=label, parents=parents
        )._replace(inputs=digest_artifacts(inputs, root=root), outputs=digest_artifacts(outputs, root=root))
        recorded = register(_from_file(environment) if environment else _from_here(python, layers), description)
    tell_redacted(recorded)
    if settings().json:
        print_json(recorded.as_dict())
        return
    print_line(str(recorded.capsule))
    if not recorded.new:
        note("registered before; nothing was added")


def _by_server(url: str, parents: tuple[str, ...]) -> Callable[[Surroundings, Description], Recorded]:
    """Return what has a server register a capsule; parents are names there."""
    from capsulestore.recording.posting import Posting
    from capsulestore.sync.http.api import HttpApi
    from capsulestore.sync.limits import LIMITS

    token = os.environ.get("CAPSULE_TOKEN") or None
    server = HttpApi(url, token, os.environ, LIMITS, given_as="CAPSULE_TOKEN")
    return lambda surroundings, description: Posting.of(surroundings, description, parents).register(server)


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
