"""A real nix store with a real Python that runs from it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from nix_stores import NixStore, make_store

from capsulestore.capture.asking import ask
from capsulestore.capture.cache import NOTHING_KEPT, Cache
from capsulestore.capture.layer import LayerCapture, Runtime
from capsulestore.capture.nix import NixLayer


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> NixStore:
    """A store for all tests to read; what a test adds for itself alone it may delete."""
    return make_store(tmp_path_factory.mktemp("nix"))


@pytest.fixture(scope="session")
def nix_python(store) -> Path:
    """The interpreter in the store. It refers to the path of its libraries."""
    return store.python()


@pytest.fixture(scope="session")
def nix_runtime(environ) -> Callable[..., Runtime]:
    """What a layer is captured of: `nix_runtime(python, cache, NAME=value)`."""

    def make(python: Path, cache: Cache = NOTHING_KEPT, **variables: str) -> Runtime:
        started_with = {**environ, **variables}
        return Runtime(ask(str(python), environ=started_with), started_with, cache)

    return make


@pytest.fixture(scope="session")
def look(store, nix_runtime) -> Callable[..., LayerCapture]:
    """Capture the layer of an interpreter: `look(python, cache, NAME=value)`."""
    return lambda python, *cache, **variables: NixLayer(str(store.directory)).capture(
        nix_runtime(python, *cache, **variables), 1
    )


@pytest.fixture
def changing(store, nix_python, tmp_path) -> Callable[[str], Path]:
    """Build an environment with one package of that content: the paths are the same, whatever the content is."""
    content = tmp_path / "content"

    def build(text: str) -> Path:
        content.write_text(text)
        package = store.build("package-1.0", f"mkdir $out; cp {content} $out/package.py")
        return store.python_with(nix_python, package)

    return build
