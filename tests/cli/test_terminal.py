"""How the command behaves at a terminal and in a pipe: colour, interrupts, closed pipes, other encodings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def added(capsule, store):
    return capsule("add").line


@pytest.mark.parametrize(
    ("arguments", "env", "colored"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_is_as_asked(arguments, env, colored, capsule, added):
    for command in (["verify", *arguments], [*arguments, "verify"]):
        assert ("\x1b[" in capsule(*command, env=env).out) is colored
    assert ("\x1b[" in capsule("show", "nobody", *arguments, env=env).err) is colored


def test_a_closed_pipe_ends_the_command_as_sigpipe_would(added, project):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "capsulestore_cli", "show"],
        cwd=project,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_an_interrupt_ends_the_command_and_what_it_started(added, project, tmp_path, unchanged):
    started = tmp_path / "started"
    os.mkfifo(started)
    hanging = tmp_path / "python"
    hanging.write_text(f'#!/bin/sh\necho $$ > "{started}"\nexec sleep 1000\n')
    hanging.chmod(0o755)
    before = unchanged(project)
    process = subprocess.Popen(
        [sys.executable, "-m", "capsulestore_cli", "add", "--python", hanging],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    interpreter = int(started.read_text())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")
    assert unchanged(project) == before
    with pytest.raises(ProcessLookupError):
        os.kill(interpreter, 0)


def test_an_output_that_cannot_hold_a_character_gets_it_escaped(capsule, added, install):
    install("six==1.17.0")
    done = capsule("verify", env={"PYTHONIOENCODING": "latin-1"})
    assert done.status == 1
    assert r"six  1.16.0 \u2192 1.17.0" in done.out


def test_a_full_disk_under_the_output_is_an_error(added, project):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "capsulestore_cli", "show"],
            cwd=project,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 6
    assert done.stderr.startswith("error: cannot write the answer to standard output: No space left on device")


@pytest.mark.parametrize("command", ["log", "show", "tag", "status", "capture"])
def test_without_any_standard_output_a_command_does_what_it_should(capsule, store, project, command):
    capsule("add")
    done = subprocess.run(
        ["sh", "-c", '"$0" -m capsulestore_cli "$1" >&-', sys.executable, command],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "error" not in done.stderr


def test_where_an_error_cannot_be_told_the_status_tells(capsule, store, project):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "capsulestore_cli", "show", "nobody"]
        assert subprocess.run(command, cwd=project, stderr=full, check=False).returncode == 3
