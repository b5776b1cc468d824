"""What is kept of the layer holds as long as the paths are the same files, whatever else becomes of the store."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from capsulestore.capture.cache import Cache


@pytest.fixture
def kept(tmp_path) -> Cache:
    return Cache(str(tmp_path / "cache"), granularity_ns=0)


@pytest.fixture
def no_database(store) -> Callable[[], AbstractContextManager[None]]:
    """Have the store without its database for a while: who reads it then finds none."""

    @contextmanager
    def aside() -> Iterator[None]:
        away = store.database.rename(store.database.with_name("away"))
        try:
            yield
        finally:
            away.rename(store.database)

    return aside


def test_the_database_is_read_once(nix_python, look, kept, no_database):
    captured = look(nix_python, kept)
    with no_database():
        assert look(nix_python, kept) == captured == look(nix_python, kept)


def test_it_is_kept_while_nix_does_other_things(store, nix_python, look, kept, no_database, tmp_path):
    captured = look(nix_python, kept)
    (tmp_path / "other").write_text("1")
    store.delete(store.add(tmp_path / "other"))
    with no_database():
        assert look(nix_python, kept) == captured


def test_without_a_database_the_layer_is_unknown_and_that_is_not_kept(store, nix_python, look, kept, no_database):
    with no_database():
        captured = look(nix_python, kept)
    assert captured.state.as_json() == {"unknown": f"the nix database `{store.database}` is not there"}
    assert (captured.environment, captured.context) == (None, None)
    assert look(nix_python, kept).state.as_json() == "captured"


@pytest.mark.slow
def test_a_path_that_was_deleted_and_added_again_is_noticed(store, changing, look, kept):
    python = changing("x = 1\n")
    before = look(python, kept).environment["paths"]
    (package,) = [path for path in before if path.endswith("package-1.0")]
    store.delete(store.directory / package)
    assert changing("x = 2\n") == python, "the same paths"
    after = look(python, kept).environment["paths"]
    assert {path for path in before if before[path] != after[path]} == {package}
    assert look(python).environment["paths"] == after


def test_another_path_to_import_from_is_noticed(store, nix_python, look, kept, tmp_path):
    captured = look(nix_python, kept)
    (tmp_path / "gamma-1.0").mkdir()
    package = store.add(tmp_path / "gamma-1.0")
    (added,) = {*look(nix_python, kept, PYTHONPATH=str(package)).environment["paths"]} - {
        *captured.environment["paths"]
    }
    assert added == package.name
    assert look(nix_python, kept) == captured
