"""`capsule run` at a terminal: what is typed is for the command, and whatever it came to is registered."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

DIALOGUE = Path(__file__).parents[1] / "terminal_dialogue.py"
RUN = [sys.executable, "-m", "capsulestore_cli", "run", "--"]
CTRL_C, CTRL_Z = "\x03", "\x1a"


@pytest.fixture
def talk(project, store):
    """Run a command in the project, on a terminal, and answer what it shows; return its status and what was shown."""

    def run(command, *dialogue):
        done = subprocess.run(
            [sys.executable, DIALOGUE, json.dumps(dialogue), *command],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


@pytest.fixture
def registered(capsule):
    """What the last capsule says of its run."""

    def read():
        manifest = capsule("show", "@", "--json").json["manifest"]
        return manifest["status"], manifest["run"]["exit_code"]

    return read


def test_an_interrupt_ends_the_command_and_is_registered(talk, registered):
    wait = "print('ready', flush=True); import time; time.sleep(1000)"
    status, shown = talk([*RUN, ".venv/bin/python", "-c", wait], ["ready", CTRL_C])
    assert (status, shown.count("KeyboardInterrupt")) == (130, 1)
    assert registered() == ("failed", 130)


def test_an_interrupt_that_the_command_outlives_is_its_own(talk, registered):
    script = "trap '' INT; echo ready; read answer; echo typed $answer"
    status, shown = talk([*RUN, "sh", "-c", script], ["ready", f"{CTRL_C}all\n"])
    assert (status, "typed all" in shown) == (0, True)
    assert registered() == ("completed", 0)


def test_a_password_is_asked_for_and_not_shown(talk, registered):
    script = "import getpass; print('length', len(getpass.getpass()))"
    status, shown = talk([*RUN, ".venv/bin/python", "-c", script], ["Password", "secret\n"])
    assert (status, "length 6" in shown, "secret" in shown) == (0, True, False)
    assert registered() == ("completed", 0)


def test_a_stopped_command_gives_the_terminal_back_and_is_registered_in_the_end(talk, registered, tmp_path):
    settings = tmp_path / "bashrc"
    settings.write_text(f"PS1='prompt$ '\nrun() {{ {shlex.join(RUN)} \"$@\"; }}\n")
    status, shown = talk(
        ["bash", "--noediting", "--rcfile", str(settings), "-i"],
        ["prompt$ ", 'run .venv/bin/python -c \'print(input("rea" + "dy"))\'\n'],
        ["ready", CTRL_Z],
        ["Stopped", "echo status $?\n"],
        ["status 148", "fg\n"],
        ["capsulestore_cli", "said\n"],
        ["capsule ", "exit 7\n"],
    )
    assert status == 7, shown
    assert registered() == ("completed", 0)


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["INT", "TERM", "HUP"],
)
def test_a_signal_sent_to_us_ends_the_command_and_is_registered(number, status, project, store, registered):
    wait = "import signal; signal.signal(2, signal.SIG_DFL); print('ready', flush=True); signal.pause()"
    with subprocess.Popen([*RUN, ".venv/bin/python", "-c", wait], cwd=project, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(number)
    assert process.returncode == status
    assert registered() == ("failed", 128 + number)


def test_a_reader_that_goes_away_ends_the_command_and_not_the_recording(project, store, registered):
    script = '"$@" | head -1; exit ${PIPESTATUS[0]}'
    done = subprocess.run(["bash", "-c", script, "bash", *RUN, "yes"], cwd=project, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (141, b"y\n")
    assert registered() == ("failed", 141)
