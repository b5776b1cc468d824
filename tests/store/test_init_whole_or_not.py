"""A store appears whole or not at all: two that make it at once, a maker that is killed, a disk that is full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from capsulestore.errors import StoreUnwritable
from capsulestore.store import Store

INIT = "import sys; from capsulestore.store import Store; Store.init(sys.argv[1]).close()"


def test_two_processes_that_make_a_store_at_once_make_one(project, sound, add):
    makers = [subprocess.Popen([sys.executable, "-c", INIT, str(project)]) for _ in range(2)]
    assert [maker.wait() for maker in makers] == [0, 0]
    assert sorted(os.listdir(project)) == [".capsules", ".gitignore"]
    with Store(str(project)) as store:
        add(store)
        sound(store)


def test_eight_threads_that_make_a_store_at_once_make_one(tmp_path):
    for attempt in range(20):
        project = tmp_path / str(attempt)
        ready = threading.Barrier(8)
        failed = []

        def make(project=project, ready=ready, failed=failed):
            ready.wait()
            try:
                Store.init(str(project)).close()
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert sorted(os.listdir(project)) == [".capsules", ".gitignore"]


@pytest.mark.slow
@pytest.mark.parametrize("syscall", ["mkdir", "fsync", "rename"])
def test_a_maker_killed_at_any_moment_leaves_a_whole_store_or_none(tmp_path, befallen, sound, add, syscall):
    for number in range(1, 100):
        project = tmp_path / str(number)
        project.mkdir()
        code, *_ = befallen(f"{syscall}.*", f"signal=KILL:when={number}", INIT, str(project))
        if (project / ".capsules").exists():
            with Store(str(project)) as store:
                sound(store)
        with Store.init(str(project)) as store:
            add(store)
            sound(store)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert number > 1, "the process was never killed"
    assert code == 0, "it was killed a hundred times and never came to its end"


def test_a_disk_that_is_full_leaves_nothing(project):
    script = f"import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (100, 100)); {INIT}"
    done = subprocess.run([sys.executable, "-c", script, str(project)], stderr=subprocess.PIPE, text=True, check=False)
    assert StoreUnwritable.__name__ in done.stderr
    assert os.listdir(project) == []
