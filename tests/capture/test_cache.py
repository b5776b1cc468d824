"""A cache costs or saves time, and nothing else: whatever lies in it, the answer is the one that would be computed."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import capsulestore
from capsulestore.capture.cache import MOST_KEPT, Cache, cache_directory
from capsulestore.capture.watch import noticed, noticed_more_than_files

VALUE = {"alpha:amd64": "1.0", "größe": ["1", "2"]}
GRANULARITY_NS = 25_000_000
"""Longer than a tick of any kernel's clock, so that a test need not wait two seconds."""

TRUSTING = """
import sys
from capsulestore.capture.cache import Cache
for value in sys.argv[2:]:
    print(Cache(sys.argv[1], granularity_ns=0).recall("name", lambda: value))
"""

RACING = """
import sys
from capsulestore.capture.cache import Cache
for number in range(100):
    wanted = [number % 7] * 1000
    assert Cache(sys.argv[1], granularity_ns=0).recall("name", lambda: wanted, condition=f"{number % 7}") == wanted
"""


@pytest.fixture
def directory(tmp_path) -> Path:
    return tmp_path / "below" / "cache"


def recall(directory: Path | None, value: object, name: str = "name", condition: str = "") -> object:
    return Cache(None if directory is None else str(directory)).recall(name, lambda: value, condition=condition)


def recall_until_kept(directory: Path, compute: Callable[[], str]) -> str:
    """Return the value once it is kept, which is as soon as all that it rests on is older than a tick."""
    computed: list[str] = []

    def counted() -> str:
        computed.append(compute())
        return computed[-1]

    deadline = time.monotonic() + 10
    while True:
        value = Cache(str(directory), granularity_ns=GRANULARITY_NS).recall("name", counted)
        if not computed:
            return value
        computed.clear()
        assert time.monotonic() < deadline, "never kept"


def test_what_is_kept_is_recalled(directory):
    assert recall(directory, VALUE) == VALUE
    assert recall(directory, "computed again") == VALUE


def test_nothing_is_made_before_something_is_kept_and_then_for_the_user_alone(directory):
    Cache(str(directory))
    assert not directory.exists()
    recall(directory, VALUE)
    assert [path.stat().st_mode & 0o777 for path in (directory.parent, directory)] == [0o700, 0o700]
    (path,) = directory.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_directory_nothing_is_kept():
    assert [recall(None, number) for number in range(3)] == [0, 1, 2]


def test_another_name_or_condition_is_another_value_and_the_last_condition_is_kept(directory):
    assert recall(directory, 1) == 1
    assert recall(directory, 2, name="another") == 2
    assert recall(directory, 3) == 1
    assert recall(directory, 4, condition="another") == 4
    assert recall(directory, 5, condition="another") == 4
    assert recall(directory, 6) == 6
    assert len(list(directory.iterdir())) == 2


def test_none_is_a_value_that_is_kept(directory):
    assert recall(directory, None) is None
    assert recall(directory, "computed again") is None


def test_what_computing_raises_is_passed_on_and_nothing_is_kept(directory):
    def fail():
        raise ValueError("unreadable")

    with pytest.raises(ValueError, match="unreadable"):
        Cache(str(directory)).recall("name", fail)
    assert recall(directory, VALUE) == VALUE


@pytest.mark.parametrize("value", [float("inf"), "\udcff", 2**60, (1, 2)], ids=repr)
def test_what_json_cannot_hold_is_not_kept(value, directory):
    assert recall(directory, value) == value
    assert not directory.exists()


def test_no_more_are_kept_than_so_many_and_those_kept_first_go(directory):
    seen: set[Path] = set()
    for number in range(MOST_KEPT):
        recall(directory, number, name=f"{number}")
        (path,) = set(directory.iterdir()) - seen
        os.utime(path, ns=(number, number))
        seen.add(path)
    recall(directory, "one more", name="one more")
    assert len(list(directory.iterdir())) == MOST_KEPT
    assert recall(directory, "computed again", name="1") == 1
    assert recall(directory, "computed again", name="0") == "computed again"


def test_a_file_changed_twice_within_a_tick_of_the_clock_is_read_twice(directory, tmp_path):
    path = tmp_path / "file"
    path.touch()
    before = path.stat()

    def read() -> str:
        noticed(str(path))
        return path.read_text()

    for number in range(200):
        path.write_text(f"{number:04}")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert Cache(str(directory), granularity_ns=GRANULARITY_NS).recall("name", read) == f"{number:04}"


def test_what_was_read_from_a_file_is_kept_until_it_changes(directory, tmp_path):
    path = tmp_path / "file"

    def read() -> str:
        noticed(str(path))
        return path.read_text() if path.exists() else "nothing"

    assert recall_until_kept(directory, read) == "nothing"
    path.write_text("something")
    assert recall_until_kept(directory, read) == "something"
    path.unlink()
    assert recall_until_kept(directory, read) == "nothing"


def test_what_was_read_while_a_link_was_switched_is_not_kept(directory, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    (tmp_path / "link").symlink_to("one")

    def read(switched: bool) -> str:
        noticed(str(tmp_path / "link"))
        text = (tmp_path / "link").read_text()
        if switched:
            (tmp_path / "link").unlink()
            (tmp_path / "link").symlink_to("two")
        return text

    assert recall_until_kept(directory / "so that they are old", lambda: read(False)) == "one"
    cache = Cache(str(directory), granularity_ns=GRANULARITY_NS)
    assert [cache.recall("name", lambda: read(True)), cache.recall("name", lambda: read(False))] == ["one", "two"]


def test_what_rests_on_more_than_files_is_not_kept(directory):
    def compute() -> float:
        noticed_more_than_files()
        return time.monotonic()

    cache = Cache(str(directory), granularity_ns=0)
    assert cache.recall("name", compute) != cache.recall("name", compute)


def test_writers_that_race_each_get_the_value_they_asked_for(directory):
    writers = [subprocess.Popen([sys.executable, "-c", RACING, directory]) for _ in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert len(list(directory.iterdir())) == 1


def test_another_install_keeps_its_own_and_another_release_in_its_place_computes_again(directory, tmp_path):
    other = tmp_path / "other" / "capsulestore"
    shutil.copytree(Path(capsulestore.__file__).parent, other, ignore=shutil.ignore_patterns("__pycache__"))

    def recalled(*values: str) -> list[str]:
        environ = {**os.environ, "PYTHONPATH": str(other.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", TRUSTING, directory, *values]
        return subprocess.run(
            command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.splitlines()

    recall(directory, "ours")
    assert recalled("theirs", "again") == ["theirs", "theirs"]
    assert len(list(directory.iterdir())) == 2
    assert recalled("again") == ["theirs"]
    with (other / "capture" / "finding.py").open("a") as file:
        file.write("\n")
    assert recalled("of the release", "again") == ["of the release", "of the release"]
    (other / "model" / "new.py").touch()
    assert recalled("of the next", "again") == ["of the next", "of the next"]
    assert recall(directory, "computed again") == "ours"


PLACES = [
    ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/capsulestore"),
    ({"HOME": "/h"}, "/h/.cache/capsulestore"),
    ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/capsulestore"),
    ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/capsulestore"),
    ({"XDG_CACHE_HOME": "relative", "HOME": "relative"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("environ", "expected"), PLACES)
def test_a_cache_is_where_the_xdg_specification_has_it(environ, expected):
    assert cache_directory(environ) == expected


def test_at_one_moment_a_file_is_looked_at_once_and_at_another_again(tmp_path):
    read = tmp_path / "read"
    read.write_text("1")
    cache = Cache(str(tmp_path / "cache"), granularity_ns=0)

    def compute():
        noticed(str(read))
        return read.read_text()

    assert cache.recall("a", compute) == cache.recall("b", compute) == "1"
    moment = cache.at_one_moment()
    assert moment.recall("a", compute) == "1"
    read.write_text("two")
    assert moment.recall("b", compute) == "1"
    assert cache.at_one_moment().recall("b", compute) == cache.recall("a", compute) == "two"
