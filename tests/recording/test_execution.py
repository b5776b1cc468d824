"""A command that is run has everything it would have without us, and ends as it ends."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

RUN = [sys.executable, str(Path(__file__).with_name("execute_command.py"))]


def run(*command, **options):
    return subprocess.run([*RUN, *command], capture_output=True, check=False, **options)


@pytest.mark.parametrize(
    ("script", "status", "by"),
    [("true", 0, None), ("exit 1", 1, None), ("exit 255", 255, None), ("kill -9 $$", 137, 9), ("kill -15 $$", 143, 15)],
)
def test_the_status_is_as_a_shell_reports_it(script, status, by):
    done = run("sh", "-c", script)
    assert (done.returncode, done.stderr) == (status, f"[status {status} signal {by}]\n".encode())


def test_start_and_end_are_times_in_utc():
    told = """if True:
        import os
        from capsulestore.recording.execution import execute
        done = execute(["true"], environ=os.environ)
        print(done.started_at.isoformat(), done.finished_at.isoformat())
    """
    before = datetime.now(UTC)
    printed = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout
    started, finished = map(datetime.fromisoformat, printed.split())
    assert before <= started <= finished <= datetime.now(UTC)
    assert started.utcoffset().total_seconds() == 0


def test_standard_streams_are_its_own():
    done = run("sh", "-c", "cat; echo told >&2", input=b"bytes \xff\0\n")
    assert (done.stdout, done.stderr) == (b"bytes \xff\0\n", b"told\n[status 0 signal None]\n")


def test_a_reader_that_goes_away_ends_it_as_without_us():
    script = '"$@" | head -1; exit ${PIPESTATUS[0]}'
    done = subprocess.run(["bash", "-c", script, "bash", *RUN, "yes"], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (141, b"y\n")


def test_a_further_descriptor_is_passed_on(tmp_path):
    script = '"$0" "$1" sh -c "echo through >&3" 3> file'
    subprocess.run(["sh", "-c", script, *RUN], cwd=tmp_path, check=True)
    assert (tmp_path / "file").read_text() == "through\n"


@pytest.mark.parametrize(("closed", "left"), [("<&-", "12"), (">&-", "02"), ("2>&-", "01"), ("<&- >&- 2>&-", "")])
def test_closed_streams_stay_closed(closed, left, tmp_path):
    look = """if True:
        import os
        def is_open(number):
            try:
                return bool(os.fstat(number))
            except OSError:
                return False
        seen = "".join(str(number) for number in range(3) if is_open(number))
        with open("open", "w") as file:
            file.write(seen)
    """
    script = f'"$0" "$1" "$2" -c "$3" {closed}'
    subprocess.run(["sh", "-c", script, *RUN, sys.executable, look], cwd=tmp_path, check=True)
    assert (tmp_path / "open").read_text() == left


def test_it_inherits_what_a_process_has():
    look = """if True:
        import os, resource, signal
        print(os.umask(0), os.nice(0), os.getcwd(), resource.getrlimit(resource.RLIMIT_CORE))
        print(os.getpgrp() == os.getsid(0), signal.pthread_sigmask(signal.SIG_BLOCK, []))
    """
    prepare = "umask 027; ulimit -c 0; exec setsid --wait nice -n 3 env --block-signal=USR1"
    directly, through = (
        subprocess.run(
            ["sh", "-c", f'{prepare} {by_us} "$2" -c "$3"', *RUN, sys.executable, look], capture_output=True, check=True
        )
        for by_us in ("", '"$0" "$1"')
    )
    assert directly.stdout == through.stdout
    assert through.stdout.startswith(b"23 3 ")
    assert b"SIGUSR1" in through.stdout


def test_it_runs_in_the_directory_and_we_stay_where_we_are(tmp_path):
    (tmp_path / "within").mkdir()
    (tmp_path / "within" / "here").write_text("#!/bin/sh\npwd\n")
    (tmp_path / "within" / "here").chmod(0o755)
    told = """if True:
        import os
        from capsulestore.recording.execution import execute
        execute(["./here"], environ=os.environ, directory="within")
        print(os.getcwd())
    """
    done = subprocess.run([sys.executable, "-c", told], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == [str(tmp_path), str(tmp_path / "within")]


def test_it_has_the_variables_given_and_no_others():
    told = """if True:
        from capsulestore.recording.execution import execute
        execute(["env"], environ={"PATH": "/usr/bin:/bin", "ONLY": "this"})
    """
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["ONLY=this", "PATH=/usr/bin:/bin"]


def test_arguments_of_any_bytes_and_length_arrive():
    arguments = [b"", b"\xff\xfe", b"a b", "ä".encode(), b"-x", b"x" * 100_000]
    done = run("printf", r"%s\n", *arguments)
    assert done.stdout == b"".join(argument + b"\n" for argument in arguments)
