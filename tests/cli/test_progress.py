"""What is seen of an exchange while it goes on: a line on a terminal that is gone at the end, and else nothing.

Also what is left when it does not come to its end: Ctrl-C, a closed pipe, a full disk below the answer.
"""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from shared_stores import bare, check, git, refs, register

from capsulestore_cli.progress import size

DIALOGUE = Path(__file__).parents[1] / "terminal_dialogue.py"
PATIENCE_SECONDS = 30.0
COMMAND = [sys.executable, "-m", "capsulestore_cli"]


@pytest.fixture
def project(tmp_path):
    """A directory with a store of two capsules in it, whose remote is an empty repository, `team.git` beside it."""
    (tmp_path / "project").mkdir()
    register(tmp_path / "project", "first", "second")
    git(tmp_path / "project" / ".capsules", "remote", "add", "origin", bare(tmp_path / "team.git"))
    return tmp_path / "project"


@pytest.fixture
def store(project):
    return project / ".capsules"


@pytest.fixture
def team(project, tmp_path):
    return tmp_path / "team.git"


def hook(path: Path, text: str) -> Path:
    """A program that git runs."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def on_terminal(project):
    """Run a command on a terminal, and return its status and all that the terminal was given, but for the answer."""

    def run(*words: str, **environ: str) -> tuple[int, str]:
        line = f"{shlex.join([*COMMAND, *words])} > answer"
        done = subprocess.run(
            [sys.executable, DIALOGUE, json.dumps([]), "sh", "-c", line],
            cwd=project,
            env=os.environ | environ,
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stdout.decode()

    return run


def left_on_screen(shown: str) -> list[str]:
    """The lines of a terminal after what it was given: a carriage return goes back, what follows is written over."""
    lines = []
    for line in shown.replace("\r\n", "\n").split("\n"):
        cells: list[str] = []
        for part in line.split("\r"):
            cells[: len(part)] = part
        lines.append("".join(cells).rstrip())
    return [line for line in lines if line]


@pytest.mark.slow
def test_on_a_terminal_it_is_shown_how_far_it_has_come_and_then_gone(on_terminal, store, team):
    hook(
        team / "hooks" / "pre-receive",
        "printf 'Checking objects: 100%% (7/7), done.\\n' >&2; cat > /dev/null",
    )
    status, shown = on_terminal("push")
    assert (status, left_on_screen(shown)) == (0, [])
    assert re.search(r"\r(\d+ of \d+ objects, )?[\d.]+ (KB|bytes)", shown)
    assert "remote: Checking objects: 100% (7/7), done." in shown
    assert "\x1b" not in shown
    (told,) = (store.parent / "answer").read_text().splitlines()
    assert told.startswith("2 capsules, ")


@pytest.mark.slow
def test_what_the_remote_says_stays_with_its_control_characters_escaped(on_terminal, team):
    hook(
        team / "hooks" / "post-receive",
        r"printf 'welcome \033]0;owned\007\nhalf\r\302\233 \330\271\n\nunfinished'; exec >&2",
    )
    status, shown = on_terminal("push", NO_COLOR="1")
    assert status == 0
    assert left_on_screen(shown) == [
        r"remote: welcome \x1b]0;owned\x07",
        r"remote: \x9b ع",
        "remote: unfinished",
    ]
    assert "\x1b" not in shown


@pytest.mark.slow
def test_in_a_pipe_nothing_is_shown(capsule, store, team):
    hook(team / "hooks" / "post-receive", "echo welcome")
    done = capsule("push", "--color", "always")
    assert (done.status, done.err) == (0, "")


def test_sizes_are_told_in_thousands():
    sizes = {0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1_000: "1.0 KB", 18_249: "18.2 KB", 999_949: "999.9 KB"}
    sizes |= {999_950: "1.0 MB", 5 * 10**9: "5.0 GB", 7 * 10**12: "7000.0 GB"}
    assert {count: size(count) for count in sizes} == sizes


@pytest.fixture
def interrupted(project, tmp_path):
    """Start a command that will hang, interrupt it once `hanging` runs, and return its status and what it said."""

    def run(*words: str, cwd: Path = project) -> tuple[int, bytes, bytes]:
        process = subprocess.Popen([*COMMAND, *words], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        ready, _, _ = select.select([hanging], [], [], PATIENCE_SECONDS)
        assert (ready, os.read(hanging, 100)) == ([hanging], b"now\n")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        return process.returncode, out, err

    os.mkfifo(tmp_path / "hanging")
    # For writing too, so that it is not at its end before anybody has written.
    hanging = os.open(tmp_path / "hanging", os.O_RDWR)
    yield run
    os.close(hanging)


@pytest.mark.slow
def test_an_interrupted_push_leaves_nothing_and_can_be_done_again(interrupted, capsule, store, team, tmp_path):
    hanging = hook(team / "hooks" / "pre-receive", f"echo now > {shlex.quote(str(tmp_path))}/hanging; exec sleep 1000")
    before = refs(store)
    assert interrupted("push") == (130, b"", b"")
    assert (refs(team), refs(store)) == ({}, before)
    # What a git that is ended had not yet made its own it leaves to `git gc`.
    git(team, "fsck", "--strict")
    check(store)
    hanging.unlink()
    assert capsule("push").out.startswith("2 capsules, ")
    assert refs(team) == refs(store)


@pytest.mark.slow
def test_an_interrupted_pull_or_clone_leaves_nothing_and_can_be_done_again(
    interrupted, capsule, store, team, tmp_path, unchanged
):
    capsule("push")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    register(elsewhere, "theirs")
    # Git makes half of what it is to send, and no more of it comes.
    hanging = hook(
        tmp_path / "hook", f'"$@" | head -c 900; echo now > {shlex.quote(str(tmp_path))}/hanging; exec sleep 1000'
    )
    Path(os.environ["GIT_CONFIG_GLOBAL"]).write_text(f'[uploadpack]\npackObjectsHook = "{hanging}"\n')
    before = unchanged(elsewhere)
    assert interrupted("pull", str(team), cwd=elsewhere) == (130, b"", b"")
    assert interrupted("clone", str(team), "new/place", cwd=elsewhere) == (130, b"", b"")
    assert unchanged(elsewhere) == before
    assert sorted(path.name for path in elsewhere.iterdir()) == [".capsules", ".gitignore"]
    check(elsewhere / ".capsules")
    Path(os.environ["GIT_CONFIG_GLOBAL"]).unlink()
    assert capsule("pull", team, cwd=elsewhere).out.startswith("2 capsules, ")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["push", "pull", "bundle"])
def test_where_the_answer_cannot_be_told_the_exchange_is_done(command, store, team, project):
    words = [command] if command != "bundle" else [command, "file"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, *words], cwd=project, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, *words], cwd=project, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, b"cannot write the answer" in done.stderr) == (6, True)
    assert command != "push" or refs(team) == refs(store)
