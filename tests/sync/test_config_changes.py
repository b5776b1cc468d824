"""A store's config is changed whole or not at all, beside git that changes it too, and stays quick to check."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from capsulestore.errors import StoreUnreadable, StoreUnwritable, UsageError
from capsulestore.store import layout
from capsulestore.sync.remotes import named as remotes
from capsulestore.sync.remotes.config_lock import change_config

KILLED = """\
import os, signal, sys
from capsulestore.sync.remotes.config_lock import change_config
change_config(sys.argv[1], lambda config: os.kill(os.getpid(), signal.SIGKILL))
"""
OPEN = """\
import sys
from capsulestore.store import layout
layout.check(sys.argv[1])
print(*(name for name in sys.modules if name.startswith("dulwich")))
"""


@pytest.fixture
def config(store) -> Path:
    return Path(store.path, "config")


@pytest.fixture
def parsers_of() -> Callable[[str], str]:
    """The modules of a parser that a new process loads to know a store by its config."""
    return lambda path: subprocess.check_output([sys.executable, "-c", OPEN, path], text=True).strip()


def test_remotes_that_are_added_at_once_are_all_there(store):
    names = [f"remote-{number}" for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: remotes.add(store, name, "/a"), names))
    assert [remote.name for remote in remotes.listed(store.path)] == sorted(names)


def test_what_git_sets_meanwhile_is_not_lost(store, git):
    def set_by_git(number: int) -> bool:
        # Git gives up at once where somebody holds the file.
        command = ["git", "-C", store.path, "config", f"a.x{number}", "1"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    with ThreadPoolExecutor(4) as pool:
        added = [pool.submit(remotes.add, store, f"remote-{number}", "/a") for number in range(12)]
        was_set = list(pool.map(set_by_git, range(12)))
    assert [future.result().url for future in added] == ["/a"] * 12
    found = git(store.path, "config", "--list").splitlines()
    assert [f"a.x{number}=1" in found for number in range(12)] == was_set
    assert len(remotes.listed(store.path)) == 12


def test_git_finds_the_file_held_during_a_change(store):
    def change(config: bytes) -> bytes:
        command = ["git", "-C", store.path, "config", "a.x", "1"]
        assert b"could not lock" in subprocess.run(command, capture_output=True, check=False).stderr
        return config + b"[a]\n\tx = 2\n"

    change_config(store.path, change)


def test_a_change_that_fails_leaves_the_file_and_nothing_beside_it(store, config):
    before = config.read_bytes(), sorted(map(str, Path(store.path).rglob("*")))

    def refuse(config: bytes) -> bytes:
        raise UsageError("not so")

    with pytest.raises(UsageError):
        change_config(store.path, refuse)
    Path(store.path, "capsulestore", "lock").unlink()
    assert (config.read_bytes(), sorted(map(str, Path(store.path).rglob("*")))) == before


def test_a_process_that_was_killed_blocks_nobody(store, config):
    before = config.read_bytes()
    killed = subprocess.run([sys.executable, "-c", KILLED, store.path], check=False)
    assert (killed.returncode, config.read_bytes(), config.with_suffix(".lock").exists()) == (-9, before, True)
    remotes.add(store, "origin", "/a")
    assert not config.with_suffix(".lock").exists()
    assert sorted(path.name for path in Path(store.path, "capsulestore").iterdir()) == ["lock"]


def test_a_change_waits_for_git(store, config):
    before = config.read_bytes()
    lock, draft = config.with_suffix(".lock"), Path(store.path, "capsulestore", "config.draft")
    lock.touch()
    with ThreadPoolExecutor(1) as pool:
        added = pool.submit(remotes.add, store, "origin", "/a")
        while not draft.exists():
            assert not added.done(), added.result()
        assert config.read_bytes() == before
        lock.unlink()
    assert (added.result().url, remotes.find(store.path, "origin").url) == ("/a", "/a")


def test_a_config_that_cannot_be_read_is_left_alone_and_nothing_beside_it(store, config):
    config.unlink()
    with pytest.raises(StoreUnwritable):
        change_config(store.path, bytes.upper)
    assert not config.exists()
    assert not config.with_suffix(".lock").exists()


def test_a_store_with_remotes_is_known_without_a_parser(store, config, git, parsers_of):
    remotes.add(store, "origin", "/a path/é")
    git(store.path, "remote", "add", "lab/one", "ssh://example.org:22/a")
    git(store.path, "remote", "set-url", "--push", "origin", "user@example.org:a")
    assert parsers_of(store.path) == ""


@pytest.mark.parametrize(
    ("appended", "refused"),
    [
        (b"[extensions]\n\trefstorage = reftable\n", True),
        (b"[capsulestore]\n\tschema = 2\n", True),
        (b'[remote "a"]\n\turl = /a\\\n[capsulestore]\n\tschema = 2\n', False),
        (b'[remote "a"]\n\turl = "/a\n', True),
        (b'[remote "a"]\n\turl = /a\n[capsulestore]\n\tschema = 2\n', True),
        (b'[remote "a"]\n\turl = /a\n\tschema\n', False),
        (b'[remote "a"]\n[capsulestore]\n\tschema = 1\n', False),
        (b'[remote "a"]\n\turl = /a\n' * 4_000 + b"[capsulestore]\n\tschema = 2\n", True),
    ],
)
def test_whatever_else_a_config_says_is_parsed(store, config, parsers_of, appended, refused):
    config.write_bytes(config.read_bytes() + appended)
    if refused:
        with pytest.raises(StoreUnreadable):
            layout.check(store.path)
    else:
        assert "dulwich.config" in parsers_of(store.path)
