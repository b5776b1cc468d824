"""The help: it begins with examples, and the examples are real."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from capsulestore_cli.app import application

COMMANDS = ("init", "capture", "add", "show", "diff", "verify")


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
    context = click.Context(application)
    command = application.get_command(context, name)
    assert command is not None
    for line, _ in command.examples:
        words = shlex.split(line.partition(" > ")[0])
        assert words[:2] == ["capsule", name]
        command.make_context(name, words[2:], parent=context)


def test_without_a_command_the_help_is_shown_as_an_error(capsule):
    done = capsule()
    assert (done.status, done.out) == (2, "")
    assert "Usage: capsule" in done.err


def test_the_version_is_told(capsule):
    from importlib.metadata import version  # noqa: PLC0415

    assert capsule("--version").line == f"capsule {version('capsulestore')}"
