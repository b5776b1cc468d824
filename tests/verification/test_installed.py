"""What deep verification found, in words for people and for programs."""

import shutil
import subprocess
import sys

import pytest
from uv import find_uv_bin

from capsulestore.artifact_registry import register_capsule, verify_capsule
from capsulestore.capture.environment import capture_environment
from capsulestore.capture.integrity import Altered, Integrity, Unchecked
from capsulestore.errors import UsageError
from capsulestore.store import Store
from capsulestore.verification.installed import failing, said_of_each, said_of_installed

NOTHING = Integrity(2, 20, 2, (), ())


def altered(kind, *names, owner="numpy", layer="python"):
    return tuple(Altered(kind, layer, owner, f"/site/{name}", name) for name in names)


SAID = {
    "nothing": (NOTHING, [], []),
    "one": (
        NOTHING._replace(altered=altered("changed", "numpy/a.py")),
        ["python/numpy: numpy/a.py: was changed since it was installed"],
        ["installed_file_changed"],
    ),
    "many of one owner": (
        NOTHING._replace(altered=altered("missing", *"abcdef")),
        ["python/numpy: a, b, c and 3 more: is missing since it was installed"],
        ["installed_file_missing"] * 6,
    ),
    "each kind by itself": (
        NOTHING._replace(
            altered=(
                *altered("changed", "a"),
                *altered("unowned", "x", "y", owner=None),
                *altered("unreadable", "b", layer="conda"),
                *altered("changed", "c"),
            )
        ),
        [
            "conda/numpy: b: cannot be read, and so not compared",
            "python: x, y: belongs to nobody",
            "python/numpy: a, c: was changed since it was installed",
        ],
        ["installed_file_changed", "installed_file_unreadable", "installed_file_changed"],
    ),
    "what was not compared": (
        NOTHING._replace(
            unchecked=(
                Unchecked("python", "apt", "has no RECORD", None),
                Unchecked("python", "chardet", "has no RECORD", 12),
                Unchecked("python", "six", "no hash is recorded", 1),
            )
        ),
        [
            "python: apt, chardet: not checked (12 files): has no RECORD",
            "python: six: not checked (1 file): no hash is recorded",
        ],
        [],
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_it_is_said_in_short_and_in_full(name):
    found, short, codes = SAID[name]
    assert list(said_of_installed(found)) == short
    assert [code for code, _, _ in failing(found)] == codes
    each = list(said_of_each(found))
    assert len(each) == len(found.altered) + len({files.reason for files in found.unchecked})
    assert {reason for _, _, reason in failing(found)} <= {*each}
    assert found.same is not bool(codes)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a real environment, a store, and a capsule of the environment."""
    uv = find_uv_bin()
    for command in (
        [uv, "venv", "-q", "--python", sys.executable, tmp_path / ".venv"],
        [uv, "pip", "install", "-q", "--link-mode=copy", "--python", tmp_path / ".venv", "--no-deps", "six==1.17.0"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    monkeypatch.chdir(tmp_path)
    Store.init(".").close()
    register_capsule("a fit", environment_capture=capture_environment(".venv/bin/python", layers=["python"]))
    return tmp_path


@pytest.mark.slow
def test_a_program_asks_for_it_and_gets_codes(project):
    answer = verify_capsule("@", python=".venv", deep=True)
    assert (answer["match"], answer["failures"], answer["deep"]["altered"]) == (True, [], [])
    assert answer["deep"].keys() == {"files", "bytes", "hashed", "altered", "unchecked"}
    assert "deep" not in verify_capsule("@", python=".venv")
    (six,) = project.glob(".venv/lib/*/site-packages/six.py")
    shutil.copy(six, six.with_name("copy.py"))
    six.write_text("changed\n")
    answer = verify_capsule("@", python=".venv", deep=True, record=True)
    assert (answer["verdict"], answer["match"], "statement_id" in answer) == ("different", False, True)
    assert [failure["code"] for failure in answer["failures"]] == ["environment_changed", "installed_file_changed"]
    assert answer["deep"]["altered"] == [{"kind": "changed", "layer": "python", "owner": "six", "path": str(six)}]
    assert verify_capsule("@", python=".venv", layers=["python"], deep=True)["deep"]["altered"]
    for wrong in ({"loaded": True}, {"layers": ["system"]}):
        with pytest.raises(UsageError):
            verify_capsule("@", python=".venv", deep=True, **wrong)
