"""Inputs are as they were at the beginning, outputs as they are at the end, wherever the analysis goes meanwhile."""

import hashlib
import os
from pathlib import Path

import pytest

from capsulestore import record
from capsulestore.errors import FileProblem


def named(manifest, kind):
    return {one["path"]: one["sha256"] for one in manifest.get(kind, [])}


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def files(store):
    """A few files in the working directory."""
    for name in ("data.csv", "more/a.csv", "more/b.csv", "more/c.txt"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(name)


def test_an_input_is_digested_before_and_an_output_after(files, quickly, recorded):
    with record("fit", inputs=["data.csv"], outputs=["data.csv", "fit.csv"], **quickly):
        Path("data.csv").write_text("after")
        Path("fit.csv").write_text("fit")
    (manifest,) = recorded()
    assert named(manifest, "inputs") == {"data.csv": sha256("data.csv")}
    assert named(manifest, "outputs") == {"data.csv": sha256("after"), "fit.csv": sha256("fit")}


def test_patterns_directories_and_paths_of_every_kind_are_taken(files, quickly, recorded):
    with record("fit", inputs=["more/*.csv", Path("data.csv"), b"more/c.txt"], outputs=["out"], **quickly):
        Path("out/deep").mkdir(parents=True)
        Path("out/deep/fit.csv").touch()
    (manifest,) = recorded()
    assert sorted(named(manifest, "inputs")) == ["data.csv", "more/a.csv", "more/b.csv", "more/c.txt"]
    assert sorted(named(manifest, "outputs")) == ["out/deep/fit.csv"]
    assert manifest["code"]["declared"] == ["data.csv", "more/*.csv", "more/c.txt", "out"]


def test_what_is_not_there_is_told_and_loses_no_run(files, quickly, recorded, caplog):
    with record("fit", inputs=["nowhere.csv", "data.csv"], outputs=["*.png", "fit.csv"], **quickly) as run:
        pass
    (manifest,) = recorded()
    assert sorted(named(manifest, "inputs")) == ["data.csv"]
    assert "outputs" not in manifest
    for name, remark in zip(("nowhere.csv", "*.png", "fit.csv"), run.remarks, strict=True):
        assert f"{name}`" in remark
    assert caplog.messages == [f"fit: {remark}" for remark in run.remarks]


def test_what_is_added_while_it_runs_is_from_the_directory_where_it_began(files, quickly, recorded, monkeypatch):
    with record("fit", inputs=["data.csv"], **quickly) as run:
        monkeypatch.chdir("more")
        run.inputs += ["more/a.csv", Path("data.csv")]
        run.outputs.append("more/b.csv")
    (manifest,) = recorded()
    assert sorted(named(manifest, "inputs")) == ["data.csv", "more/a.csv"]
    assert sorted(named(manifest, "outputs")) == ["more/b.csv"]
    assert manifest["working_directory"] == "."
    assert manifest["code"]["declared"] == ["data.csv", "more/a.csv", "more/b.csv"]


def test_what_is_no_path_is_told_and_loses_no_run(files, quickly, recorded):
    with record("fit", **quickly) as run:
        run.inputs += [3, "a\0b", "data.csv"]
        run.outputs += [None, "x" * 5000]
        run.parents += [None, ["nobody"], "nobody"]
        run.title = object()
    (manifest,) = recorded()
    assert sorted(named(manifest, "inputs")) == ["data.csv"]
    assert manifest["title"] == "<object object>"
    assert "parents" not in manifest
    assert len(run.remarks) == 7


def test_a_parent_is_what_its_name_stood_for_when_the_analysis_began(store, quickly, recorded):
    with record("first", **quickly) as first:
        pass
    with record("second", parents=["@"], **quickly), record("within", parents=["@"], **quickly) as within:
        pass
    assert [one.get("parents") for one in recorded()] == [None, [first.capsule_id], [first.capsule_id]]
    with record("late", parents=["soon"], **quickly) as late:
        store.tags.set("soon", store.resolve_capsule(first.capsule_id))
    assert (late.remarks, recorded()[-1]["parents"]) == ((), [first.capsule_id])
    with record("fourth", parents=[within.capsule_id[:12], first.capsule_id], **quickly):
        pass
    assert recorded()[-1]["parents"] == [within.capsule_id, first.capsule_id]


@pytest.mark.slow
def test_a_working_directory_that_is_left_or_removed_loses_no_run(project):
    project.write("below/data.csv", "1")
    text = """if True:
        import os, shutil
        from capsulestore import record
        os.chdir("below")
        with record("removed", inputs=["data.csv"], outputs=["../fit.csv"]) as run:
            import six
            open("../fit.csv", "w").close()
            shutil.rmtree(os.getcwd())
        print(run.remarks)
    """
    assert project.script(text).out == "()\n"
    manifest = project.manifest()
    assert manifest["working_directory"] == "below"
    assert (list(named(manifest, "inputs")), list(named(manifest, "outputs"))) == (["below/data.csv"], ["fit.csv"])
    assert manifest["entry_point"] == "fit.py"
    assert project.loaded(manifest) == ["six"]
    assert manifest["layers"]["python"] == "captured"


REMOVED_BEFORE = """
import os, shutil, sys
from capsulestore import record
from capsulestore.errors import FileProblem
os.mkdir("below")
os.chdir("below")
os.rmdir(os.getcwd())
for place in ({store!r}, None):
    with record("removed", store=place) as run:
        result = 3
    assert result == 3
    print(type(run.error).__name__, run.error)
try:
    with record("removed", store={store!r}, strict=True):
        sys.exit("begun")
except FileProblem as problem:
    print(problem.hint)
"""


@pytest.mark.slow
def test_a_working_directory_that_was_removed_before_is_told(project):
    done = project.script(REMOVED_BEFORE.format(store=str(project.directory)))
    said = "the working directory is not there any more"
    assert done.out == f"FileProblem {said}\nFileProblem {said}\nchange to one that is\n"
    assert done.err == f"removed: not recorded: {said}; change to one that is\n" * 2
    assert project.manifests() == []


def test_strict_raises_for_an_input_before_the_analysis_begins(files, quickly, recorded):
    def analysis():
        raise AssertionError

    for inputs in (["nowhere.csv"], ["data.csv", "*.nothing"], ["more/a.csv/below"]):
        with pytest.raises(FileProblem):
            record("fit", inputs=inputs, strict=True, **quickly)(analysis)()
    assert recorded() == []


def test_strict_does_not_raise_for_an_output_that_is_not_there(store, quickly, recorded):
    with record("fit", outputs=["nowhere.csv"], strict=True, **quickly) as run:
        pass
    assert len(recorded()) == len(run.remarks) == 1


def test_an_output_that_cannot_be_read_is_told(store, quickly, recorded):
    with record("fit", outputs=["pipe"], **quickly) as run:
        os.mkfifo("pipe")
    assert len(recorded()) == 1
    assert "an output is not recorded" in run.remarks[0]
