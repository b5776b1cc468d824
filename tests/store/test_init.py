"""`Store.init` makes a bare git repository in the SHA-256 format, as design §2.6 says."""

from __future__ import annotations

import os

import pytest

from capsulestore.store import Store
from capsulestore.store.layout import SCHEMA


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("core.bare", "true"),
        ("core.repositoryformatversion", "1"),
        ("extensions.objectformat", "sha256"),
        ("gc.auto", "0"),
        ("receive.autogc", "false"),
        ("receive.fsckObjects", "true"),
        ("receive.denyDeletes", "true"),
        ("capsulestore.schema", str(SCHEMA)),
    ],
)
def test_the_config_says(store, git, key, value):
    assert git(store.path, "config", "-f", "config", key) == value


def test_head_is_main(store, git):
    assert git(store.path, "symbolic-ref", "HEAD") == "refs/heads/main"


def test_git_takes_it_for_a_bare_repository_of_sha256_objects(store, git):
    assert git(store.path, "rev-parse", "--is-bare-repository", "--show-object-format") == "true\nsha256"


def test_a_new_store_is_sound(store, sound):
    sound(store)


def test_git_log_shows_what_was_added(store, add, git):
    add(store, "first fit")
    assert git(store.path, "log", "--format=%s") == "first fit"


def test_git_reads_the_store_where_only_explicit_bare_repositories_are_safe(store, add, git):
    add(store, "first fit")
    assert git(store.path, "-c", "safe.bareRepository=explicit", "log", "--format=%s") == "first fit"


def test_a_second_init_changes_nothing(store, project, add, listing):
    add(store)
    before = listing(project)
    Store.init(str(project)).close()
    assert listing(project) == before


def test_init_makes_the_directories_above_it(tmp_path, sound):
    with Store.init(str(tmp_path / "a" / "b")) as store:
        assert store.path == str(tmp_path / "a" / "b" / ".capsules")
        sound(store)


def test_init_takes_an_empty_directory_of_that_name(project, sound):
    (project / ".capsules").mkdir()
    with Store.init(str(project)) as store:
        sound(store)


def test_init_from_within_the_directory_gives_the_absolute_path(project, monkeypatch):
    monkeypatch.chdir(project)
    with Store.init() as store:
        assert store.path == os.path.join(os.getcwd(), ".capsules")


def test_nothing_but_the_store_is_left_beside_it(store, project):
    assert sorted(os.listdir(project)) == [".capsules", ".gitignore"]


def test_git_clean_in_a_surrounding_work_tree_spares_the_store(project, git, add, whole):
    git(project, "init", "-q")
    (project / "rubbish").touch()
    with Store.init(str(project)) as store:
        digest = add(store).capsule
        git(project, "clean", "-fdxq")
        assert not (project / "rubbish").exists()
        whole(store, digest)
