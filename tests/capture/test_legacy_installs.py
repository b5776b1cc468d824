"""What was installed as it was done before wheels: egg-info, eggs and `setup.py develop`."""

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

METADATA = "Metadata-Version: 1.0\nName: delta\nVersion: 1.0\n"
SETUP = "from setuptools import setup\nsetup(name='delta', version='1.0', packages=['delta'], zip_safe=False)\n"


def codes(capture) -> set[str]:
    return {finding.code for finding in capture.findings}


def pth(venv) -> Path:
    return venv.site / "easy-install.pth"


@pytest.fixture
def setuptools(venv, uv, request):
    """An environment with a setuptools that still does what `setup.py install` and `setup.py develop` did."""
    bundled = sorted(Path(os.__file__).parent.glob("ensurepip/_bundled/setuptools-65*.whl"))
    if not bundled:
        request.getfixturevalue("package_index")
    what = bundled[:1] or ["setuptools==65.5.1"]
    uv("pip", "install", "--quiet", "--no-deps", "--link-mode=copy", "--python", venv.python, *what)
    return venv


@pytest.fixture
def source(tmp_path) -> Path:
    root = tmp_path / "source"
    (root / "delta").mkdir(parents=True)
    (root / "delta" / "__init__.py").write_text("x = 1\n")
    (root / "setup.py").write_text(SETUP)
    return root


def setup_py(venv, source, run_command, *arguments: str) -> None:
    run_command(venv.python, "-W", "ignore", "setup.py", "--quiet", *arguments, cwd=source)


def test_an_egg_info_file_gives_name_and_version_and_its_module_is_unowned(venv):
    (venv.site / "delta-1.0-py3.11.egg-info").write_text(METADATA)
    (venv.site / "delta.py").write_text("x = 1\n")
    captured = venv.capture()
    assert captured.environment["python"]["packages"]["delta"] == {"version": "1.0"}
    assert list(captured.environment["python"]["unowned"]) == ["delta.py"]
    assert {"files-unknown", "unowned"} == codes(captured)


def test_an_egg_info_directory_with_a_list_of_files_has_their_content(venv, make_wheel):
    """As `pip install` left it with setuptools before wheels: paths relative to the directory itself."""
    info = venv.site / "delta-1.0-py3.11.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text(METADATA)
    (info / "top_level.txt").write_text("delta\n")
    listed = ["../delta.py", "../__pycache__/delta.cpython-311.pyc", "PKG-INFO", "top_level.txt", ".", "../gone.py"]
    (info / "installed-files.txt").write_text("".join(f"{path}\n" for path in listed[:-1]))
    (venv.site / "delta.py").write_text("version = '1.0'\n")
    captured = venv.capture()
    entry = captured.environment["python"]["packages"]["delta"]
    assert "unowned" not in captured.environment["python"]
    venv.install(make_wheel("delta", "1.0", {"delta.py": "version = '1.0'\n"}), options=("--target", venv.site / "w"))
    by_wheel = venv.packages(PYTHONPATH=str(venv.site / "w"))["delta"]
    assert entry == {"version": "1.0", "content": by_wheel["content"]}


def test_an_egg_directory_has_the_content_of_its_files(setuptools, source, run_command):
    before = setuptools.digest()
    setup_py(setuptools, source, run_command, "install")
    (egg,) = setuptools.site.glob("delta-1.0-*.egg")
    entry = setuptools.packages()["delta"]
    assert entry["version"] == "1.0"
    assert entry["content"].startswith("sha256:")
    assert list(setuptools.unowned()) == ["easy-install.pth"]
    assert setuptools.digest() != before
    (egg / "delta" / "__init__.py").write_text("x = 2\n")
    assert setuptools.packages()["delta"]["content"] != entry["content"]


def test_an_egg_directory_and_a_wheel_have_one_content(
    setuptools, source, run_command, make_wheel, make_venv, tmp_path
):
    setup_py(setuptools, source, run_command, "install")
    other = make_venv(tmp_path / "other")
    other.install(make_wheel("delta", "1.0", {"delta/__init__.py": "x = 1\n"}))
    assert setuptools.packages()["delta"]["content"] == other.packages()["delta"]["content"]


def test_an_egg_that_nothing_puts_on_the_path_does_not_count(setuptools, source, run_command):
    setup_py(setuptools, source, run_command, "install")
    pth(setuptools).unlink()
    assert "delta" not in setuptools.packages()


def test_what_setup_py_develop_installs_is_an_editable(setuptools, source, run_command):
    setup_py(setuptools, source, run_command, "develop", "--no-deps")
    assert (setuptools.site / "delta.egg-link").exists()
    captured = setuptools.capture()
    assert captured.environment["python"]["packages"]["delta"] == {"version": "1.0", "editable": True}
    assert list(captured.environment["python"]["unowned"]) == ["easy-install.pth"]
    before = setuptools.digest()
    (source / "delta" / "__init__.py").write_text("x = 2\n")
    (source / "delta" / "new.py").write_text("x = 3\n")
    assert setuptools.digest() == before


def test_a_develop_install_from_another_place_has_the_same_digest(setuptools, source, run_command, tmp_path):
    setup_py(setuptools, source, run_command, "develop", "--no-deps")
    before = setuptools.digest()
    source.rename(tmp_path / "moved")
    pth(setuptools).write_text(f"{tmp_path / 'moved'}\n")
    assert setuptools.packages()["delta"]["editable"] is True
    assert setuptools.digest() == before


def test_what_a_build_leaves_in_a_source_tree_on_pythonpath_is_an_editable(setuptools, source, run_command, venv):
    setup_py(setuptools, source, run_command, "egg_info")
    assert venv.packages(PYTHONPATH=str(source))["delta"] == {"version": "1.0", "editable": True}
