"""The store at /nix/store, where nix has it."""

import pytest
from nix_stores import TRUE_STORE, true_store

from capsulestore.capture.nix import NixLayer


@pytest.mark.slow
def test_an_interpreter_of_the_true_store_is_captured_and_the_machine_left_as_it_was(nix_runtime, make_venv, tmp_path):
    was_there = TRUE_STORE.exists()
    before = {*TRUE_STORE.iterdir()} if was_there else set()
    with true_store() as store:
        python = store.python()
        captured = NixLayer().capture(nix_runtime(python), 1)
        assert captured.state.as_json() == "captured"
        assert {*captured.environment["paths"]} == {*store.closure(python.parents[1])}
        assert len(captured.environment["paths"]) == 2
        venv = make_venv(tmp_path / "venv", python=str(python))
        assert NixLayer().capture(nix_runtime(venv.python), 1) == captured
    assert TRUE_STORE.exists() == was_there == TRUE_STORE.parent.exists()
    assert ({*TRUE_STORE.iterdir()} if was_there else set()) - {TRUE_STORE / ".links"} == before - {
        TRUE_STORE / ".links"
    }
