"""`make demo`, as somebody runs it who has just got the sources: a bare copy, a home with nothing in it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
"""What make tells a make that it runs is not for this one, which does not belong to it."""
NOT_COMPILED = {"PIP_NO_COMPILE": "no"}
"""As pip wants it said. Compiling takes most of the time of an install, for modules that nobody imports."""


@pytest.fixture
def checkout(tmp_path):
    """What git would take of this work tree, committed or not, in a directory whose name has a space."""
    if not (ROOT / ".git").exists():
        pytest.skip("these sources are no git work tree, so what belongs to them is not known")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    copy = tmp_path / "a checkout"
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        # A file that is deleted and not yet committed is still listed.
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


def run(command: list[str], checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=checkout,
        env={name: value for name, value in os.environ.items() if name not in OF_MAKE} | NOT_COMPILED,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.slow
def test_the_demo_shows_an_environment_recorded_changed_brought_back_and_pushed(checkout):
    done = run(["make", "demo"], checkout)

    assert done.returncode == 0, done.stdout
    assert re.findall(r"^(identical|different)\b", done.stdout, re.MULTILINE) == [
        "identical",
        "different",
        "identical",
        "identical",
        "identical",
    ]
    assert done.stdout.count("tzdata  2026.5 → 2026.6\n") == 2
    assert done.stdout.count("→") == 2
    assert "(exit status 1)" in done.stdout
    # As published: body mass on flipper length, all birds as one, in grams a millimetre.
    assert re.search(r"all as one +342 +49\.69 +1\.52 +0\.759", done.stdout)
    # In the second store, to which it was pushed, the first capsule is verified by its digest.
    assert re.search(r"^2 capsules, .* sent to origin", done.stdout, re.MULTILINE)
    first, *_ = re.findall(r"^capsule ([0-9a-f]{64})$", done.stdout, re.MULTILINE)
    assert f"$ cd colleague && capsule verify --python ../.venv/bin/python {first}\nidentical" in done.stdout
    assert "\nThe demo passed." in done.stdout


@pytest.mark.slow
def test_the_demo_fails_when_a_step_does_not_give_what_it_should(checkout):
    # Without numpy and pandas the analysis fails.
    (checkout / "examples/penguins/requirements.txt").write_text("")

    done = run([sys.executable, "examples/demo.py"], checkout)

    assert done.returncode != 0
    failed = r"^The demo failed: `capsule run .*` ended with status 1; it should have been 0"
    assert re.search(failed, done.stdout, re.MULTILINE)
    assert "The demo passed" not in done.stdout


def test_a_python_that_is_not_there_is_said_in_a_line_with_what_to_do(checkout):
    done = run(["make", "demo", "PYTHON=/nowhere/python3"], checkout)

    assert done.returncode != 0
    assert "\nmake: `/nowhere/python3` is not Python 3.11 or later. Name one that is: make PYTHON=" in done.stdout
    assert not (checkout / ".venv").exists()
