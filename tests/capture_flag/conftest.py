"""Scripts as their users have them: files, run by the real interpreter, with a store beside them."""

import subprocess
import sys
from textwrap import dedent

import pytest

from capsulestore.store import Store

FIT = """
import argparse, os, pickle, sys, threading
from pathlib import Path
from capsulestore.post_process import add_capture_capsule_argument

parser = argparse.ArgumentParser()
parser.add_argument("data", nargs="*")
parser.add_argument("--out", type=Path, default="out")
parser.add_argument("--log", type=argparse.FileType("w"))
parser.set_defaults(call=print)
add_capture_capsule_argument(parser, inputs=["{data}"], outputs=["{out}/*.csv"])
parsed = parser.parse_args()
options = parsed[0] if isinstance(parsed, tuple) else parsed

def fit():
    Path(options.out).mkdir(exist_ok=True)
    Path(options.out, "fit.csv").write_text("1,2,3")
    print("fitted", options.capture_capsule)
    {end}

if __name__ == "__main__":
    fit()
"""


@pytest.fixture
def project(tmp_path):
    """A directory without a store."""
    directory = tmp_path / "a project"
    directory.mkdir()
    return directory


@pytest.fixture
def store(project, same_user):
    """The project's store, empty."""
    with Store.init(project) as made:
        return made.path


@pytest.fixture
def script(project):
    """Write a script, and return what runs it in the project."""

    def write(text, name="fit.py"):
        (project / name).write_text(dedent(text))

        def run(*arguments, python=("-W", "error"), start=(name,)):
            return subprocess.run(
                [sys.executable, *python, *start, *arguments],
                cwd=project,
                capture_output=True,
                text=True,
                check=False,
            )

        return run

    return write


@pytest.fixture
def fit(script):
    """A script with a parser of argparse, that ends in its own way."""
    return lambda end="": script(FIT.replace("{end}", end))


@pytest.fixture
def manifests(store):
    """Return what the capsules say, newest first."""

    def recorded():
        with Store(store) as opened:
            return [opened.capsule(found.digest).manifest.value for found in opened.index.capsules()]

    return recorded


@pytest.fixture
def told(manifests, store):
    """Return what the store's only capsule says, whose digest the script has told, and nothing else of ours."""

    def capsule(done):
        (manifest,) = manifests()
        with Store(store) as opened:
            digest = opened.resolve_capsule("@")
        assert [line for line in done.stderr.splitlines() if line.startswith("capsule ")] == [f"capsule {digest}"]
        assert "fit.py: " not in done.stderr.replace("fit.py: error: ", "")
        return manifest

    return capsule
