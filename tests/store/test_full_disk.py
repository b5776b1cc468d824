"""A disk that is full, or fails, while a capsule is added: an error of ours, and the shelf as it was."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from capsulestore.store import Store

WRITER = Path(__file__).with_name("writer.py")

LIMITED = """
import resource, runpy, sys

limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def unfinished(store: Store) -> list[str]:
    names = [str(path) for path in Path(store.path).rglob("*")]
    return [name for name in names if "tmp_" in name or name.endswith((".lock", ".keep", "draft"))]


@pytest.mark.parametrize(
    ("limit", "packages"), [(0, 1), (50, 1), (64, 1), (0, 12), (50, 12), (500, 12), (1200, 12), (1500, 12)]
)
def test_a_file_that_cannot_grow_is_an_error_of_ours_and_leaves_nothing(store, add, listing, limit, packages):
    add(store, "before")
    before = listing(store.path)
    command = [sys.executable, "-c", LIMITED, str(limit), str(WRITER), store.path, "0", "1", str(packages)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert done.stderr.startswith("StoreUnwritable: ")
    assert os.strerror(errno.EFBIG) in done.stderr
    after = listing(store.path)
    assert unfinished(store) == []
    assert {path: data for path, data in after.items() if path.startswith("refs")} == {
        path: data for path, data in before.items() if path.startswith("refs")
    }


@pytest.fixture(
    scope="module",
    params=[(call, packages) for call in ("link", "rename", "fsync") for packages in (1, 12)],
    ids=lambda param: f"{param[0]} {'packed' if param[1] > 1 else 'loose'}",
)
def failed(request, at_each_call):
    """Stores in each of which another call of that kind failed while a capsule was added."""
    syscall, packages = request.param
    return at_each_call(syscall, "error=ENOSPC", packages)


def commits(store: Store) -> int:
    return len(list(store.commits()))


@pytest.mark.slow
def test_whichever_call_fails_it_is_an_error_of_ours(failed):
    for interrupted in failed:
        assert (interrupted.returncode, interrupted.out) == (6, "")
        assert interrupted.error.startswith("StoreUnwritable: ")
        assert os.strerror(errno.ENOSPC) in interrupted.error


@pytest.mark.slow
def test_whichever_call_fails_the_shelf_still_holds_what_it_held(failed):
    """What was to be added may be there too: where only its durability, or the name `@`, could not be had."""
    for interrupted in failed:
        with Store(interrupted.path) as store:
            titles = [registration.commit.message for registration in store.commits()]
            assert titles in (["before"], ["capsule 0", "before"])
            assert len(titles) == 1 or "nothing was registered" not in interrupted.error


@pytest.mark.slow
def test_whichever_call_fails_no_unfinished_file_is_left(failed):
    for interrupted in failed:
        with Store(interrupted.path) as store:
            assert unfinished(store) == []


@pytest.mark.slow
def test_whichever_call_fails_the_next_add_works(failed, copy_of, add, sound, whole):
    for interrupted in failed:
        store = copy_of(interrupted.path)
        before = commits(store)
        recorded = add(store, "after")
        assert recorded.new
        assert commits(store) == before + 1
        whole(store, recorded.capsule)
        sound(store)
