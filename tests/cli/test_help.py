"""The help: it begins with examples, the examples are real, and all of it is what `help.txt` shows.

`make help-text` writes what is printed now into `help.txt`.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from capsulestore_cli.app import COMMANDS, application

SHOWN = Path(__file__).with_name("help.txt")


def test_the_help_is_what_is_shown(capsule):
    printed = ""
    for words in ([], *([command] for command in COMMANDS)):
        done = capsule(*words, "--help", env={"COLUMNS": "80"})
        assert (done.status, done.err) == (0, "")
        printed += f"$ {shlex.join(['capsule', *words, '--help'])}\n{done.out}\n"
    if "UPDATE_HELP" in os.environ:
        SHOWN.write_text(printed, "utf-8")
    assert printed == SHOWN.read_text("utf-8")


def test_all_commands_are_listed(capsule):
    listed = capsule("--help").out.partition("Commands:\n")[2]
    # Deeper lines go on with what a command does.
    assert tuple(re.findall(r"^  (\w+)", listed, re.MULTILINE)) == COMMANDS


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_begins_with_examples(command, capsule):
    done = capsule(*filter(None, [command]), "--help")
    assert done.status == 0
    assert done.out.index("Examples:") < done.out.index("Usage:") < done.out.index("Options:")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_a_command_line_that_parses(name):
    context = application.make_context("capsule", [], resilient_parsing=True)
    command = application.get_command(context, name)
    assert command is not None
    for line, _ in command.examples:
        # As a shell takes it: what is within `$(...)`, and no redirection or pipe.
        inner = re.search(r"\$\((.*)\)", line)
        words = shlex.split(re.split(r" [>|] ", inner[1] if inner else line)[0])
        assert words[:2] == ["capsule", name]
        command.make_context(name, words[2:], parent=context)


def test_without_a_command_the_help_is_shown_as_an_error(capsule):
    done = capsule()
    assert (done.status, done.out) == (2, "")
    assert "Usage: capsule" in done.err


def test_the_version_is_told(capsule):
    from importlib.metadata import version  # noqa: PLC0415

    assert capsule("--version").line == f"capsule {version('capsulestore')}"
