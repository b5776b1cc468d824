"""Live sources of real environments: editables as pip, uv and `setup.py develop` make them, and added directories."""

import importlib.util
import json
import os
from pathlib import Path

import pytest

from capsulestore.capture.code import LiveSource

METADATA = "Metadata-Version: 2.1\nName: Delta.X\nVersion: 1.0\n"


def live(environment, **variables):
    return environment.capture(**variables).live


def editable(name, directory):
    return LiveSource("editable", name, str(directory))


def path(directory):
    return LiveSource("path", "", str(directory))


def an_editable(venv, url, **more):
    """Write what an installer leaves of an editable."""
    info = venv.site / "delta_x-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "RECORD").write_text("delta_x-1.0.dist-info/METADATA,,\n")
    (info / "direct_url.json").write_text(json.dumps({"url": url, "dir_info": {"editable": True}, **more}))


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_an_editable_lies_where_its_installer_says(venv, pip, uv, make_project, tmp_path, installer):
    project = make_project(tmp_path / "a größe 1%20", "delta")
    if installer == "pip":
        pip(venv, "install", "--no-index", "--no-deps", "--no-build-isolation", "-e", project)
    else:
        options = ("--quiet", "--offline", "--no-index", "--no-deps", "--python", venv.python)
        uv("pip", "install", *options, "-e", project)
    assert live(venv) == (editable("delta", project),)


SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
LAYOUTS = {"in src": "src/delta/__init__.py", "flat": "delta/__init__.py", "one module": "delta.py"}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["lenient", "strict", "compat"])
@pytest.mark.parametrize("file", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_an_editable_of_setuptools_is_its_project(venv, uv, tmp_path, mode, file):
    beside = importlib.util.find_spec("setuptools")
    project = tmp_path / "project"
    (project / file).parent.mkdir(parents=True)
    (project / file).write_text("x = 1\n")
    (project / "pyproject.toml").write_text(f'{SETUPTOOLS}[project]\nname = "delta"\nversion = "1.0"\n')
    options = ("--quiet", "--offline", "--no-deps", "--no-build-isolation", "--python", venv.python)
    environ = {**os.environ, "PYTHONPATH": str(Path(beside.origin).parents[1])}
    uv("pip", "install", *options, "-C", f"editable_mode={mode}", "-e", project, env=environ)
    assert live(venv) == (editable("delta", project),)


def test_what_setup_py_develop_leaves_is_the_projects_directory(venv, tmp_path):
    """As setuptools 65 writes it for `package_dir = src`."""
    source = tmp_path / "project" / "src"
    (source / "Delta.X.egg-info").mkdir(parents=True)
    (source / "Delta.X.egg-info/PKG-INFO").write_text(METADATA)
    (source / "Delta.X.egg-info/SOURCES.txt").write_text("setup.py\n")
    (venv.site / "Delta.X.egg-link").write_text(f"{source}\n../")
    (venv.site / "easy-install.pth").write_text(f"{source}\n")
    assert live(venv) == (editable("delta-x", tmp_path / "project"),)
    (venv.site / "Delta.X.egg-link").unlink()
    assert live(venv) == (editable("delta-x", source),)


def test_what_a_build_left_in_an_editables_sources_is_no_other_editable(venv, tmp_path):
    source = tmp_path / "src"
    (source / "delta_x.egg-info").mkdir(parents=True)
    (source / "delta_x.egg-info/PKG-INFO").write_text(METADATA)
    (source / "delta_x.egg-info/SOURCES.txt").write_text("")
    an_editable(venv, f"file://{tmp_path}")
    assert live(venv, PYTHONPATH=str(source)) == (editable("delta-x", tmp_path),)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/x",
        "file://elsewhere/x",
        "file:relative",
        "file:///nul%00",
        "file://[/",
        "",
    ],
)
def test_an_editable_of_which_nothing_says_where_it_lies_has_no_directory(venv, url):
    an_editable(venv, url)
    assert live(venv) == (editable("delta-x", ""),)


@pytest.mark.parametrize("url", ["file:///a/b%20c", "file://localhost/a/b%20c/", "file:///a/./b%20c"])
def test_an_editables_url_is_decoded(venv, url):
    an_editable(venv, url)
    assert live(venv) == (editable("delta-x", "/a/b c"),)


def test_added_directories_are_live_sources_in_the_order_of_the_search_path(venv, tmp_path):
    for name in ("z", "a", "pth"):
        (tmp_path / name).mkdir()
    (venv.site / "mine.pth").write_text(f"{tmp_path}/pth\n")
    found = live(venv, PYTHONPATH=f"{tmp_path}/z:{tmp_path}/a:{tmp_path}/none")
    assert found == (path(tmp_path / "z"), path(tmp_path / "a"), path(tmp_path / "pth"))


def test_an_added_directory_in_an_editables_is_part_of_it(venv, tmp_path):
    (tmp_path / "project/src").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "project/src")
    an_editable(venv, f"file://{tmp_path}/project")
    assert live(venv, PYTHONPATH=f"{tmp_path}/project:{tmp_path}/link") == (editable("delta-x", tmp_path / "project"),)


def test_what_was_installed_into_an_added_directory_is_no_live_source(venv, uv, make_wheel, tmp_path):
    target = tmp_path / "target"
    uv("pip", "install", "--quiet", "--offline", "--no-index", "--target", target, make_wheel("delta"))
    assert live(venv, PYTHONPATH=str(target)) == ()
    (target / "loose.py").write_text("")
    assert live(venv, PYTHONPATH=str(target)) == (path(target),)


def test_a_directory_of_a_package_that_is_put_on_the_path_is_no_live_source(venv, make_wheel):
    venv.install(make_wheel("delta", "1.0", {"delta/lib/inner.py": "", "delta.pth": "delta/lib\n"}))
    assert live(venv) == ()
    (venv.site / "loose").mkdir()
    (venv.site / "loose.pth").write_text("loose\n")
    assert live(venv) == (path(venv.site / "loose"),)


def test_an_environment_without_any_has_none(small):
    assert live(small) == ()
