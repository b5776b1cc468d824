"""`--store` and `--json` before and after the command, `$CAPSULE_STORE`, and which interpreter is looked at."""

from __future__ import annotations

import shutil


def test_the_store_is_found_from_a_directory_below(capsule, store, project):
    below = project / "deep" / "er"
    below.mkdir(parents=True)
    assert capsule("add", "--python", project / ".venv", cwd=below).status == 0


def test_the_store_is_named_before_or_after_the_command_or_by_the_environment(capsule, store, tmp_path):
    digest = capsule("add").line
    for outcome in (
        capsule("--store", store, "--json", "show", cwd=tmp_path),
        capsule("show", "--store", store, "--json", cwd=tmp_path),
        capsule("show", "--json", "--store", store.parent, cwd=tmp_path),
        capsule("show", "--json", env={"CAPSULE_STORE": str(store)}, cwd=tmp_path),
    ):
        assert outcome.json["capsule_id"] == digest


def test_a_named_store_comes_before_that_of_the_environment(capsule, store, tmp_path):
    assert capsule("add", "--store", store, env={"CAPSULE_STORE": str(tmp_path / "nowhere")}).status == 0


def test_the_activated_environment_is_looked_at_before_the_local_one(capsule, project, tmp_path):
    local = capsule("capture", "--json").json
    project.joinpath(".venv").rename(tmp_path / "active")
    active = capsule("capture", "--json", env={"VIRTUAL_ENV": str(tmp_path / "active")}).json
    assert active["environment_digest"] == local["environment_digest"]


def test_an_activated_environment_that_is_gone_is_told(capsule, tmp_path):
    done = capsule("capture", env={"VIRTUAL_ENV": str(tmp_path / "gone")})
    assert done.status == 6
    assert "VIRTUAL_ENV" in done.err


def test_init_takes_a_directory_and_does_no_harm_twice(capsule, tmp_path, unchanged):
    made = capsule("init", tmp_path / "nëw dir")
    assert made.line == str(tmp_path / "nëw dir" / ".capsules")
    before = unchanged(tmp_path)
    assert capsule("init", tmp_path / "nëw dir") == made
    assert unchanged(tmp_path) == before


def test_an_activated_environment_that_is_not_the_local_one_is_told(capsule, project, store, tmp_path):
    shutil.copytree(project / ".venv", tmp_path / "active", symlinks=True)
    for command in ("add", "verify"):
        done = capsule(command, env={"VIRTUAL_ENV": str(tmp_path / "active")})
        assert "not at `.venv` here" in done.err
    assert "not at" not in capsule("add", env={"VIRTUAL_ENV": str(project / ".venv")}).err


def test_a_local_environment_without_an_interpreter_is_told_and_not_passed_over(capsule, project, store):
    (project / ".venv" / "bin" / "python").unlink()
    done = capsule("add")
    assert (done.status, done.out) == (6, "")
    assert "`./.venv` has no `bin/python`" in done.err


def test_from_a_directory_without_an_environment_the_interpreter_is_told(capsule, store, project):
    (project / "below").mkdir()
    assert "looked at `" in capsule("add", cwd=project / "below").err


def test_init_takes_no_store(capsule, tmp_path):
    done = capsule("init", "--store", tmp_path / "there")
    assert done.status == 2
    assert "capsule init DIR" in done.err
