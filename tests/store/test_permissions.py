"""A store's files have the permissions that git would give them, and a store that cannot be written is left alone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from capsulestore.store import Store

NOBODY = 65534

WRITE_AS = """
import os, sys
from capsulestore.errors import CapsuleError
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store

scratch, path, user, group, title = sys.argv[1:]

def add(store, title=title):
    record(store, Surroundings(environment={"python": {"rules": 1}}), Description(title=title))

# What is imported when it is first needed is imported before this process becomes somebody who may not read it.
with Store.init(scratch) as store:
    add(store, "first")
    add(store, "second")
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(int(group))
    os.setuid(int(user))
os.umask(0o002)
try:
    with Store(path) as store:
        add(store)
except CapsuleError as error:
    print(error.code, error.exit_code)
else:
    print("added")
"""


@pytest.fixture
def everybodys():
    """A directory whose way down is open to all users, which pytest's own is not."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def write_as(tmp_path):
    def write_as(store, user=NOBODY, group=NOBODY, title="by another"):
        arguments = [str(tmp_path / "scratch"), store.path, str(user), str(group), title]
        done = subprocess.run([sys.executable, "-c", WRITE_AS, *arguments], capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.stdout.strip()

    return write_as


def under_umask(umask: int, make) -> None:
    before = os.umask(umask)
    try:
        make()
    finally:
        os.umask(before)


def modes(directory):
    return {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in map(Path(directory).joinpath, ["", "HEAD", "config", "objects", "refs"])
    }


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o027, 0o077])
def test_the_umask_is_respected_as_by_git(tmp_path, git, umask):
    def make():
        Store.init(str(tmp_path / "ours")).close()
        (tmp_path / "gits").mkdir()
        git(tmp_path / "gits", "init", "-q", "--bare", "--object-format=sha256", ".capsules")

    under_umask(umask, make)
    assert modes(tmp_path / "ours" / ".capsules") == modes(tmp_path / "gits" / ".capsules")


def test_nothing_is_open_to_others_under_a_strict_umask(tmp_path, add):
    def make():
        with Store.init(str(tmp_path)) as store:
            add(store, packages=1)
            add(store, "a pack", packages=12)

    under_umask(0o077, make)
    assert [path for path in (tmp_path / ".capsules").rglob("*") if path.stat().st_mode & 0o077] == []


def test_objects_cannot_be_overwritten_by_mistake(store, add):
    add(store, packages=1)
    add(store, "a pack", packages=12)
    files = [path for path in Path(store.path, "objects").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o222 for path in files} == {0}


def test_a_store_in_a_directory_of_a_group_stays_the_groups_as_with_git(tmp_path, git):
    tmp_path.chmod(0o2775)
    Store.init(str(tmp_path)).close()
    git(tmp_path, "init", "-q", "--bare", "gits")
    assert (tmp_path / "gits").stat().st_mode & stat.S_ISGID
    assert (tmp_path / ".capsules").stat().st_mode & stat.S_ISGID
    assert (tmp_path / ".capsules" / "objects").stat().st_mode & stat.S_ISGID


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act as two users")
def test_two_users_of_a_group_share_a_store(everybodys, write_as):
    group = 54321
    os.chown(everybodys, -1, group)
    everybodys.chmod(0o2775)
    under_umask(0o002, lambda: Store.init(str(everybodys)).close())
    with Store(str(everybodys)) as store:
        assert write_as(store, NOBODY, group, "by one") == "added"
        assert write_as(store, NOBODY - 1, group, "by the other") == "added"
        assert write_as(store, NOBODY, group, "by one again") == "added"
        assert len(list(store.commits())) == 3


@pytest.fixture
def read_only(everybodys, add):
    """A store with a capsule in it, that only its owner could write, and not even the owner for now."""
    with Store.init(str(everybodys)) as store:
        add(store)
        directories = [Path(store.path), *(path for path in Path(store.path).rglob("*") if path.is_dir())]
        for directory in directories:
            directory.chmod(0o555)
        yield store
        for directory in directories:
            directory.chmod(0o755)


def test_a_store_that_may_only_be_read_refuses_and_stays_as_it_was(read_only, write_as, listing):
    before = listing(read_only.path)
    assert write_as(read_only) == "store_unwritable 6"
    assert listing(read_only.path) == before


def test_a_store_that_may_only_be_read_can_be_read(read_only, whole):
    whole(read_only, read_only.resolve("@").digest)
