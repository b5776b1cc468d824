"""The main job, start to end: a real environment captured, stored, shown, verified and compared."""

from __future__ import annotations

import subprocess


def test_an_environment_is_added_verified_changed_and_told_apart(started_anew, project, install):
    (project / "fit.csv").write_text("a,b\n1,2\n")
    assert started_anew("init").line == str(project / ".capsules")

    added = started_anew("add", "-m", "first fit", "--output", "fit.csv", "--param", "alpha=0.5")
    assert added.status == 0
    digest = added.line
    assert len(digest) == 64
    assert started_anew("add", "-m", "first fit", "--output", "fit.csv", "--param", "alpha=0.5").line == digest

    same = started_anew("verify")
    assert same.status == 0
    assert same.out.startswith("identical to ")
    assert started_anew("diff", "@").status == 0

    install("six==1.17.0")
    different = started_anew("verify")
    assert different.status == 1
    assert different.out.splitlines()[0].startswith("different from ")
    assert different.out.splitlines()[1:] == ["  python/packages", "    six  1.16.0 → 1.17.0"]
    assert started_anew("diff", "@").out == "python/packages\n  six  1.16.0 → 1.17.0\n"

    install("six==1.16.0")
    assert started_anew("verify", digest[:8]).status == 0


def test_the_store_is_a_git_repository_that_git_finds_sound(capsule, store):
    digest = capsule("add", "-m", "für git").line
    log = subprocess.run(
        ["git", "-C", store, "log", "--format=%T %s"], capture_output=True, text=True, check=True
    ).stdout
    assert log == f"{digest} für git\n"
    fsck = subprocess.run(["git", "-C", store, "fsck", "--strict"], capture_output=True, text=True, check=False)
    assert (fsck.returncode, fsck.stdout) == (0, "")


def test_the_main_job_needs_no_git(started_anew, project, tmp_path):
    empty = tmp_path / "bin"
    empty.mkdir()
    env = {"PATH": str(empty)}
    assert started_anew("init", env=env).status == 0
    digest = started_anew("add", env=env).line
    for command in (("show", digest), ("verify",), ("diff", "@")):
        assert started_anew(*command, env=env).status == 0


def test_an_environment_captured_elsewhere_is_added_from_its_file(capsule, store, project):
    captured = capsule("capture", "--json")
    (project / "environment.json").write_text(captured.out)
    added = capsule("add", "--json", "--environment", "environment.json").json
    assert added["environment_digest"] == captured.json["environment_digest"]
    assert capsule("verify").status == 0
    piped = capsule("add", "--json", "--environment", "-", text=captured.out).json
    assert piped == added | {"registered": False}


def test_capture_needs_no_store_and_makes_none(capsule, project):
    assert capsule("capture").status == 0
    assert not (project / ".capsules").exists()


def test_the_title_is_the_directorys_name_unless_given(capsule, store):
    capsule("add")
    assert capsule("show", "--json").json["manifest"]["title"] == "environment of a project"


def test_a_capsule_in_a_directory_of_the_same_name_elsewhere_has_the_same_digest(capsule, project, store, tmp_path):
    here = capsule("add").line
    elsewhere = tmp_path / "deep er" / project.name
    elsewhere.mkdir(parents=True)
    project.joinpath(".venv").rename(elsewhere / ".venv")
    capsule("init", cwd=elsewhere)
    assert capsule("add", cwd=elsewhere).line == here


def test_a_capsule_derives_from_others_by_any_of_their_names(capsule, store):
    first = capsule("add", "-m", "first").line
    capsule("add", "-m", "second", "--parent", first[:10], "--parent", "@")
    assert capsule("show", "--json").json["manifest"]["parents"] == [first]


def test_a_changed_output_is_told_beside_an_identical_environment(capsule, store, project):
    (project / "out.csv").write_text("1")
    (project / "gone.csv").write_text("2")
    capsule("add", "--output", "out.csv", "--input", "gone.csv")
    (project / "gone.csv").unlink()
    missing = capsule("verify")
    assert missing.status == 0
    assert "gone.csv: is not here" in missing.out
    (project / "out.csv").write_text("3")
    changed = capsule("verify", "--json")
    assert changed.status == 1
    assert changed.json["verdict"] == "identical"
    assert changed.json["files"] == [
        {"path": "gone.csv", "state": "missing"},
        {"path": "out.csv", "state": "changed"},
    ]


def test_a_file_that_cannot_be_compared_leaves_the_verdict_on_the_environment(capsule, store, project):
    (project / "out.csv").write_text("1")
    capsule("add", "--output", "out.csv")
    (project / "out.csv").unlink()
    (project / "out.csv").mkdir()
    done = capsule("verify", "--json")
    assert (done.status, done.json["verdict"]) == (1, "identical")
    assert done.json["files"] == [{"path": "out.csv", "state": "changed"}]


def test_what_was_not_seen_is_told_with_an_identical_verdict(capsule, store, project):
    (record,) = project.joinpath(".venv").rglob("six-*.dist-info/RECORD")
    record.write_text(record.read_text() + "gone.py,,\n")
    capsule("add")
    done = capsule("verify")
    assert done.status == 0
    assert "gone.py" in done.out
    assert "no part of the verdict" in done.out


def test_context_that_differs_is_named_and_makes_no_difference(capsule, store, install):
    capsule("add")
    install("pip==24.0")
    done = capsule("verify")
    assert done.status == 0
    assert "context: pip ∅ → 24.0" in done.out
