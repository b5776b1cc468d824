"""A command at a terminal: what is typed means what it means without us. Real terminals, a real interactive shell."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
RUN = [sys.executable, str(HERE / "execute_command.py")]
PYTHON = shlex.quote(sys.executable)
CTRL_C, CTRL_Z, CTRL_BACKSLASH = "\x03", "\x1a", "\x1c"

TAKES = """if True:
    import signal
    keys = {signal.SIGINT, signal.SIGQUIT}
    signal.pthread_sigmask(signal.SIG_BLOCK, keys)
    print("ready", flush=True)
    print("received", int(signal.sigwait(keys)), flush=True)
    print("typed", input(), "more signals", len(signal.sigpending()))
    raise SystemExit(5)
"""
WAITS = "import signal; signal.signal(2, 0); print('ready', flush=True); signal.pause()"


@pytest.fixture
def talk(tmp_path):
    """Run a command on a terminal and answer what it shows; return the status and what the terminal showed."""

    def run(command, *dialogue):
        done = subprocess.run(
            [sys.executable, str(HERE.parent / "terminal_dialogue.py"), json.dumps(dialogue), *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.replace("\r\n", "\n")

    return run


@pytest.fixture
def shell(talk, tmp_path):
    """Type into an interactive shell, in which `run` runs a command through us."""
    if not shutil.which("bash"):
        pytest.skip("bash is not installed")

    settings = tmp_path / "bashrc"
    settings.write_text(f"PS1='prompt$ '\nrun() {{ {shlex.join(RUN)} \"$@\"; }}\n")
    return lambda *dialogue: talk(["bash", "--noediting", "--rcfile", str(settings), "-i"], *dialogue)


@pytest.mark.parametrize(("key", "number"), [(CTRL_C, 2), (CTRL_BACKSLASH, 3)])
def test_a_key_that_ends_the_command_is_told_as_its_status(key, number, talk):
    status, shown = talk([*RUN, sys.executable, "-c", WAITS], ["ready", key])
    assert status == 128 + number
    assert f"[status {128 + number} signal {number}]" in shown


@pytest.mark.parametrize(("key", "number"), [(CTRL_C, 2), (CTRL_BACKSLASH, 3)])
def test_a_key_that_the_command_handles_reaches_it_once_and_not_us(key, number, talk):
    status, shown = talk([*RUN, sys.executable, "-c", TAKES], ["ready", key], [f"received {number}", "on\n"])
    assert (status, "typed on more signals 0" in shown) == (5, True)


def test_a_key_that_the_command_ignores_ends_nobody(talk):
    script = "trap '' INT; echo ready; read answer; echo typed $answer; exit 4"
    status, shown = talk([*RUN, "sh", "-c", script], ["ready", f"{CTRL_C}all\n"])
    assert status == 4
    assert "typed all" in shown


def test_an_interrupt_of_python_is_its_own_traceback(talk):
    script = "print('ready', flush=True); import time; time.sleep(1000)"
    status, shown = talk([*RUN, sys.executable, "-c", script], ["ready", CTRL_C])
    assert status == 130
    assert shown.count("KeyboardInterrupt") == 1


def test_a_password_is_asked_for_and_not_shown(talk):
    script = "import getpass; print('length', len(getpass.getpass()))"
    status, shown = talk([*RUN, sys.executable, "-c", script], ["Password", "secret\n"])
    assert (status, "length 6" in shown, "secret" in shown) == (0, True, False)


def test_the_size_of_the_window_is_the_command_s(talk):
    script = """if True:
        import os, signal
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
        signal.signal(signal.SIGWINCH, print)
        print("ready", flush=True)
        signal.sigwait({signal.SIGWINCH})
        print("size", *os.get_terminal_size())
    """
    status, shown = talk([*RUN, sys.executable, "-c", script], ["ready", [33, 77]])
    assert (status, "size 77 33" in shown) == (0, True)


def test_a_stopped_command_gives_the_terminal_back_and_goes_on_in_the_foreground(shell):
    status, shown = shell(
        ["prompt$ ", f'run {PYTHON} -c \'print(input("rea" + "dy"))\'\n'],
        ["ready", CTRL_Z],
        ["Stopped", "echo status $?\n"],
        ["status 148", "fg\n"],
        ["execute_command", "said\n"],
        ["[status 0 signal None]", "exit 7\n"],
    )
    assert status == 7, shown


def test_a_command_that_stops_itself_gives_the_terminal_back(shell):
    stop = 'import os, signal; os.kill(os.getpid(), signal.SIGSTOP); print("af" + "ter")'
    status, shown = shell(
        ["prompt$ ", f"run {PYTHON} -c '{stop}'\n"],
        ["Stopped", "fg\n"],
        ["after", "exit 7\n"],
    )
    assert status == 7, shown


def test_a_command_that_ignores_the_stop_key_goes_on(shell):
    script = 'trap "" TSTP; echo rea""dy; read answer; echo ty""ped $answer'
    status, shown = shell(
        ["prompt$ ", f"run sh -c '{script}'\n"],
        ["ready", f"{CTRL_Z}all\n"],
        ["typed all", "exit 7\n"],
    )
    assert (status, "Stopped" in shown) == (7, False)


def test_a_command_in_the_background_stops_at_the_terminal_and_can_be_taken_back(shell):
    status, shown = shell(
        ["prompt$ ", "run sh -c 'read answer; echo ty\"\"ped $answer' &\n"],
        ["prompt$ ", 'while [ -z "$(jobs -s)" ]; do read -t 0.1 < <(:); done; fg\n'],
        ["run", "all\n"],
        ["typed all", "exit 7\n"],
    )
    assert status == 7, shown


def test_an_interrupt_ends_the_command_and_leaves_the_shell(shell):
    status, shown = shell(
        ["prompt$ ", "run sh -c 'echo rea\"\"dy; exec cat'\n"],
        ["ready", CTRL_C],
        ["[status 130 signal 2]", "echo status $?\n"],
        ["status 130", "exit 7\n"],
    )
    assert status == 7, shown
