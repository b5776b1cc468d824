"""The processes that compare: ended with us, however that is, and an error in words where one of them ends early."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from capsulestore.capture.asking import ask
from capsulestore.capture.integrity import check_installed
from capsulestore.capture.integrity.processes import Processes

CHECKING = """
import sys
from capsulestore.capture.asking import ask
from capsulestore.capture.integrity import check_installed
from capsulestore.errors import CapsuleError
interpreter = ask(sys.argv[1])
exec(sys.argv[2])
try:
    print(check_installed(interpreter).same)
except CapsuleError as error:
    print(f"{type(error).__name__}: {error.message}; {error.hint}")
"""


def workers(parent: int) -> list[int]:
    """Return the processes that a process has started to compare files."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            command = status.with_name("cmdline").read_bytes()
            if int(fields[1]) == parent and b"integrity/worker.py" in command:
                found.append(int(status.parent.name))
    return found


def wait_for(what):
    deadline = time.monotonic() + 20
    while not (found := what()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def endless(venv, edit_record, hash_of):
    """An environment that takes long to compare, for it has a file of a terabyte that is nowhere."""
    with (venv.site / "endless").open("wb") as file:
        file.truncate(2**40)
    edit_record(venv.info("beta"), f"endless,{hash_of(b'')},")
    return venv


@pytest.fixture
def start(endless):
    """Start to compare in a process of its own: `start(statement to be run first)`."""
    started = []

    def start(first: str = "") -> subprocess.Popen:
        command = [sys.executable, "-c", CHECKING, str(endless.python), first]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_one_that_is_killed_is_an_error_in_words_and_the_others_end(start):
    process = start()
    found = wait_for(lambda: workers(process.pid))
    # One of them has the endless file, and which it is, it tells nobody.
    for worker in found:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("CapsuleError: a process that compares files ended early, by SIGKILL; try again")
    assert all(map(is_gone, found))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_none_is_left_behind_when_we_are_ended(number, start):
    process = start()
    found = wait_for(lambda: workers(process.pid))
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode != 0
    wait_for(lambda: all(map(is_gone, found)))


def test_they_end_by_themselves_when_their_input_does(small):
    with Processes() as processes:
        number = min(8, len(os.sched_getaffinity(0)))
        found = wait_for(lambda: len(workers(os.getpid())) == number and workers(os.getpid()))
        assert list(processes.answers([])) == []
    assert all(map(is_gone, found))


def test_without_descriptors_it_is_an_error_in_words(endless, run_command):
    few = (
        "import resource, os; resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12)); [os.open('/', 0) for _ in range(7)]"
    )
    said = run_command(sys.executable, "-c", CHECKING, endless.python, few)
    assert "Too many open files" in said


def test_a_program_that_embeds_python_is_told_so(small, run_command):
    said = run_command(sys.executable, "-c", CHECKING, small.python, "sys.executable = ''")
    assert said.startswith("CapsuleError: the running program embeds Python")


def test_an_interpreter_that_is_gone_is_told(small, run_command):
    said = run_command(sys.executable, "-c", CHECKING, small.python, "sys.executable = '/nowhere/python'")
    assert said.startswith("CapsuleError: cannot start `/nowhere/python` to compare files: No such file or directory")


def test_threads_compare_at_the_same_time(small):
    interpreter = ask(str(small.python), environ=small.environ)
    found = []
    threads = [threading.Thread(target=lambda: found.append(check_installed(interpreter))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [check_installed(interpreter)] * 4
    assert workers(os.getpid()) == []


def test_where_nobody_waits_for_children_it_is_the_same(small, run_command):
    ignoring = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    assert run_command(sys.executable, "-c", CHECKING, small.python, ignoring) == "True\n"


def test_the_working_directory_stays_where_it_is(small, check, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check(small)
    assert Path.cwd() == tmp_path


def test_a_file_that_is_written_meanwhile_is_right_if_it_was_so_at_the_end(venv, check, found):
    """What writes the same bytes again and again makes no file wrong that is whole when it is looked at again."""
    core = venv.site / "alpha/core.py"
    whole = core.read_bytes()
    done = threading.Event()

    def write():
        while not done.is_set():
            draft = venv.site / "draft"
            draft.write_bytes(whole)
            draft.replace(core)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert [found(venv) for _ in range(5)] == [set()] * 5
    finally:
        done.set()
        writer.join()


@pytest.mark.slow
def test_a_file_that_grows_without_an_end_is_changed(venv, found):
    growing = "import sys\nwhile True:\n    open(sys.argv[1], 'ab').write(b'x' * 100_000)"
    process = subprocess.Popen([sys.executable, "-c", growing, venv.site / "beta.py"])
    try:
        wait_for(lambda: (venv.site / "beta.py").stat().st_size > 100_000)
        assert found(venv) == {("changed", "beta", "beta.py")}
    finally:
        process.kill()
        process.wait()
