"""A cache costs or saves time, and nothing else: whatever lies in it, the answer is the one that would be computed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from capsulestore.capture.cache import Cache, Stamp, cache_directory, stamp

OLD = Stamp("of an old file", 0)
VALUE = {"alpha:amd64": "1.0", "größe": ["1", "2"]}
TRUSTING = """
import sys
from capsulestore.capture.cache import Cache, Stamp
for value in ("first", "second"):
    print(Cache(sys.argv[1]).recall("name", Stamp("old", 0), lambda: value))
"""

RACING = """
import sys
from capsulestore.capture.cache import Cache, Stamp
for number in range(200):
    wanted = [number % 7] * 1000
    assert Cache(sys.argv[1]).recall("name", Stamp(f"{number % 7}", 0), lambda: wanted) == wanted
"""


@pytest.fixture
def directory(tmp_path) -> Path:
    return tmp_path / "below" / "cache"


def recall(directory: Path | None, value: object, at: Stamp = OLD, name: str = "name") -> object:
    return Cache(None if directory is None else str(directory)).recall(name, at, lambda: value)


def kept_file(directory: Path) -> Path:
    (path,) = directory.iterdir()
    return path


def test_what_is_kept_is_recalled(directory):
    assert recall(directory, VALUE) == VALUE
    assert recall(directory, "computed again") == VALUE


def test_nothing_is_made_before_something_is_kept_and_then_for_the_user_alone(directory):
    Cache(str(directory))
    assert not directory.exists()
    recall(directory, VALUE)
    assert [path.stat().st_mode & 0o777 for path in (directory.parent, directory)] == [0o700, 0o700]
    assert kept_file(directory).stat().st_mode & 0o777 == 0o600


def test_without_a_directory_nothing_is_kept():
    assert [recall(None, number) for number in range(3)] == [0, 1, 2]


def test_another_stamp_or_name_is_another_value(directory):
    assert recall(directory, 1) == 1
    assert recall(directory, 2, Stamp("another", 0)) == 2
    assert recall(directory, 3, name="another") == 3
    assert recall(directory, 4, Stamp("another", 0)) == 2


def test_none_is_a_value_that_is_kept(directory):
    assert recall(directory, None) is None
    assert recall(directory, "computed again") is None


def test_what_computing_raises_is_passed_on_and_nothing_is_kept(directory):
    def fail():
        raise ValueError("unreadable")

    with pytest.raises(ValueError, match="unreadable"):
        Cache(str(directory)).recall("name", OLD, fail)
    assert recall(directory, VALUE) == VALUE


def test_what_json_cannot_hold_is_not_kept(directory):
    assert recall(directory, float("inf")) == float("inf")
    assert not directory.exists()


def test_a_kept_value_cut_off_anywhere_is_computed_again(directory):
    recall(directory, VALUE)
    path = kept_file(directory)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert recall(directory, "computed again") == "computed again"
    path.write_bytes(whole)
    assert recall(directory, "computed again") == VALUE


def test_a_kept_value_with_any_byte_changed_is_computed_again(directory):
    recall(directory, VALUE)
    path = kept_file(directory)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert recall(directory, "computed again") == "computed again"


GARBAGE: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)),
    "JSON of another sort": b'{"a": 1}',
    "another version": b"capsulestore cache 2 ",
    "two million bytes": b"a" * 2_000_000,
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_in_its_place_is_replaced(garbage, directory):
    recall(directory, VALUE)
    kept_file(directory).write_bytes(garbage)
    assert recall(directory, "computed again") == "computed again"
    assert recall(directory, "and again") == "computed again"


def test_a_value_of_another_version_is_computed_again(directory):
    recall(directory, VALUE)
    path = kept_file(directory)
    path.write_bytes(path.read_bytes().replace(b"cache 1", b"cache 2"))
    assert recall(directory, "computed again") == "computed again"


def test_a_directory_or_a_pipe_in_a_values_place_costs_time_alone(directory):
    recall(directory, VALUE)
    path = kept_file(directory)
    for put in (path.mkdir, lambda: os.mkfifo(path)):
        path.unlink()
        put()
        assert recall(directory, "computed") == "computed"
        if path.is_dir():
            path.rmdir()
            path.touch()


@pytest.mark.parametrize("place", ["a-file", "a-file/below", "\0", "x" * 300])
def test_a_directory_that_cannot_be_costs_time_alone(place, tmp_path):
    (tmp_path / "a-file").touch()
    for number in range(2):
        assert recall(tmp_path / place, number) == number


def test_a_directory_that_cannot_be_written_costs_time_alone(directory, as_nobody_special):
    directory.mkdir(parents=True)
    directory.chmod(0o555)
    done = subprocess.run(
        [*as_nobody_special, sys.executable, "-c", TRUSTING, directory], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["first", "second"]
    assert list(directory.iterdir()) == []


def test_what_another_user_put_there_is_not_believed(directory):
    if os.geteuid():
        pytest.skip("giving a file away takes root")
    recall(directory, VALUE)
    os.chown(kept_file(directory), 65534, 65534)
    assert recall(directory, "computed again") == "computed again"


def test_a_file_changed_twice_within_a_tick_of_the_clock_is_read_twice(directory, tmp_path):
    path = tmp_path / "file"
    path.touch()
    before = path.stat()
    for number in range(200):
        path.write_text(f"{number:04}")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert Cache(str(directory)).recall("name", stamp([str(path)]), path.read_text) == f"{number:04}"


CHANGES = {
    "other bytes": lambda path: path.write_text("other"),
    "another time": lambda path: os.utime(path, ns=(1, 1)),
    "a file in its place": lambda path: path.with_name("new").rename(path),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_of_a_file_is_another_stamp(change, tmp_path):
    path = tmp_path / "file"
    for name in ("file", "new"):
        (tmp_path / name).write_text("bytes")
    paths = [str(path), str(tmp_path / "missing")]
    before = stamp(paths)
    assert stamp(paths) == before
    assert before.newest == max(path.stat().st_mtime_ns, path.stat().st_ctime_ns)
    change(path)
    assert stamp(paths).text != before.text


def test_writers_that_race_each_get_the_value_they_asked_for(directory):
    writers = [subprocess.Popen([sys.executable, "-c", RACING, directory]) for _ in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert len(list(directory.iterdir())) == 1


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
