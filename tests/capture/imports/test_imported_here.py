"""What this process holds is seen by its files, as what a traced command runs is."""

import importlib.util
import os
import subprocess
import sys
import sysconfig
import types
import zipfile

import pytest

from capsulestore.capture.imports import imported_here


@pytest.fixture
def importing(tmp_path, monkeypatch):
    """Import a module that a test has written, for the time of the test."""
    monkeypatch.syspath_prepend(tmp_path)

    def run(name):
        monkeypatch.setitem(sys.modules, name, None)
        del sys.modules[name]
        return importlib.import_module(name)

    return run


def test_a_module_is_seen_by_its_file_and_the_standard_library_is_not(write, importing):
    path = write("seen_here.py", "import json\n")
    importing("seen_here")
    files = imported_here().files
    assert str(path) in files
    assert pytest.__file__ in files
    library = sysconfig.get_path("stdlib")
    assert [file for file in files if file.startswith(f"{library}{os.sep}") and "-packages" not in file] == []


def test_what_lies_in_an_archive_is_the_archive(importing, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("packed_here.py", "")
    monkeypatch.syspath_prepend(tmp_path / "packed.zip")
    importing("packed_here")
    assert str(tmp_path / "packed.zip") in imported_here().files


def test_a_namespace_and_what_was_never_in_a_file_are_not_seen(write, importing, tmp_path, monkeypatch):
    write("spaced_here/part.py", "")
    importing("spaced_here.part")
    made = types.ModuleType("made_here")
    made.__file__ = str(tmp_path / "nowhere.py")
    monkeypatch.setitem(sys.modules, "made_here", made)
    assert {file for file in imported_here().files if file.startswith(str(tmp_path))} == {
        str(tmp_path / "spaced_here" / "part.py")
    }


def test_nothing_is_asked_of_a_module_itself(monkeypatch):
    class Asked(types.ModuleType):
        def __getattribute__(self, name):
            raise AssertionError(name)

    class All:
        def __getattribute__(self, name):
            raise SystemExit(name)

    before = imported_here()
    for name, module in (("asked", Asked("asked")), ("all", All()), ("none", None), ("number", 3)):
        monkeypatch.setitem(sys.modules, f"{name}_here", module)
    assert imported_here() == before


def test_what_is_gone_is_not_seen(write, importing, monkeypatch):
    path = write("gone_here.py", "")
    importing("gone_here")
    monkeypatch.delitem(sys.modules, "gone_here")
    assert str(path) not in imported_here().files


def test_it_is_the_same_that_tracing_sees(small, write, run_traced, environ):
    """But for what we import ourselves, both are alike."""
    write("local.py", "import alpha.core\n")
    script = write("main.py", "import local, beta, json\n")
    traced = run_traced(small.python, script).traced
    root = os.path.dirname(os.path.dirname(importlib.util.find_spec("capsulestore").origin))
    here = "import sys; sys.path += {!r}; from capsulestore.capture.imports import imported_here\n" + (
        "print('\\n'.join(sorted(imported_here().files)))\n"
    )
    needed = [root, *(path for path in sys.path if path.endswith("-packages"))]
    script.write_text(script.read_text() + here.format(needed))
    done = subprocess.run([small.python, script], env=environ, capture_output=True, text=True, check=True)
    assert {path for path in done.stdout.split("\n")[:-1] if "/orjson/" not in path} == traced.files
