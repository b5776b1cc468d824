"""A stamp tells every change of a file, and of a directory those that count; what is read is noticed."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from capsulestore.capture.files import file_sha256
from capsulestore.capture.stamp import fact, stamp
from capsulestore.capture.watch import (
    noticed,
    noticed_absence,
    noticed_metadata_names,
    noticed_more_than_files,
    noticed_names,
    watching,
)


def with_times_of(path: Path, change: Callable[[Path], object]) -> None:
    before = path.stat()
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_by_its_like(path: Path) -> None:
    path.with_name("new").write_text("other")
    path.with_name("new").replace(path)


def wait_for_a_tick(directory: Path) -> None:
    """Return once the kernel's clock gives a file another time than it would have given before."""
    first = (directory / "tick").write_text("") or (directory / "tick").stat().st_ctime_ns
    while (directory / "tick").stat().st_ctime_ns == first:
        (directory / "tick").write_text("")


CHANGES: dict[str, Callable[[Path], object]] = {
    "more bytes": lambda path: path.write_text("more bytes"),
    "as many bytes, at the time of before": lambda path: with_times_of(path, lambda path: path.write_text("other")),
    "another time": lambda path: os.utime(path, ns=(1, 1)),
    "another mode": lambda path: path.chmod(0o600),
    "its like in its place": lambda path: with_times_of(path, replaced_by_its_like),
    "gone": lambda path: path.unlink(),
    "a directory": lambda path: (path.unlink(), path.mkdir()),
    "a link to its like": lambda path: (path.rename(path.with_name("old")), path.symlink_to("like")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_of_a_file_is_another_fact(change, tmp_path):
    path = tmp_path / "file"
    for name in ("file", "like"):
        (tmp_path / name).write_text("bytes")
    before = fact(str(path))
    assert fact(str(path)) == before
    assert before[1] == path.stat().st_ctime_ns
    wait_for_a_tick(tmp_path)
    change(path)
    assert fact(str(path))[0] != before[0]


def test_a_stamp_is_of_all_its_files_and_as_new_as_the_newest(tmp_path):
    paths = [str(tmp_path / name) for name in ("one", "two", "missing")]
    for path in paths[:2]:
        Path(path).touch()
        wait_for_a_tick(tmp_path)
    whole = stamp(map(fact, paths))
    assert whole.newest == os.stat(paths[1]).st_ctime_ns
    assert stamp(map(fact, paths)) == whole
    assert len({stamp(map(fact, paths[:number])).text for number in range(4)}) == 4


@pytest.mark.parametrize("path", ["", "\0", "/no/such", "/no/such/", "/dev/null/below", "x" * 5000])
def test_what_cannot_be_there_has_a_fact_and_no_time(path):
    assert fact(path) == fact(path)
    assert fact(path)[1] == 0


NAMES: dict[str, tuple[str, bool, bool]] = {
    "a module": ("module.py", True, False),
    "results": ("results", True, False),
    "bytecode": ("__pycache__", False, False),
    "a distribution": ("alpha-1.0.dist-info", True, True),
    "an egg's metadata": ("alpha.egg-info", True, True),
    "a link to an egg": ("alpha.egg-link", True, True),
    "a path file": ("alpha.pth", True, True),
    "a start-up module": ("sitecustomize.py", True, True),
    "a start-up package": ("usercustomize", True, True),
    "what pip leaves": ("~lpha", True, True),
}


@pytest.mark.parametrize(("name", "among_all", "among_metadata"), NAMES.values(), ids=NAMES.keys())
def test_of_a_directory_those_names_count_that_were_asked_for(name, among_all, among_metadata, tmp_path):
    for asked, counts in ((f"{tmp_path}//", among_all), (f"{tmp_path}/", among_metadata)):
        before = fact(asked)
        (tmp_path / name).mkdir()
        assert (fact(asked)[0] != before[0]) is counts
        (tmp_path / name).rmdir()
        assert fact(asked)[0] == before[0]


@pytest.mark.parametrize("ending", ["/", "//"])
def test_a_directory_with_the_same_names_is_another_one(ending, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "alpha.dist-info").mkdir(parents=True)
    (tmp_path / "link").symlink_to("one")
    before = fact(f"{tmp_path}/link{ending}")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("two")
    assert fact(f"{tmp_path}/link{ending}") != before
    (tmp_path / "link").unlink()
    (tmp_path / "link").touch()
    assert fact(f"{tmp_path}/link{ending}")[0] not in {before[0], fact(f"{tmp_path}/none{ending}")[0]}


def test_what_is_noticed_is_what_it_was_when_it_was_first_noticed(tmp_path):
    path = tmp_path / "file"
    with watching() as watched:
        noticed(str(path))
        path.touch()
        noticed(str(path))
    assert watched[str(path)] != fact(str(path))


def test_nothing_is_noticed_where_nobody_watches(tmp_path):
    noticed(str(tmp_path))
    noticed_more_than_files()
    with watching() as watched:
        pass
    assert watched == {}


def test_paths_are_absolute_and_not_made_shorter(tmp_path, monkeypatch):
    (tmp_path / "far" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("far/inner")
    monkeypatch.chdir(tmp_path)
    with watching() as watched:
        noticed("link/../file")
        noticed("slash/")
        noticed("/")
        noticed_names("names/")
        noticed_metadata_names("metadata//")
        noticed_absence("missing")
    below = ("link/../file", "slash", "names//", "metadata/", "")
    assert sorted(watched) == sorted(["/.", *(os.path.join(tmp_path, path) for path in below[:-1]), str(tmp_path)])


def test_what_is_missing_rests_on_its_directory_or_on_where_a_link_leads(tmp_path):
    (tmp_path / "link").symlink_to("nowhere")
    with watching() as watched:
        noticed_absence(str(tmp_path / "missing"))
        noticed_absence(str(tmp_path / "link"))
    assert set(watched) == {str(tmp_path), str(tmp_path / "link")}


def test_each_of_nested_watchers_gets_all_that_is_noticed_in_it(tmp_path):
    with watching() as outer:
        noticed("/outer")
        with watching() as inner:
            noticed("/inner")
        noticed("/after")
    assert set(inner) == {"/inner"}
    assert set(outer) == {"/outer", "/inner", "/after"}


def test_what_another_thread_reads_is_not_noticed():
    with watching() as watched:
        thread = threading.Thread(target=noticed, args=("/there",))
        thread.start()
        thread.join()
        noticed("/here")
    assert set(watched) == {"/here"}


def test_what_rests_on_more_than_files_is_never_old():
    with watching() as watched:
        noticed_more_than_files()
    assert stamp(watched.values()).newest > 2**62


def test_in_a_directory_that_was_removed_files_are_still_read(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    (tmp_path / "file").write_text("bytes")
    before = file_sha256(str(tmp_path / "file"))
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with watching() as watched:
        assert file_sha256(str(tmp_path / "file")) == before
    assert set(watched) == {str(tmp_path / "file")}
    with watching() as watched:
        noticed("relative")
    assert stamp(watched.values()).newest > 2**62
