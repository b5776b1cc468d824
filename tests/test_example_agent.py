"""The example agent: analyses of its own choice, a capsule of each, and an earlier one that it goes on from."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from capsulestore.artifact_registry import ancestors, get_capsule, list_capsules
from capsulestore.store import Store

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "agent"


def run(place: Path, *arguments: str, env: dict[str, str] | None = None) -> str:
    command = [sys.executable, "agent.py", *arguments]
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> tuple[Path, str]:
    """The directory of an agent that has run once, with a store, and what it told."""
    place = tmp_path_factory.mktemp("first")
    for name in ("agent.py", "nile.csv"):
        shutil.copy(EXAMPLE / name, place / name)
    Store.init(place).close()
    home = str(tmp_path_factory.mktemp("home"))
    return place, run(place, env={"PATH": os.environ["PATH"], "HOME": home, "XDG_CACHE_HOME": home})


@pytest.fixture
def place(first, tmp_path) -> Path:
    return shutil.copytree(first[0], tmp_path / "place", symlinks=True)


def test_each_analysis_has_a_capsule_that_names_the_one_which_led_to_it(first):
    place, told = first
    assert told.endswith("the flow changed in 1899\n")
    registered = list_capsules(store=place)
    printed = re.findall(r"[0-9a-f]{64}", told)
    assert [capsule["capsule_id"] for capsule in reversed(registered)] == printed
    best = next(capsule for capsule in registered if capsule["title"] == "a break in 1899?")
    assert ancestors(best["capsule_id"], store=place)[-1]["capsule_id"] == printed[0]
    manifest = get_capsule(best["capsule_id"], store=place)["manifest"]
    assert [file["path"] for file in manifest["inputs"] + manifest["outputs"]] == ["nile.csv", "breaks/1899.json"]
    assert (manifest["entry_point"], manifest["status"]) == ("agent.py", "completed")


def test_it_goes_on_from_an_earlier_capsule_that_holds(place):
    earlier = next(one for one in list_capsules(store=place) if one["title"] == "a break in 1896?")
    told = run(place, "--from", earlier["capsule_id"])
    assert told.startswith("a break in 1896: identical\n")
    assert told.endswith("the flow changed in 1899\n")
    assert list_capsules(limit=1, store=place)[0]["parents"] != []


def test_in_an_environment_that_has_changed_it_says_so_and_runs_the_analysis_again(place, monkeypatch):
    earlier = next(one for one in list_capsules(store=place) if one["title"] == "a break in 1896?")
    (place / "breaks" / "1896.json").write_text("{}")
    newer = place / "elsewhere" / "newer-1.0.dist-info"
    newer.mkdir(parents=True)
    (newer / "METADATA").write_text("Metadata-Version: 2.1\nName: newer\nVersion: 1.0\n")
    (newer / "RECORD").write_text("newer-1.0.dist-info/METADATA,,\n")
    monkeypatch.setenv("PYTHONPATH", str(newer.parent))
    told = run(place, "--from", earlier["capsule_id"])
    assert told.startswith("a break in 1896: not as it was, so once more\n")
    assert "python/packages: newer ∅ → 1.0\n" in told
    assert "breaks/1896.json: is not what was recorded\n" in told
    again = next(one for one in list_capsules(store=place) if one["title"] == "a break in 1896?")
    assert again["parents"] == [earlier["capsule_id"]]
