"""`capsule verify`: is the environment here, and are the files, what a capsule recorded?"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import click

from capsulestore.errors import UsageError

from .candidates import complete_name
from .command import Command, settings_options, target_options
from .output import note, print_findings, print_json, print_line, safe, style
from .settings import settings

if TYPE_CHECKING:
    from capsulestore.model.digest import Digest
    from capsulestore.store import Store
    from capsulestore.verification.capsule import Verification

_PHRASES_TOLD = 6
_PREPOSITIONS = {"identical": "to", "different": "from", "not comparable": "with"}


@click.command(
    cls=Command,
    examples=(
        ("capsule verify", "against the capsule added last"),
        ("capsule verify 3f2a", "against another"),
        ("capsule verify --strict", "the system's packages and variables count too"),
        ("capsule verify --layer python", "one layer and no other"),
        ("capsule verify --deep", "are all installed files as they were installed?"),
        ("capsule verify --record", "keep the verdict in the store"),
        ("capsule verify --python .venv/bin/python", "with another interpreter"),
    ),
)
@click.argument("name", default="@", shell_complete=complete_name)
@click.option("--strict", is_flag=True, help="Count the context's layers `system` and `variables` too.")
@click.option("--loaded", is_flag=True, help="Of the packages count those only that the analysis imported.")
@click.option("--deep", is_flag=True, help="Compare every installed file with the hash that its installer recorded.")
@click.option("--record", is_flag=True, help="Register the verdict as a statement about the capsule.")
@target_options
@settings_options
def command(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    name: str, strict: bool, loaded: bool, deep: bool, record: bool, python: str | None, layers: tuple[str, ...]
) -> int:
    """Tell whether the environment here is the one that a capsule recorded.

    NAME is a digest, four or more of its digits, a tag, or @ for the capsule added last. Recorded code, inputs and
    outputs are looked at too: what is another counts, what is not here is told and does not. What differs in the
    context is told beside the verdict, and counts only where --strict or --layer asks for it. With --deep, an
    installed file that is changed or missing counts too; one that belongs to nobody is told. Exit status 0 when all
    that counts is the same, else 1.
    """
    from capsulestore.capture.cache import users_cache
    from capsulestore.verification.capsule import verify as verify_capsule

    from .deep import deep_check
    from .here import target

    if record and (layers or loaded):
        option = "--layer" if layers else "--loaded"
        raise UsageError(f"`--record` keeps a verdict on the whole, and `{option}` looks at a part")
    if deep and loaded:
        raise UsageError("`--deep` compares all installed files, and `--loaded` counts what was imported alone")
    with settings().open_store() as store:
        answer = verify_capsule(
            store,
            name,
            target(python),
            layers=layers or None,
            strict=strict,
            loaded=loaded,
            deep=deep_check(layers) if deep else None,
            cache=users_cache(),
        )
        if not settings().json:
            # Before it is recorded, which may fail.
            _print(answer, layers)
        statement = _recorded(store, answer) if record else None
    if settings().json:
        print_json(answer.as_dict() | ({"statement_id": str(statement)} if statement else {}))
    elif statement:
        note(f"recorded as the statement {statement}")
    return 0 if answer.same else 1


def _recorded(store: Store, answer: Verification) -> Digest:
    from capsulestore.verification.attestation import attest

    return attest(store, answer)


def _print(answer: Verification, layers: tuple[str, ...]) -> None:
    from .deep import installed_lines
    from .here import tell_target
    from .text import change_lines, verdict_color

    print_line(f"{style(answer.verdict, verdict_color(answer.verdict))} {_explained(answer, layers)}")
    for line in change_lines(answer.match.changes):
        print_line(f"  {line}")
    for remark in answer.remarks:
        print_line(f"  {safe(remark)}")
    if answer.deep is not None:
        for line in installed_lines(answer.deep):
            print_line(f"  {line}")
    if phrases := answer.match.context_in_words:
        more = len(phrases) - _PHRASES_TOLD
        print_line(f"  context: {safe(', '.join(phrases[:_PHRASES_TOLD]))}{f' and {more} more' if more > 0 else ''}")
    tell_target(answer.here.target)
    _tell_recorded_target(answer)
    # Where all is as it was, so is what capture noticed, which was told when the capsule was added.
    if answer.verdict != "identical":
        print_findings(answer.here.findings)


def _tell_recorded_target(answer: Verification) -> None:
    """Say where the interpreter that was recorded is another than the one looked at, or was only guessed."""
    python, chosen_by = answer.recorded_target or ("", "")
    if chosen_by == "guessed":
        note(f"which interpreter the command started was guessed when it was recorded: `{python}`")
    meant = answer.here.target.chosen_by == "--python" or os.path.abspath(python) == os.path.abspath(
        answer.here.target.python
    )
    if answer.verdict != "identical" and not meant and os.path.exists(python):
        note(f"recorded with another interpreter, which `--python {shlex.quote(os.path.relpath(python))}` names")


def _explained(answer: Verification, layers: tuple[str, ...]) -> str:
    """Return what follows the verdict: on which digests it rests."""
    if layers or (answer.verdict == "different" and answer.match.captured == answer.match.current):
        place = ", ".join(sorted(set(layers))) or "the context"
        recorded = f"what was recorded with {answer.match.captured}"
        return f"in {safe(place)} {_PREPOSITIONS[answer.verdict]} {recorded}{_beside(answer)}"
    if answer.verdict == "different":
        return f"from {answer.match.captured.hex[:12]}; here it is {answer.match.current.hex[:12]}"
    return f"{_PREPOSITIONS[answer.verdict]} {answer.match.captured}{_beside(answer)}"


def _beside(answer: Verification) -> str:
    """Return what is not as it was where the environment is."""
    if answer.verdict != "identical" or answer.same:
        return ""
    if answer.deep is None or answer.deep.same:
        return ", but not all recorded code and files are"
    return ", but not all installed files are as they were installed"
