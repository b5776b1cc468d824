"""Whatever is done to what a cache keeps, and to where it keeps it, costs time and nothing else."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from capsulestore.capture.cache import Cache

VALUE = {"alpha:amd64": "1.0", "größe": ["1", "2"]}

TRUSTING = """
import sys
from capsulestore.capture.cache import Cache
for value in ("first", "second"):
    print(Cache(sys.argv[1]).recall("name", lambda: value))
"""


@pytest.fixture
def directory(tmp_path) -> Path:
    return tmp_path / "below" / "cache"


@pytest.fixture
def path(directory) -> Path:
    """The file of a kept value."""
    recall(directory, VALUE)
    (path,) = directory.iterdir()
    return path


def recall(directory: Path, value: object) -> object:
    return Cache(str(directory)).recall("name", lambda: value)


def test_a_value_cut_off_anywhere_is_computed_again(directory, path):
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert recall(directory, "computed again") == "computed again"
    path.write_bytes(whole)
    assert recall(directory, "computed again") == VALUE


def test_a_value_with_any_byte_changed_is_computed_again(directory, path):
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert recall(directory, "computed again") == "computed again"


def with_head(body: bytes, version: bytes = b"2") -> bytes:
    return b"capsulestore cache %s %s\n%s" % (version, hashlib.sha256(body).hexdigest().encode(), body)


GARBAGE: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)),
    "JSON of another sort": b'{"a": 1}',
    "a version alone": b"capsulestore cache 2 ",
    "two million bytes": b"a" * 2_000_000,
    "nothing behind a head": with_head(b""),
    "a mapping behind a head": with_head(b'{"a": 1}'),
    "too few parts": with_head(b"[1,2,3]"),
    "too many parts": with_head(b"[1,2,3,4,5,6]"),
    "lists within lists": with_head(b"[" * 100_000),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_in_its_place_is_replaced(garbage, directory, path):
    path.write_bytes(garbage)
    assert recall(directory, "computed again") == "computed again"
    assert recall(directory, "and again") == "computed again"


@pytest.mark.parametrize("watched", [b"[1]", b"1", b"null", b"[null]", b"[[]]", b'{"/":1}', b'["\\u0000"]'])
def test_paths_that_are_none_are_not_looked_at(watched, directory, path):
    body = path.read_bytes().partition(b"\n")[2]
    assert b",[]," in body
    path.write_bytes(with_head(body.replace(b",[],", b",%s," % watched)))
    assert recall(directory, "computed again") == "computed again"


def test_a_value_of_another_version_is_computed_again(directory, path):
    body = path.read_bytes().partition(b"\n")[2]
    for version in (b"1", b"3"):
        path.write_bytes(with_head(body, version))
        assert recall(directory, version.decode()) == version.decode()
    path.write_bytes(with_head(body))
    assert recall(directory, "computed again") == VALUE


def test_a_value_of_another_name_in_its_place_is_computed_again(directory, path):
    Cache(str(directory)).recall("another", lambda: "another")
    (other,) = set(directory.iterdir()) - {path}
    other.replace(path)
    assert recall(directory, "computed again") == "computed again"


def test_a_file_too_large_to_be_one_is_not_read(directory, path):
    with path.open("r+b") as file:
        file.truncate(2**40)
    assert recall(directory, "computed again") == "computed again"


def test_a_directory_or_a_pipe_in_a_values_place_costs_time_alone(directory, path):
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


def test_what_another_user_put_there_is_not_believed(directory, path):
    if os.geteuid():
        pytest.skip("giving a file away takes root")
    os.chown(path, 65534, 65534)
    assert recall(directory, "computed again") == "computed again"
