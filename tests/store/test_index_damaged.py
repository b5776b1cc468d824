"""The index is a cache: removed, damaged, of another version or telling lies, the answers stay right."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from capsulestore.model.digest import Digest
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store

CAPSULES = 4

LIST = """
import sys
from capsulestore.store import Store

for path in sys.argv[1:]:
    with Store(path) as store:
        held = [str(found.digest) for found in store.index.capsules() if store.index.holds(found.digest)]
        print(*held)
"""


def truncated(size):
    return lambda path: os.truncate(path, size if size >= 0 else path.stat().st_size + size)


def sql(script):
    def change(path):
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)

    return change


def page(number):
    def change(path):
        with path.open("r+b") as file:
            file.seek(4096 * number)
            file.write(bytes(range(256)) * 16)

    return change


def directory(path):
    path.unlink()
    path.mkdir()
    (path / "a file").touch()


def dangling(path):
    path.unlink()
    path.symlink_to("nowhere/at/all")


DAMAGES = {
    "missing": Path.unlink,
    "empty": truncated(0),
    **{f"truncated to {size} bytes": truncated(size) for size in (1, 15, 16, 17, 99, 100, 101, 1000)},
    **{f"truncated to {size} bytes": truncated(size) for size in (4095, 4096, 4097, 8192, 20000, -4096, -1)},
    **{f"page {number} is garbage": page(number) for number in range(9)},
    "garbage": lambda path: path.write_bytes(b"dear sir" * 1000),
    "garbage with a good beginning": lambda path: path.write_bytes(b"SQLite format 3\0" + b"dear sir" * 1000),
    "a directory": directory,
    "a link to nothing": dangling,
    "another version": sql("PRAGMA user_version = 1"),
    "no version": sql("PRAGMA user_version = 0"),
    "no table of commits": sql("DROP TABLE commits"),
    "no table of trees": sql("DROP TABLE trees"),
    "no table of the tip": sql("DROP TABLE tip"),
    "no table of the lineage": sql("DROP TABLE lineage"),
    "no list of what is unread": sql("DROP INDEX unread"),
    "parents that are no digests": sql("UPDATE trees SET parents = x'00'"),
    "no table at all": sql("DROP TABLE tip; DROP TABLE commits; DROP TABLE trees"),
    "other columns": sql("DROP TABLE trees; CREATE TABLE trees (a, b)"),
    "two tips, the first of nothing": sql("INSERT INTO tip SELECT zeroblob(32); DELETE FROM tip WHERE rowid = 1"),
    "a tip that main does not have": sql("UPDATE tip SET commit_id = (SELECT min(tree) FROM commits)"),
    "no tip": sql("DELETE FROM tip"),
    "nothing in it": sql("DELETE FROM tip; DELETE FROM commits; DELETE FROM trees"),
    "a journal of nothing": lambda path: Path(f"{path}-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" * 512),
    "an empty journal": lambda path: Path(f"{path}-journal").touch(),
}
NEVER_A_FILE = {"a directory", "a link to nothing"}
ONE_OF_MANY = {"truncated to 15 bytes", "truncated to 4096 bytes", "truncated to -1 bytes", "page 1 is garbage"}
"""Of the damages that differ in a place or a size alone, those that are tried every day."""


def at_all_times(damages) -> list:
    """Mark as slow what differs from another in a place or a size alone."""
    damages = list(damages)
    of_many = [damage for damage in damages if damage.startswith(("truncated", "page")) and damage not in ONE_OF_MANY]
    return [pytest.param(damage, marks=pytest.mark.slow) if damage in of_many else damage for damage in damages]


def index_of(store: Store) -> Path:
    return Path(store.path, "capsulestore", "index.sqlite")


def listed(store: Store) -> list[str]:
    return [str(capsule.digest) for capsule in store.index.capsules()]


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """A store with capsules and an index of all of them."""
    directory = tmp_path_factory.mktemp("template")
    with Store.init(str(directory)) as store:
        for number in range(CAPSULES):
            environment = {
                "python": {"rules": 1, "packages": {"package-0": {"version": "0", "of": f"number {number}"}}}
            }
            record(store, Surroundings(environment=environment), Description(title=f"number {number}"))
        assert len(listed(store)) == CAPSULES
    return directory


@pytest.fixture
def indexed(template, tmp_path) -> Iterator[Store]:
    """A copy of it."""
    shutil.copytree(template, tmp_path / "store")
    with Store(str(tmp_path / "store")) as store:
        yield store


def assert_made_anew(store: Store) -> None:
    with closing(sqlite3.connect(index_of(store))) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tip = connection.execute("SELECT lower(hex(commit_id)) FROM tip").fetchall()
        assert tip == [(str(next(store.commits()).id),)]
        assert connection.execute("SELECT count(*) FROM trees").fetchone() == (len(listed(store)),)


@pytest.mark.parametrize("damage", at_all_times(DAMAGES))
def test_the_capsules_are_listed_and_the_index_is_whole_again(indexed, registered, damage):
    expected = registered(indexed)
    DAMAGES[damage](index_of(indexed))
    assert listed(indexed) == expected
    assert [str(digest) for digest in indexed.index.beginning_with("", "capsule")] == sorted(expected)
    assert len(indexed.index.beginning_with("", "environment")) == CAPSULES
    for digest in map(Digest, expected):
        assert indexed.index.holds(digest)
        assert indexed.index.statements(digest) == []
        assert indexed.index.parents(digest) == indexed.index.children(digest) == []
    if damage not in NEVER_A_FILE:
        assert_made_anew(indexed)
    with Store(indexed.path) as another:
        assert listed(another) == expected


@pytest.mark.parametrize("damage", at_all_times(damage for damage in DAMAGES if not damage.startswith("truncated")))
def test_where_it_befalls_an_index_that_is_open_what_is_there_is_not_added_again(indexed, add, registered, damage):
    expected = registered(indexed)
    assert listed(indexed) == expected
    DAMAGES[damage](index_of(indexed))
    for number in range(CAPSULES):
        assert not add(indexed, f"number {number}").new
    new = str(add(indexed, "new").capsule)
    assert registered(indexed) == listed(indexed) == [new, *expected]


LIES = {
    "a registration that does not exist": """
        INSERT INTO commits SELECT zeroblob(32), :tree, time, generation, author, title FROM commits LIMIT 1;
    """,
    "a registration that is of another capsule": """
        UPDATE commits SET tree = :tree WHERE id = (SELECT max(id) FROM commits);
    """,
    "a registration that is no commit": """
        INSERT INTO commits SELECT tree, :tree, time, generation, author, title FROM commits LIMIT 1;
    """,
}


def tell(store: Store, lie: str, tree) -> None:
    with closing(sqlite3.connect(index_of(store))) as connection:
        connection.executescript(LIES[lie].replace(":tree", f"x'{tree}'"))


@pytest.mark.parametrize("lie", LIES)
def test_a_capsule_that_the_index_only_claims_to_hold_is_added(indexed, encoded, add, registered, lie):
    tell(indexed, lie, encoded("new").id)
    assert add(indexed, "new").new
    assert listed(indexed) == registered(indexed)
    assert not add(indexed, "new").new
    assert len(registered(indexed)) == CAPSULES + 1


@pytest.mark.parametrize("lie", LIES)
def test_a_registration_that_is_claimed_is_told_of_nobody_and_the_index_made_anew(indexed, encoded, lie):
    tree = encoded("new").id
    tell(indexed, lie, tree)
    assert not indexed.index.holds(tree)
    assert indexed.index.registrations(tree) == []
    assert_made_anew(indexed)


@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "all"])
def test_where_nothing_may_be_written_the_answers_are_right_too(indexed, registered, every):
    """Whatever is wrong with the index, and whether it lies; nothing is left beside it either."""
    bound = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
    place = Path(tempfile.mkdtemp())
    copies = []
    try:
        for number, case in enumerate(["as it was", "behind", *[*DAMAGES, *LIES][::every]]):
            copies.append(place / str(number))
            shutil.copytree(indexed.path, copies[-1])
            with Store(str(copies[-1])) as copy:
                if case in DAMAGES:
                    DAMAGES[case](index_of(copy))
                elif case in LIES:
                    tell(copy, case, registered(indexed)[0])
                elif case == "behind":
                    sql("DELETE FROM tip; DELETE FROM trees; DELETE FROM commits;")(index_of(copy))
        directories = [path for path in place.rglob("*") if path.is_dir()]
        for path in directories:
            path.chmod(0o555)
        done = subprocess.run(
            [*bound, sys.executable, "-c", LIST, *map(str, copies)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines() == [" ".join(registered(indexed))] * len(copies)
    finally:
        for path in directories:
            path.chmod(0o755)
        shutil.rmtree(place)
