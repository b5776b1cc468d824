"""A store is found as git finds a repository: by a variable, else upwards from here."""

from __future__ import annotations

import os

import pytest

from capsulestore.errors import NoStore, StoreUnreadable
from capsulestore.store import Store


@pytest.fixture(autouse=True)
def _no_store_named(monkeypatch):
    monkeypatch.delenv("CAPSULE_STORE", raising=False)


def test_the_store_of_a_directory_above_is_found(store, project):
    (project / "a" / "b").mkdir(parents=True)
    with Store.discover(str(project / "a" / "b")) as found:
        assert found.path == store.path


def test_the_nearest_store_is_found(store, project):
    with Store.init(str(project / "a")) as nearest, Store.discover(str(project / "a")) as found:
        assert found.path == nearest.path


def test_it_is_looked_for_from_the_working_directory(store, project, monkeypatch):
    monkeypatch.chdir(project)
    with Store.discover() as found:
        assert found.path == store.path


@pytest.mark.parametrize("inside", ["", ".capsules"])
def test_the_variable_names_the_store_or_the_directory_that_holds_it(store, project, tmp_path, monkeypatch, inside):
    monkeypatch.setenv("CAPSULE_STORE", str(project / inside))
    with Store.init(str(tmp_path / "other")), Store.discover(str(tmp_path / "other")) as found:
        assert found.path == store.path


def test_a_variable_that_names_no_store_is_an_error_even_where_there_is_one(store, project, tmp_path, monkeypatch):
    monkeypatch.setenv("CAPSULE_STORE", str(tmp_path / "gone"))
    with pytest.raises(NoStore):
        Store.discover(str(project))


def test_an_empty_variable_counts_as_none(store, project, monkeypatch):
    monkeypatch.setenv("CAPSULE_STORE", "")
    with Store.discover(str(project)) as found:
        assert found.path == store.path


def test_no_store_up_to_the_root_is_an_error_with_the_next_step(project):
    with pytest.raises(NoStore) as caught:
        Store.discover(str(project))
    assert (caught.value.exit_code, caught.value.hint) == (3, "make one with `capsule init`")


def test_a_file_of_that_name_is_passed_over(store, project):
    (project / "a").mkdir()
    (project / "a" / ".capsules").touch()
    with Store.discover(str(project / "a")) as found:
        assert found.path == store.path


def test_the_nearest_directory_of_that_name_is_not_passed_over_because_it_is_no_store(store, project):
    (project / "a" / ".capsules").mkdir(parents=True)
    with pytest.raises(StoreUnreadable):
        Store.discover(str(project / "a"))


def test_a_link_to_a_store_is_that_store(store, project, add, whole):
    (project / "a").mkdir()
    (project / "a" / ".capsules").symlink_to(store.path)
    with Store.discover(str(project / "a")) as found:
        digest = add(found).capsule
    whole(store, digest)


def test_the_root_is_the_directory_that_holds_the_store(store, project):
    assert store.root == str(project)


def test_a_path_from_here_stays_valid_when_the_working_directory_changes(store, project, add, monkeypatch):
    monkeypatch.chdir(project)
    with Store(".capsules") as here:
        monkeypatch.chdir(os.sep)
        assert add(here).new
