"""The application as other programs make it."""

import subprocess
import sys

import pytest

from capsulestore.api import create_app
from capsulestore.errors import InterpreterProblem, NoStore


def test_it_needs_a_store(tmp_path):
    with pytest.raises(NoStore):
        create_app(str(tmp_path / "nothing"))


def test_it_needs_the_interpreter_that_is_named(served_store, tmp_path):
    with pytest.raises(InterpreterProblem):
        create_app(served_store, python=tmp_path / "python")


def test_a_directory_that_holds_a_store_names_it(served_store):
    assert create_app(served_store.parent, git=False).openapi()["info"]["title"] == "capsulestore"


@pytest.mark.parametrize("missing", ["fastapi", "starlette", "packaging"])
def test_without_the_extra_it_is_said_what_to_install(missing):
    program = f"import sys; sys.modules[{missing!r}] = None; import capsulestore.api"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (
        done.stderr.splitlines()[-1] == "ImportError: the server is not installed: `pip install 'capsulestore[server]'`"
    )
