"""Where it cannot be recorded the analysis runs all the same; with `strict` it is told, and told in time."""

import shutil
import subprocess
from pathlib import Path

import pytest

from capsulestore import Store, record
from capsulestore.errors import CapsuleError, NoStore, StoreUnreadable, StoreUnwritable, UnknownName, UsageError


def missing(directory):
    shutil.rmtree(directory / ".capsules")


def no_repository(directory):
    (directory / ".capsules" / "HEAD").unlink()
    (directory / ".capsules" / "config").write_text("[core]\n")


def full_of_nothing(directory):
    shutil.rmtree(directory / ".capsules" / "objects")
    (directory / ".capsules" / "objects").touch()


def without_its_shelf(directory):
    with record("before", layers=["container"]):
        pass
    for path in (directory / ".capsules" / "objects").rglob("*"):
        if path.is_file():
            path.write_bytes(b"damaged")


BEFORE = {
    "no store": (missing, NoStore),
    "no repository": (no_repository, StoreUnreadable),
}


@pytest.mark.parametrize(("damage", "error"), BEFORE.values(), ids=BEFORE)
def test_what_is_wrong_before_is_told_and_with_strict_raised_before_it_begins(damage, error, store, quickly, caplog):
    began = []

    def analysis():
        began.append(1)
        return began

    damage(Path(store.root))
    plain = record("fit", **quickly)(analysis)
    assert plain() is began
    assert isinstance(plain.recording.error, error)
    assert plain.recording.capsule_id is None
    (line,) = caplog.records
    assert (line.name, line.levelname) == ("capsulestore", "WARNING")
    assert line.getMessage().startswith("fit: not recorded: ")
    if plain.recording.error.hint:
        assert line.getMessage().endswith(plain.recording.error.hint)
    assert not line.exc_info
    with pytest.raises(error):
        record("fit", strict=True, **quickly)(analysis)()
    assert began == [1]


MEANWHILE = {
    "removed": missing,
    "no repository": no_repository,
    "damaged": without_its_shelf,
    "without objects": full_of_nothing,
}


@pytest.mark.parametrize("damage", MEANWHILE.values(), ids=MEANWHILE)
@pytest.mark.parametrize("failure", [None, ValueError("of the analysis")], ids=["ended well", "failed"])
def test_what_is_wrong_afterwards_never_takes_the_place_of_what_the_analysis_raised(
    damage, failure, store, quickly, caplog
):
    def analysis():
        damage(Path(store.root))
        if failure:
            raise failure
        return "result"

    plain, strict = record("fit", **quickly)(analysis), record("fit", strict=True, **quickly)(analysis)
    if failure:
        for function in (plain, strict):
            with pytest.raises(ValueError, match="of the analysis") as caught:
                function()
            assert caught.value is failure
            shutil.rmtree(Path(store.root) / ".capsules", ignore_errors=True)
            Store.init(store.root).close()
    else:
        assert plain() == "result"
        shutil.rmtree(Path(store.root) / ".capsules", ignore_errors=True)
        Store.init(store.root).close()
        with pytest.raises(CapsuleError):
            strict()
    for function in (plain, strict):
        assert isinstance(function.recording.error, CapsuleError)
    assert "not recorded" in caplog.text


READ_ONLY = """
import os, sys
from capsulestore import record
from capsulestore.errors import StoreUnwritable
with record("fit", layers=["container"]) as run:
    print("ran")
print(type(run.error).__name__)
try:
    with record("fit", layers=["container"], strict=True):
        print("ran again")
except StoreUnwritable as problem:
    print(problem.hint is not None)
"""


@pytest.mark.slow
def test_a_store_that_is_read_only_is_told_before_it_begins(project, bound_by_permissions):
    script = project.write("fit.py", READ_ONLY)
    directories = [path for path in (project.directory / ".capsules").rglob("*") if path.is_dir()]
    for path in [project.directory / ".capsules", *directories]:
        path.chmod(0o555)
    done = subprocess.run(
        [*bound_by_permissions, project.python, script],
        cwd=project.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[:2] == ["ran", StoreUnwritable.__name__], done.stderr
    assert "ran again" not in done.stdout
    assert "fit: not recorded: " in done.stderr


@pytest.mark.slow
def test_where_there_is_no_store_the_user_is_told_how_to_make_one(project):
    shutil.rmtree(project.directory / ".capsules")
    done = project.script("from capsulestore import record\nwith record('fit'): print('ran')\n")
    assert done.out == "ran\n"
    assert "fit: not recorded: no `.capsules`" in done.err
    assert "capsule init" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_parent_that_nobody_knows_is_told_and_with_strict_raised_before(store, quickly, recorded):
    with record("fit", parents=["nobody"], **quickly) as run:
        pass
    (remark,) = run.remarks
    assert remark.startswith("a parent is not recorded: ")
    assert "`nobody`" in remark
    with pytest.raises(UnknownName), record("fit", parents=["nobody"], strict=True, **quickly):
        raise AssertionError
    assert len(recorded()) == 1


def test_a_place_that_is_none_is_told(store):
    with record("fit", store=3) as run:
        pass
    assert isinstance(run.error, UsageError)


def test_an_open_store_may_be_handed_over_and_stays_open(store, quickly, recorded, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    with record("fit", store=store, **quickly) as run:
        pass
    assert str(store.last()) == run.capsule_id
    with record("fit", store=store.root, **quickly) as run:
        pass
    assert str(store.last()) == run.capsule_id
