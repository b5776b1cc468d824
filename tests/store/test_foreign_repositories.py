"""What is no store that this release reads is refused, and left as it is."""

from __future__ import annotations

import pytest

from capsulestore.errors import NoStore, StoreUnreadable
from capsulestore.store import Store


def assert_refused(project, listing):
    """Neither opening nor making a store there goes; return what opening says."""
    before = listing(project)
    with pytest.raises(StoreUnreadable) as caught:
        Store(str(project / ".capsules"))
    with pytest.raises(StoreUnreadable):
        Store.init(str(project))
    assert caught.value.exit_code == 4
    assert listing(project) == before
    return caught.value


def test_a_repository_of_sha1_objects(project, git, listing):
    git(project, "init", "-q", "--bare", ".capsules")
    assert "not a store" in assert_refused(project, listing).message


def test_a_repository_of_sha1_objects_that_says_it_is_a_store(project, git, listing):
    git(project, "init", "-q", "--bare", ".capsules")
    git(project / ".capsules", "config", "capsulestore.schema", "1")
    assert_refused(project, listing)


def test_a_repository_of_sha256_objects_that_is_no_store(project, git, listing):
    git(project, "init", "-q", "--bare", "--object-format=sha256", ".capsules")
    assert "not a store" in assert_refused(project, listing).message


@pytest.mark.parametrize("schema", ["2", "10", "1.5", "-1", "new", "¹"])
def test_a_store_of_another_schema(store, project, git, listing, schema):
    git(store.path, "config", "capsulestore.schema", schema)
    error = assert_refused(project, listing)
    assert f"schema {schema}" in error.message
    assert "upgrade" in error.hint


def test_a_store_whose_refs_this_release_cannot_read(store, project, git, listing):
    git(store.path, "config", "extensions.refStorage", "reftable")
    assert_refused(project, listing)


def test_a_store_whose_config_is_damaged(store, project, listing):
    (project / ".capsules" / "config").write_bytes(b"[core\nbare = [[[")
    assert "damaged" in assert_refused(project, listing).message


def test_a_store_whose_config_is_empty(store, project, listing):
    (project / ".capsules" / "config").write_bytes(b"")
    assert_refused(project, listing)


def test_a_store_whose_config_was_cut_short_at_any_byte(store, project):
    config = project / ".capsules" / "config"
    complete = config.read_bytes()
    for length in range(len(complete) - 2):
        config.write_bytes(complete[:length])
        with pytest.raises(StoreUnreadable):
            Store(store.path)


def test_a_directory_that_holds_something_else(project, listing):
    (project / ".capsules").mkdir()
    (project / ".capsules" / "letters.txt").write_text("dear sir")
    assert_refused(project, listing)


def test_a_file_of_that_name(project, listing):
    (project / ".capsules").write_text("dear sir")
    assert_refused(project, listing)


def test_a_link_that_leads_nowhere(project, listing):
    (project / ".capsules").symlink_to("nowhere")
    assert_refused(project, listing)


def test_a_directory_that_is_not_there(project):
    with pytest.raises(NoStore) as caught:
        Store(str(project / ".capsules"))
    assert "capsule init" in caught.value.hint
