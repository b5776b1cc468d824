"""No git is needed: a store is made, added to and read where there is none, and git finds it as it should be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from capsulestore.store import Store

SCRIPT = """
import shutil, sys
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store

assert shutil.which("git") is None
with Store.init(sys.argv[1]) as store:
    for packages in (1, 12):
        entries = {f"package-{number}": {"version": str(number)} for number in range(packages)}
        environment = {"python": {"rules": 1, "packages": entries}}
        recorded = record(store, Surroundings(environment=environment), Description(title="without git"))
        found = store.resolve(str(recorded.capsule)[:8] + ":python/packages")
        assert found.value(store.read) == entries
        print(recorded.capsule)
"""


@pytest.mark.parametrize("surrounded", [False, True], ids=["alone", "in a work tree"])
def test_a_store_is_made_added_to_and_read_without_git(project, tmp_path, git, sound, whole, registered, surrounded):
    if surrounded:
        git(project, "init", "-q")
    (tmp_path / "empty").mkdir()
    environ = {**os.environ, "PATH": str(tmp_path / "empty")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(project)], env=environ, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    digests = done.stdout.split()
    with Store(str(project)) as store:
        sound(store)
        assert registered(store) == digests[::-1]
        for digest in digests:
            whole(store, digest)
    if surrounded:
        assert git(project, "status", "--porcelain") == ""


def test_adding_starts_no_other_program(store, writer, strace, tmp_path, digests_of):
    log = tmp_path / "programs"
    digests_of(writer(store, 0, 2, 12, under=(strace, "-f", "-o", str(log), "-e", "trace=/^exec")))
    started = [line for line in log.read_text().splitlines() if "exec" in line and " = 0" in line]
    assert len(started) == 1, "the writer itself"
