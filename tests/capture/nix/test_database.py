"""nix's database is outside input: whatever is in its place, it is read within limits, or a reason is told."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from capsulestore.capture.nix.database import Unreadable, read_closures

COUNTING = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n{})"


def changed(*statements: str) -> Callable[[Path], None]:
    def change(database: Path) -> None:
        with closing(sqlite3.connect(database)) as connection:
            connection.executescript(";".join(("PRAGMA foreign_keys = OFF", *statements)))

    return change


def with_a_log_of(size: int) -> Callable[[Path], None]:
    def make(database: Path) -> None:
        with database.with_name("db.sqlite-wal").open("wb") as log:
            log.truncate(size)

    return make


def replaced(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(database: Path) -> None:
        database.unlink()
        make(database)

    return replace


BROKEN = {
    "none": (Path.unlink, "is not there"),
    "a directory": (replaced(Path.mkdir), "is no file"),
    "a pipe that nobody writes to": (replaced(os.mkfifo), "is no file"),
    "a link to itself": (
        replaced(lambda path: path.symlink_to(path)),
        "cannot be read (Too many levels of symbolic links)",
    ),
    "a text": (lambda path: path.write_text("nix" * 10_000), "cannot be read (file is not a database)"),
    "nothing": (lambda path: path.write_bytes(b""), "cannot be read (no such table: ValidPaths)"),
    "a half": (
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        "cannot be read (database disk image is malformed)",
    ),
    "one without the path": (changed("DELETE FROM ValidPaths"), "does not know `{root}`"),
    "one without a path that it refers to": (
        changed("DELETE FROM ValidPaths WHERE path LIKE '%-libraries'"),
        "holds what nix does not write there",
    ),
    "one with a path outside of the store": (
        changed("UPDATE ValidPaths SET path = '/etc/passwd' WHERE path LIKE '%-libraries'"),
        "holds what nix does not write there",
    ),
    "one with a path within a path": (
        changed("UPDATE ValidPaths SET path = path || '/bin' WHERE path LIKE '%-libraries'"),
        "holds what nix does not write there",
    ),
    "one whose hashes are bytes": (
        changed("UPDATE ValidPaths SET hash = CAST(hash AS BLOB)"),
        "holds what nix does not write there",
    ),
    "one whose hashes are none": (
        changed("UPDATE ValidPaths SET hash = 'md5:0'"),
        "cannot be read (no SHA-256 as nix spells it)",
    ),
    "one whose hashes are no text": (
        changed("UPDATE ValidPaths SET hash = CAST(x'ff' AS TEXT)"),
        "cannot be read (Could not decode to UTF-8 column 'hash' with text '\ufffd')",
    ),
    "one with an endless hash": (
        changed("UPDATE ValidPaths SET hash = zeroblob(4 << 20)"),
        "cannot be read (string or blob too big)",
    ),
    "one with a log that is too large to be copied": (
        with_a_log_of(1 << 30),
        "is in use, and too large to be copied",
    ),
    "one that refers to everything": (
        changed(
            f"{COUNTING.format(' LIMIT 100001')} INSERT OR IGNORE INTO Refs "
            "SELECT id, i FROM n, ValidPaths WHERE path GLOB '*-python3-*.[0-9]*[0-9]'"
        ),
        "has more than 100000 paths that `{root}` needs",
    ),
}


@pytest.fixture
def database(store, nix_python, tmp_path) -> Path:
    """A copy of the store's database that the test may change."""
    return shutil.copy(store.database, tmp_path / "db.sqlite")


@pytest.fixture
def read(store, nix_python) -> Callable[[Path], dict[str, str]]:
    """Read the closure of the interpreter from a database."""
    root = nix_python.parents[1].name
    return lambda database: read_closures(str(database), str(store.directory), [root])[root]


@pytest.fixture
def writer(database) -> Iterator[sqlite3.Connection]:
    """Who has the database open and writes to its log, as nix does while it works."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        connection.execute("PRAGMA wal_autocheckpoint = 3")
        yield connection


@pytest.mark.parametrize(("damage", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_database_that_does_not_tell_is_a_reason_in_words(database, read, nix_python, damage, reason):
    damage(database)
    with pytest.raises(Unreadable) as told:
        read(database)
    assert str(told.value) == reason.format(root=nix_python.parents[1].name)


def test_a_database_that_never_ends_is_given_up(database, store, nix_python):
    endless = f"CREATE VIEW Refs AS {COUNTING.format('')} SELECT i AS referrer, i AS reference FROM n WHERE i < 0"
    changed("DROP TABLE Refs", endless)(database)
    with pytest.raises(Unreadable, match=r"^cannot be read \(takes longer than 0\.1 seconds\)$"):
        read_closures(str(database), str(store.directory), [nix_python.parents[1].name], seconds=0.1)


def test_what_was_written_and_stands_in_the_log_alone_is_read(database, read, writer, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    hashes = read(database)
    writer.execute("UPDATE ValidPaths SET hash = ?", (f"sha256:{'1' * 64}",))
    files = sorted(tmp_path.glob("db.sqlite*"))
    assert [file.name for file in files] == ["db.sqlite", "db.sqlite-shm", "db.sqlite-wal"]
    before = [(file.read_bytes(), file.stat()) for file in files]
    assert read(database) == dict.fromkeys(hashes, f"sha256:{'1' * 64}")
    assert [(file.read_bytes(), file.stat()) for file in files] == before
    assert [*scratch.iterdir()] == []


def test_a_log_that_nobody_has_open_any_more_is_read(database, read, writer, tmp_path):
    writer.execute("UPDATE ValidPaths SET hash = ?", (f"sha256:{'1' * 64}",))
    (tmp_path / "left").mkdir()
    for name in ("db.sqlite", "db.sqlite-wal"):
        shutil.copy(tmp_path / name, tmp_path / "left")
    assert {*read(tmp_path / "left" / "db.sqlite").values()} == {f"sha256:{'1' * 64}"}
    assert sorted(os.listdir(tmp_path / "left")) == ["db.sqlite", "db.sqlite-wal"]


def test_a_database_that_is_a_link_is_read_with_the_log_that_it_has(database, read, writer, tmp_path):
    writer.execute("UPDATE ValidPaths SET hash = ?", (f"sha256:{'1' * 64}",))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "db.sqlite").symlink_to(database)
    assert {*read(tmp_path / "elsewhere" / "db.sqlite").values()} == {f"sha256:{'1' * 64}"}


def test_what_is_not_yet_committed_is_not_read(database, read):
    hashes = read(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE ValidPaths SET hash = ?", (f"sha256:{'1' * 64}",))
        assert database.with_name("db.sqlite-journal").stat().st_size
        assert read(database) == hashes


def test_a_reader_sees_the_state_after_each_write(database, read, writer):
    for number in range(20):
        digits = f"{number:064x}"
        writer.execute("UPDATE ValidPaths SET hash = ?", (f"sha256:{digits}",))
        assert {*read(database).values()} == {f"sha256:{digits}"}
