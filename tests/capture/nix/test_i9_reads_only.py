"""I9: the layer only reads. It starts no program of nix's, writes nothing near the store and leaves nothing behind."""

import re
import shutil
import sqlite3
import sys
from contextlib import closing

import pytest

CHANGES_FILES = re.compile(
    r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|\b(mkdir|rmdir|unlink|rename|link|symlink|truncate|utime|chmod|chown|mknod)"
)
LOOK = """
import sys
from capsulestore.capture.asking import ask
from capsulestore.capture.cache import NOTHING_KEPT
from capsulestore.capture.layer import Runtime
from capsulestore.capture.nix import NixLayer
python, store = sys.argv[1:]
captured = NixLayer(store).capture(Runtime(ask(python, environ={}), {}, NOTHING_KEPT), 1)
print(captured.state.as_json(), len(captured.environment["paths"]))
"""


def tree(root) -> dict[str, tuple]:
    found = {}
    for path in [root, *root.rglob("*")]:
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_nlink)
    return found


@pytest.mark.parametrize("in_use", [False, True], ids=["at rest", "while nix works"])
def test_i9_nothing_near_the_store_is_written_nor_a_program_started(store, nix_python, tmp_path, run_command, in_use):
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("there is no strace on this machine")
    log, scratch = tmp_path / "log", tmp_path / "scratch"
    scratch.mkdir()
    with closing(sqlite3.connect(store.database, isolation_level=None)) as nix:
        if in_use:
            nix.execute("PRAGMA journal_mode = WAL")
            nix.execute("UPDATE ValidPaths SET registrationTime = registrationTime + 1")
            assert store.database.with_name("db.sqlite-wal").stat().st_size
        before = tree(store.directory.parent)
        told = run_command(
            *(strace, "-f", "-y", "-qq", "-s", "4096", "-o", log, "-e", "trace=%file"),
            *(sys.executable, "-B", "-c", LOOK, nix_python, store.directory),
            env={"PATH": "/nowhere", "TMPDIR": str(scratch)},
        )
        assert tree(store.directory.parent) == before
    assert told == "captured 2\n"
    calls = [line for line in log.read_text().splitlines() if " = -1 " not in line and "(" in line]
    assert any(f'"{store.database}' in call for call in calls)
    apart = (str(scratch), "/dev/null")
    assert [call for call in calls if CHANGES_FILES.search(call) and not any(path in call for path in apart)] == []
    assert sum("execve(" in call for call in calls) == 2, "ourselves and the target"
    assert [*scratch.iterdir()] == []
