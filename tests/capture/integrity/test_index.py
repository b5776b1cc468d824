"""The index saves reading what was read; whatever is done to it, the answer is the one that reading would give."""

import os
import time
from pathlib import Path

import pytest

from capsulestore.capture.integrity import Index

GRANULARITY_NS = 25_000_000


@pytest.fixture
def settled(venv, check, keeping):
    """Look until nothing has to be read again: as soon as all files are older than a tick of the clock."""

    def settled():
        deadline = time.monotonic() + 20
        while (answer := check(venv, **keeping)).hashed:
            assert time.monotonic() < deadline, "never known"
        return answer

    return settled


@pytest.fixture
def kept(settled, tmp_path) -> Path:
    """The file of the index, of all that is kept the one that says so."""
    settled()
    (path,) = [path for path in (tmp_path / "cache").iterdir() if path.read_bytes().startswith(b"capsulestore integ")]
    return path


def rewritten(path: Path, data: bytes) -> None:
    """Write a file's bytes with the times that it had, as far as they can be set."""
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_second_look_reads_nothing_and_says_the_same(venv, check, settled):
    before = check(venv)
    assert before.hashed == before.files > 0
    assert settled() == before._replace(hashed=0)


@pytest.mark.slow
def test_only_the_directory_with_a_changed_file_is_read_again(venv, check, keeping, settled):
    settled()
    core = venv.site / "alpha/core.py"
    rewritten(core, core.read_bytes()[::-1])
    for _ in range(2):
        answer = check(venv, **keeping)
        assert [(file.kind, file.name) for file in answer.altered] == [("changed", "alpha/core.py")]
        assert answer.hashed == len(list((venv.site / "alpha").glob("*.py")))
    rewritten(core, core.read_bytes()[::-1])
    assert (settled().altered, check(venv, **keeping).hashed) == ((), 0)


def test_another_file_of_the_same_size_and_time_in_its_place_is_noticed(venv, check, keeping, settled):
    settled()
    beta = venv.site / "beta.py"
    draft = venv.site / "draft"
    draft.write_bytes(beta.read_bytes()[::-1])
    status = beta.stat()
    os.utime(draft, ns=(status.st_atime_ns, status.st_mtime_ns))
    draft.replace(beta)
    assert [file.kind for file in check(venv, **keeping).altered] == ["changed"]


@pytest.mark.parametrize("place", ["alpha/more.py", "alpha/inner/more.py", "beta-2.0.dist-info/more"])
def test_what_is_added_is_noticed_and_remembered_by_nobody(place, venv, check, keeping, settled):
    settled()
    (venv.site / place).parent.mkdir(exist_ok=True)
    (venv.site / place).touch()
    for _ in range(2):
        assert [(file.kind, file.name) for file in check(venv, **keeping).altered] == [("unowned", place)]
    (venv.site / place).unlink()
    assert check(venv, **keeping).altered == ()


def test_a_file_in_a_directory_that_was_empty_is_noticed(venv, check, keeping):
    (venv.site / "alpha/empty/inner").mkdir(parents=True)
    for _ in range(3):
        assert check(venv, **keeping).altered == ()
    (venv.site / "alpha/empty/inner/more.py").touch()
    assert [file.name for file in check(venv, **keeping).altered] == ["alpha/empty/inner/more.py"]


def test_what_is_installed_later_is_read_and_the_rest_is_not(venv, check, keeping, settled, make_wheel):
    before = settled().files
    venv.install(make_wheel("aaa", "1.0", {"aaa/__init__.py": "", "aaa/more.py": "x = 1\n"}))
    answer = check(venv, **keeping)
    assert (answer.altered, answer.files > before) == ((), True)
    # With what lies in the site directory itself, where the names of no file tell whose it is.
    added = answer.files - before + len([*venv.site.glob("*.py")])
    assert 0 < answer.hashed <= added


def test_an_edited_record_is_read_again(venv, check, keeping, settled, edit_record, hash_of):
    settled()
    edit_record(venv.info("beta"), f"beta.py,{hash_of(b'other')},5")
    assert [file.name for file in check(venv, **keeping).altered] == ["beta.py"]


def test_by_the_clocks_granularity_nothing_young_is_known(venv, check, keeping, tmp_path):
    """A file that is changed twice within a tick of the clock has the same times as after the first change."""
    hour = Index(str(tmp_path / "another"), granularity_ns=3_600_000_000_000)
    for _ in range(3):
        answer = check(venv, **{**keeping, "index": hour})
        assert answer.hashed == answer.files


def test_with_nothing_kept_all_is_read_each_time(venv, check):
    assert [check(venv).hashed for _ in range(2)] == [check(venv).files] * 2


def test_cut_off_anywhere_it_costs_time_alone(kept, venv, check, keeping, settled):
    whole = kept.read_bytes()
    for length in (0, 1, 30, len(whole) // 2, len(whole) - 16, len(whole) - 1):
        kept.write_bytes(whole[:length])
        answer = check(venv, **keeping)
        assert (answer.hashed, answer.altered) == (answer.files, ())
    assert settled().hashed == 0


@pytest.mark.slow
def test_with_any_byte_changed_it_is_not_believed(kept, venv, check, keeping):
    whole = kept.read_bytes()
    for place in [*range(0, 120, 17), *range(120, len(whole), len(whole) // 5), len(whole) - 1]:
        kept.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        answer = check(venv, **keeping)
        assert (answer.hashed, answer.altered) == (answer.files, ())


@pytest.mark.parametrize("put", [os.mkdir, os.mkfifo, lambda path: path.symlink_to(path), lambda path: None])
def test_something_else_in_its_place_costs_time_alone(put, kept, venv, check, keeping):
    kept.unlink()
    put(kept)
    answer = check(venv, **keeping)
    assert (answer.hashed, answer.altered) == (answer.files, ())


def test_another_users_is_not_believed(kept, venv, check, keeping):
    if os.geteuid():
        pytest.skip("giving a file away takes root")
    os.chown(kept, 65534, 65534)
    answer = check(venv, **keeping)
    assert answer.hashed == answer.files


def test_where_it_cannot_be_written_nothing_is_lost_but_time(venv, check, keeping, tmp_path):
    (tmp_path / "file").touch()
    for directory in (tmp_path / "file", Path("/dev/null/below"), Path("\0")):
        answer = check(venv, **{**keeping, "index": Index(str(directory))})
        assert (answer.hashed, answer.altered) == (answer.files, ())


def test_it_is_for_the_user_alone(kept):
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in kept.parent.iterdir() if path.name.startswith("draft")] == []


def test_without_the_lists_that_were_read_they_are_read_again(kept, venv, check, keeping):
    for path in kept.parent.iterdir():
        if path != kept:
            path.unlink()
    assert (check(venv, **keeping).hashed, check(venv, **keeping).altered) == (0, ())
