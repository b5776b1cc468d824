"""Signals while a command runs: each reaches the command once, and none ends us before it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

RUN = [sys.executable, str(Path(__file__).with_name("execute_command.py"))]
FORWARDED = ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"]
ENDING = [
    "SIGINT",
    "SIGTERM",
    *(pytest.param(name, marks=pytest.mark.slow) for name in FORWARDED if name not in {"SIGINT", "SIGTERM"}),
]
"""The same, of which two are tried every day."""

COUNTS = """if True:
    import os, signal, sys
    received = []
    def receive(number, _):
        received.append(number)
        print("received", number, flush=True)
    for name in sys.argv[1:]:
        signal.signal(getattr(signal, name), receive)
    print(os.getpid(), flush=True)
    sys.stdin.read()
    print(*received, flush=True)
    sys.exit(5)
"""
WAITS = """if True:
    import os, signal
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    print(os.getpid(), flush=True)
    signal.pause()
"""


@pytest.fixture
def started():
    """Start a command through us, away from any terminal, and wait for its first line: its process id."""
    running = []

    def start(*command, prefix=()):
        process = subprocess.Popen(
            [*prefix, *RUN, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        return process, int(process.stdout.readline())

    yield start
    for process in running:
        with process:
            process.kill()


@pytest.mark.parametrize("name", FORWARDED)
def test_a_signal_sent_to_us_alone_reaches_the_command_once(name, started):
    process, _ = started(sys.executable, "-c", COUNTS, name)
    number = getattr(signal, name).value
    process.send_signal(number)
    assert process.stdout.readline() == f"received {number}\n"
    out, _ = process.communicate()
    assert (out, process.returncode) == (f"{number}\n", 5)


@pytest.mark.parametrize("name", ENDING)
@pytest.mark.parametrize("to_us", [True, False], ids=["sent to us", "sent to the command"])
def test_a_signal_that_ends_the_command_is_its_status(name, to_us, started):
    process, command = started(sys.executable, "-c", WAITS)
    number = getattr(signal, name).value
    os.kill(process.pid if to_us else command, number)
    _, err = process.communicate()
    assert (process.returncode, err) == (128 + number, f"[status {128 + number} signal {number}]\n")


def test_a_signal_to_the_whole_group_is_survived_to_tell_the_status(started):
    process, _ = started(sys.executable, "-c", WAITS)
    os.killpg(process.pid, signal.SIGTERM)
    _, err = process.communicate()
    assert (process.returncode, err) == (143, "[status 143 signal 15]\n")


@pytest.mark.parametrize(
    ("prefix", "number"), [(["nohup"], 1), (["env", "--ignore-signal=INT"], 2)], ids=["HUP", "INT"]
)
def test_what_our_caller_ignores_stays_ignored(prefix, number, started):
    look = f"""if True:
        import os, signal, sys
        print(os.getpid(), flush=True)
        sys.stdin.read()
        print(signal.getsignal({number}) == signal.SIG_IGN)
    """
    process, _ = started(sys.executable, "-c", look, prefix=prefix)
    process.send_signal(number)
    out, _ = process.communicate()
    assert (process.returncode, out) == (0, "True\n")


def test_what_python_ignores_for_itself_is_not_ignored_in_the_command():
    dispositions = "grep -E 'Sig(Ign|Blk)' /proc/self/status | cut -f2 | cut -c9-"
    done = subprocess.run([*RUN, "sh", "-c", dispositions], capture_output=True, text=True, check=True)
    ignored = [int(line, 16) & 0x7FFFFFFF for line in done.stdout.split()]
    assert ignored == [0, 0]


def test_a_command_that_is_stopped_from_outside_is_waited_for(started):
    process, command = started(sys.executable, "-c", COUNTS, "SIGUSR1")
    os.kill(command, signal.SIGSTOP)
    process.send_signal(signal.SIGUSR1)
    os.kill(command, signal.SIGCONT)
    assert process.stdout.readline() == "received 10\n"
    process.send_signal(signal.SIGUSR1)
    assert process.stdout.readline() == "received 10\n"
    process.communicate()
    assert process.returncode == 5


def test_the_end_is_seen_though_our_caller_ignores_the_end_of_children():
    command = ["env", "--ignore-signal=CHLD", *RUN, "sh", "-c", "exit 3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "[status 3 signal None]\n")


def test_our_own_signals_are_afterwards_as_they_were():
    told = """if True:
        import os, signal
        from capsulestore.errors import NotStarted
        from capsulestore.recording.execution import execute
        signal.signal(signal.SIGUSR1, print)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
        def state():
            return [signal.getsignal(n) for n in signal.valid_signals()], signal.pthread_sigmask(signal.SIG_BLOCK, [])
        before = state()
        execute(["true"], environ=os.environ)
        after = state()
        try:
            execute(["./none"], environ=os.environ)
        except NotStarted:
            print(before == after == state())
    """
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
