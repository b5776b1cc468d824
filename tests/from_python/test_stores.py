"""A store that is not there, may not be written, is damaged or of a newer release: told, and left as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from capsulestore.artifact_registry import ancestors, get_capsule, list_capsules, register_capsule, verify_capsule
from capsulestore.errors import DamagedObject, MissingObject, NoStore, StoreUnreadable

CALLS = {
    "register_capsule": lambda **where: register_capsule("x", environment_capture={"python": {"rules": 1}}, **where),
    "verify_capsule": lambda **where: verify_capsule("@", python=".venv", **where),
    "get_capsule": lambda **where: get_capsule("@", **where),
    "list_capsules": list_capsules,
    "ancestors": lambda **where: ancestors("@", **where),
}
each = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())

IN_A_PROCESS = """
import json, sys
from capsulestore import artifact_registry
try:
    answer = eval(sys.argv[1], vars(artifact_registry))
except Exception as error:
    answer = {"error": type(error).__name__, "message": str(error), "hint": error.hint}
print(json.dumps(answer))
"""


@pytest.fixture
def bound(project, bound_by_permissions):
    """Evaluate a call in a process that permissions hold for."""

    def bound(call: str):
        command = [*bound_by_permissions, sys.executable, "-c", IN_A_PROCESS, call]
        done = subprocess.run(command, cwd=project, env=os.environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return bound


@pytest.fixture
def recorded(store, hand_made) -> dict:
    recorded = register_capsule("a capsule", environment_capture=hand_made, outputs=["fit.csv"])
    store.close()
    return recorded


@each
def test_where_there_is_no_store_the_hint_says_how_to_make_one(call, project):
    for where in ({}, {"store": project / "missing"}):
        with pytest.raises(NoStore) as caught:
            call(**where)
        assert "capsule init" in caught.value.hint
    assert sorted(path.name for path in project.iterdir()) == [".venv", "data.csv", "fit.csv"]


@each
@pytest.mark.parametrize("place", ["fit.csv", ".venv", "a\0b", "\ud800"])
def test_what_is_no_store_is_told(call, place, project):
    before = (project / "fit.csv").read_bytes()
    with pytest.raises((StoreUnreadable, NoStore)):
        call(store=place)
    assert (project / "fit.csv").read_bytes() == before


@each
def test_a_store_of_a_newer_release_is_left_as_it_is(call, store, recorded, contents):
    config = Path(store.path, "config")
    config.write_text(config.read_text().replace("schema = 1", "schema = 2"))
    before = contents(store)
    with pytest.raises(StoreUnreadable, match=r"has schema 2; this release reads up to 1") as caught:
        call()
    assert caught.value.hint == "upgrade with `pip install -U capsulestore`"
    assert contents(store) == before


@pytest.mark.parametrize("call", ["verify_capsule", "get_capsule"])
@pytest.mark.parametrize("damage", [b"", b"no object", None], ids=["emptied", "overwritten", "missing"])
def test_a_damaged_object_is_an_error_and_never_an_answer(call, damage, store, project):
    register_capsule("small", environment_capture={"python": {"rules": 1}})
    whole = CALLS[call]()
    needed = 0
    for path in sorted(Path(store.path, "objects").glob("??/*")):
        data = path.read_bytes()
        path.unlink()
        if damage is not None:
            path.write_bytes(damage)
        try:
            assert CALLS[call]() == whole
        except (DamagedObject, MissingObject):
            needed += 1
        path.unlink(missing_ok=True)
        path.write_bytes(data)
    # The capsule, its manifest, the environment, its layer, the layer's rules, and to list registrations the commit.
    assert needed == {"verify_capsule": 5, "get_capsule": 6}[call]
    assert CALLS[call]() == whole


def test_a_store_that_may_not_be_written_is_read_and_told(store, recorded, contents, bound):
    directories = [Path(store.path), *(path for path in Path(store.path).rglob("*") if path.is_dir())]
    modes = {path: path.stat().st_mode for path in directories}
    before = contents(store)
    try:
        for path in directories:
            path.chmod(0o555)
        refused = bound("register_capsule('y', environment_capture={'python': {'rules': 1}})")
        kept = bound("verify_capsule('@', python='.venv', record=True)")
        answers = [bound(f"{call}('@')['capsule_id']") for call in ("verify_capsule", "get_capsule")]
        listed = bound("list_capsules()")
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert [refused["error"], kept["error"]] == ["StoreUnwritable"] * 2
    assert refused["message"].startswith("cannot write to the store")
    assert answers == [recorded["capsule_id"]] * 2
    assert [entry["title"] for entry in listed] == ["a capsule"]
    assert contents(store) == before


def test_a_store_that_may_not_be_read_is_told(store, recorded, bound, contents):
    before = contents(store)
    Path(store.path, "config").chmod(0)
    answers = [bound("list_capsules()"), bound("register_capsule('y', environment_capture={'python': {'rules': 1}})")]
    Path(store.path, "config").chmod(0o644)
    assert [answer["error"] for answer in answers] == ["StoreUnreadable"] * 2
    assert contents(store) == before


def test_a_store_that_goes_away_while_it_is_open_is_told(store, hand_made, project, tmp_path):
    register_capsule("one", environment_capture=hand_made, store=store)
    Path(store.path).rename(tmp_path / "moved")
    with pytest.raises(NoStore):
        register_capsule("two", environment_capture=hand_made, store=store)
    assert not Path(store.path).exists()
    (tmp_path / "moved").rename(store.path)
    assert register_capsule("two", environment_capture=hand_made, store=store)["registered"]
