"""`capsule add`: capture the environment here and register it as a capsule."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from capsulestore.capture.files import path_text, read_whole
from capsulestore.errors import FileProblem, InvalidValue, UsageError
from capsulestore.model.canonical import check

from .candidates import complete_name
from .command import FILE, Command, settings_options, target_options
from .output import note, print_findings, print_json, print_line
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.recording import Surroundings

_MAX_FILE_BYTES: Final = 256 * 2**20


def _pairs(
    parse: Callable[[str], Any],
) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], dict[str, Any]]:
    """Return a callback that reads `KEY=VALUE` options into a mapping."""

    def read(_: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
        pairs = {}
        for text in given:
            key, equals, value = path_text(text).partition("=")
            option = parameter.opts[0]
            if not equals or not key:
                raise UsageError(f"`{option} {text}` is no KEY=VALUE", hint=f"write `{option} KEY=VALUE`")
            if key in pairs:
                raise UsageError(f"`{option}` gives `{key}` twice")
            try:
                pairs[key] = parse(value)
                check({key: pairs[key]})
            except (ValueError, RecursionError, InvalidValue) as error:
                raise UsageError(f"`{option} {text}`: {error}") from None
        return pairs

    return read


def _json(text: str | bytes) -> Any:
    # Not orjson, which rounds large integers: the model refuses them.
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


@click.command(
    cls=Command,
    examples=(
        ("capsule add", "the environment here"),
        ('capsule add -m "first fit" --output fit.csv', "with a title and a result"),
        ("capsule add --param alpha=0.5 --input data.csv", "with what went in"),
        ("capsule add --environment environment.json", "one captured elsewhere"),
    ),
)
@click.option("-m", "--message", "title", metavar="TITLE", help="What to call the capsule.")
@click.option(
    "--input",
    "inputs",
    metavar="PATH",
    type=FILE,
    multiple=True,
    help="A file that went in, or a directory of such (repeatable).",
)
@click.option(
    "--output",
    "outputs",
    metavar="PATH",
    type=FILE,
    multiple=True,
    help="A file that came out, or a directory of such (repeatable).",
)
@click.option("--param", metavar="K=V", multiple=True, callback=_pairs(str), help="A parameter, as text (repeatable).")
@click.option(
    "--param-json",
    metavar="K=V",
    multiple=True,
    callback=_pairs(_json),
    help="A parameter, as JSON (repeatable).",
)
@click.option("--label", metavar="K=V", multiple=True, callback=_pairs(str), help="A label (repeatable).")
@click.option(
    "--parent",
    "parents",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_name,
    help="A capsule that this one derives from (repeatable).",
)
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
    from capsulestore.capture.environment import CONTEXT_LAYERS
    from capsulestore.recording import Description, record

    if files:
        raise UsageError(
            f"`add` takes no file: `{files[0]}`",
            hint=_about_files(files, repeated=bool(inputs or outputs)),
        )
    if layers and CONTEXT_LAYERS.issuperset(layers):
        raise UsageError(
            f"`{'`, `'.join(sorted(set(layers)))}` is context: of the environment nothing would be recorded",
            hint="name a layer of the environment too, as `--layer python`",
        )
    if environment and (python or layers):
        raise UsageError("`--environment` says what to register; `--python` and `--layer` look for it here")
    if both := param.keys() & param_json.keys():
        raise UsageError(f"the parameter `{min(both)}` is given as text and as JSON")
    with settings().open_store() as store:
        description = Description(
            title=path_text(title) if title else f"environment of {path_text(os.path.basename(os.getcwd())) or '/'}",
            inputs=digest_artifacts(inputs, root=store.root),
            outputs=digest_artifacts(outputs, root=store.root),
            parameters=param | param_json,
            labels=label,
            parents=[store.resolve_capsule(name) for name in parents],
        )
        surroundings = _from_file(environment) if environment else _from_here(python, layers)
        recorded = record(store, surroundings, description)
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
    from capsulestore.recording import Surroundings

    from .here import captured, tell_target

    found = captured(python, layers)
    tell_target(found.target)
    print_findings(found.findings)
    return Surroundings.of(found)


def _from_file(path: str) -> Surroundings:
    from capsulestore.recording import Surroundings

    try:
        data = sys.stdin.buffer.read(_MAX_FILE_BYTES) if path == "-" else read_whole(path, _MAX_FILE_BYTES)
        return Surroundings.from_document(_json(data))
    except OSError as error:
        raise FileProblem(f"cannot read `{path}`: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise FileProblem(f"`{path}` is not JSON: {error}") from error
    except InvalidValue as error:
        raise InvalidValue(error.reason, (path, *error.path)) from None
