"""Whatever is changed of which interpreter starts, and where from, a warm index gives what is captured without one."""

import os
import shutil
import sys

import pytest

from capsulestore.capture.cache import Cache
from capsulestore.capture.layer import Runtime
from capsulestore.capture.system import SystemLayer
from capsulestore.errors import InterpreterProblem

USER_SITE = "lib/python{}.{}/site-packages".format(*sys.version_info)


@pytest.fixture
def plain(make_interpreter, indexed, tmp_path):
    """An interpreter that is no virtual environment, so that it has a user site."""
    made = indexed(make_interpreter(tmp_path / "plain"))
    made.change(PYTHONUSERBASE=str(tmp_path / "user"))
    return made


@pytest.mark.slow
def test_another_interpreter_behind_the_same_link_is_asked(copied, other_python):
    before = copied.warm()
    copied.environment.python.unlink()
    copied.environment.python.symlink_to(other_python)
    assert copied.agree().interpreter.version != before.interpreter.version


@pytest.mark.slow
def test_a_binary_in_a_links_place_is_asked(copied):
    before = copied.warm()
    binary = copied.environment.python.resolve()
    copied.environment.python.unlink()
    shutil.copy2(binary, copied.environment.python)
    assert any(event.startswith("subprocess.Popen") for event in copied.read())
    assert copied.warm() == before


@pytest.mark.slow
def test_paths_that_only_look_the_same_are_two_interpreters(copied, other_python, tmp_path):
    before = copied.warm()
    (tmp_path / "one" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("one/inner")
    (tmp_path / "one" / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "one" / "venv" / "bin" / "python").symlink_to(other_python)
    copied.change(python=tmp_path / "link/../venv/bin/python")
    assert copied.agree().interpreter.version != before.interpreter.version


@pytest.mark.slow
def test_what_chooses_an_interpreter_by_the_directory_is_asked_each_time(copied, furnished, tmp_path, monkeypatch):
    first, other = copied.environment.python, furnished.copy(tmp_path / "other").python
    shim = tmp_path / "python"
    shim.write_text(f'#!/bin/sh\n[ -e other ] && exec {other} "$@"\nexec {first} "$@"\n')
    shim.chmod(0o755)
    (tmp_path / "empty").mkdir()
    copied.change(python=shim)
    found = []
    for directory in (tmp_path, tmp_path / "empty", tmp_path):
        monkeypatch.chdir(directory)
        found.append(copied.agree().interpreter.executable)
    assert found == [str(other), str(first), str(other)]


@pytest.mark.slow
def test_a_venv_that_is_let_see_the_packages_below_it_is_asked(plain, make_venv, small_wheels, tmp_path, indexed):
    plain.environment.install(*small_wheels.values())
    upon = indexed(make_venv(tmp_path / "upon", python=plain.environment.python))
    assert upon.warm().environment["python"]["packages"] == {}
    configuration = tmp_path / "upon" / "pyvenv.cfg"
    configuration.write_text(configuration.read_text().replace("false", "true"))
    assert "alpha" in upon.agree().environment["python"]["packages"]


def test_a_user_site_that_appears_is_seen_and_one_that_is_refused_is_not(plain, put, tmp_path):
    assert plain.warm().environment["python"]["packages"] == {}
    put.distribution(tmp_path / "user" / USER_SITE)
    assert "added" in plain.warm().environment["python"]["packages"]
    plain.change(PYTHONNOUSERSITE="1")
    assert plain.agree().environment["python"]["packages"] == {}


def test_a_usercustomize_that_appears_is_seen(plain, put, tmp_path):
    plain.warm()
    put.module(tmp_path / "user" / USER_SITE / "usercustomize.py", tmp_path / "far")
    assert "added" in plain.agree().environment["python"]["packages"]


def test_a_prefix_that_a_variable_names_is_looked_at(plain, make_interpreter, tmp_path):
    before = plain.warm()
    plain.change(PYTHONHOME=str(make_interpreter(tmp_path / "two").python.parents[1]))
    assert plain.agree().interpreter.prefix != before.interpreter.prefix


@pytest.mark.slow
def test_a_module_of_the_standard_library_that_is_edited_is_seen(plain, indexed):
    whole = indexed(plain.environment, layers=None)
    library = plain.environment.site.parent
    (library / "later").symlink_to("../later")
    (library / "gone.py").symlink_to("../gone.py")
    digests = [whole.warm().context["system"]["runtime"]["standard_library"]]

    def changed() -> bool:
        digests.append(whole.warm().context["system"]["runtime"]["standard_library"])
        return digests[-1] != digests[-2]

    text = (library / "this.py").read_text()
    (library / "this.py").unlink()
    (library / "this.py").write_text(text + "\n")
    assert changed()
    (library / "this.py").write_text(text.replace("Gur", "gUR") + "\n")
    assert changed()
    (library.parent / "gone.py").touch()
    assert changed()
    (library.parent / "later").mkdir()
    (library.parent / "later" / "module.py").touch()
    assert changed()


def test_packages_of_the_system_that_change_are_seen(runtime, tmp_path):
    database = tmp_path / "var/lib/dpkg/status"
    database.parent.mkdir(parents=True)
    kept = Runtime(runtime.interpreter, runtime.environ, Cache(str(tmp_path / "cache")))
    for number in range(20):
        database.write_text(f"Package: alpha\nStatus: install ok installed\nVersion: {number:03}\n")
        os.utime(database, ns=(0, 0))
        first, second = (SystemLayer(str(tmp_path)).capture(kept, 1) for _ in range(2))
        assert first == second
        assert first.context["packages"] == {"dpkg": {"alpha": f"{number:03}"}}


def test_a_relative_pythonpath_is_another_in_another_directory(copied, put, tmp_path, monkeypatch):
    copied.change(PYTHONPATH="code")
    found = []
    for name in ("one", "two", "one"):
        if name not in found:
            put.distribution(tmp_path / name / "code", name)
        monkeypatch.chdir(tmp_path / name)
        found += {"one", "two"} & copied.warm().environment["python"]["packages"].keys()
    assert found == ["one", "two", "one"]


def test_a_relative_entry_that_start_up_adds_is_another_in_another_directory(copied, put, tmp_path, monkeypatch):
    (copied.environment.site / "sitecustomize.py").write_text("import sys\nsys.path.append('code')\n")
    put.distribution(tmp_path / "one" / "code")
    (tmp_path / "two").mkdir()
    found = []
    for name in ("one", "two", "one"):
        monkeypatch.chdir(tmp_path / name)
        found.append("added" in copied.agree().environment["python"]["packages"])
    assert found == [True, False, True]


def test_a_working_directory_that_was_removed_changes_nothing(copied, tmp_path, monkeypatch):
    before = copied.warm()
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert copied.agree() == before
    assert copied.read() == []
    copied.change(PYTHONPATH="code")
    for cached in (True, False):
        with pytest.raises(InterpreterProblem, match="does not answer"):
            copied.capture(cached=cached)
