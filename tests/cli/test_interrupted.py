"""Ctrl-C at any moment: status 130, nothing said, nothing half, nobody left behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

MOMENTS = 18
AT_FIRST = 0.01
"""Seconds."""
MARK = "CAPSULESTORE_TEST_MARK"

# The interpreter's own start, before any line of ours, knows no Ctrl-C but a traceback.
COMMAND = """
import os, sys

from capsulestore_cli.__main__ import main

os.close(int(sys.argv.pop(1)))
main()
"""


@pytest.fixture
def start(project, tmp_path):
    """Start a command, and return its process when it has begun."""

    def start(*arguments: str) -> subprocess.Popen:
        begun, beginning = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(beginning), *arguments],
            cwd=project,
            env=os.environ | {MARK: str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=[beginning],
        )
        os.close(beginning)
        assert os.read(begun, 1) == b""
        os.close(begun)
        return process

    return start


@pytest.fixture
def left_behind(tmp_path):
    """Name the processes that descend from a command of this test."""

    def left_behind() -> list[str]:
        mark = os.fsencode(f"{MARK}={tmp_path}")
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    found.append((process / "cmdline").read_text())
        return found

    return left_behind


@pytest.fixture
def interrupted(start, left_behind):
    """Interrupt a command at so many moments spread over the time it takes, and yield what each has printed.

    `arguments` makes the command line for each number.
    """

    def interrupted(arguments):
        process = start(*arguments(MOMENTS))
        begun = time.monotonic()
        complete = process.communicate()
        takes = time.monotonic() - begun
        assert (process.returncode, complete[1]) == (0, "")
        statuses = []
        for number in range(MOMENTS):
            process = start(*arguments(number))
            with suppress(subprocess.TimeoutExpired):
                # Not before our first line: it has said that it begins, and has not done so yet.
                process.wait(timeout=max(AT_FIRST, takes * (number + random.random()) / MOMENTS))
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
            # Who has answered may end as one that was not interrupted or, in the interpreter's own end, by the signal,
            # which says so of itself.
            assert (err if not out else "", left_behind()) == ("", [])
            assert process.returncode in ({0, 130, -signal.SIGINT} if out else {130})
            statuses.append(process.returncode)
            yield number, out
        assert statuses.count(130) > MOMENTS / 5

    return interrupted


def sound(store: Path) -> None:
    done = subprocess.run(["git", "-C", store, "fsck", "--strict", "--no-dangling"], capture_output=True, check=False)
    assert (done.returncode, unfinished(store)) == (0, [])


def unfinished(directory: Path) -> list[Path]:
    return [
        path
        for path in directory.rglob("*")
        if path.name.startswith("tmp_") or path.name.endswith((".lock", ".keep", ".new"))
    ]


@pytest.mark.slow
def test_an_interrupted_add_has_registered_its_capsule_whole_or_not(interrupted, capsule, store):
    for number, out in interrupted(lambda number: ("add", "-m", f"capsule {number}")):
        sound(store)
        log = subprocess.run(["git", "-C", store, "log", "--format=%s %T"], capture_output=True, text=True, check=True)
        shelf = dict(line.rsplit(" ", 1) for line in log.stdout.splitlines())
        if out:
            assert shelf[f"capsule {number}"] == out.strip()
    assert all(capsule("verify", digest).status == 0 for digest in shelf.values())
    assert capsule("add", "-m", "afterwards").status == 0


@pytest.mark.slow
def test_an_interrupted_verify_changes_nothing(interrupted, capsule, store, project):
    capsule("add", "-m", "what is there")
    complete = capsule("verify").out
    refs = (store / "refs" / "heads" / "main").read_bytes()
    for _, out in interrupted(lambda number: ("verify",)):
        assert out in {"", complete}
        assert (store / "refs" / "heads" / "main").read_bytes() == refs
        sound(store)


@pytest.mark.slow
def test_an_interrupted_init_has_made_a_whole_store_or_none(interrupted, capsule, project, tmp_path):
    for number, out in interrupted(lambda number: ("init", str(tmp_path / f"place {number}"))):
        place = tmp_path / f"place {number}"
        assert unfinished(place) == []
        if out:
            assert out == f"{place / '.capsules'}\n"
        if (place / ".capsules").exists():
            sound(place / ".capsules")
        assert capsule("init", place).line == str(place / ".capsules")
        sound(place / ".capsules")
