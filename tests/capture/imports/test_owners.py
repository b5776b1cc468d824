"""Whose modules were run: distributions by what they list, editables by where their sources are, the rest our own."""

import os
from pathlib import Path

import pytest

from capsulestore.capture.imports import distributions_and_modules, loaded_distributions, local_modules
from capsulestore.capture.python.installed import read_installed
from capsulestore.capture.python.live import live_sources
from capsulestore.capture.search_path import search_path


def installed(environment, **variables: str):
    return read_installed(search_path(environment.capture(**variables).interpreter)[0])


def loaded(environment, traced, editables=None, **variables: str) -> tuple[str, ...]:
    return loaded_distributions(traced.files, installed(environment, **variables), editables or {})


def outside(environment, traced) -> list[str]:
    return [environment.capture().interpreter.standard_library, *traced.site_directories]


def test_of_the_installed_only_what_was_imported_is_loaded(small, write, run_traced):
    assert loaded(small, run_traced(small.python, "-c", "").traced) == ()
    assert loaded(small, run_traced(small.python, "-c", "import alpha").traced) == ("alpha",)
    assert loaded(small, run_traced(small.python, "-c", "import gamma, alpha.core").traced) == ("alpha", "gamma")


def test_what_an_analysis_has_itself_is_local(small, write, run_traced, tmp_path):
    write("package/__init__.py", "")
    write("package/part.py", "import alpha\n")
    script = write("main.py", "import package.part, json, colorsys\n")
    traced = run_traced(small.python, script).traced
    expected = sorted(str(tmp_path / name) for name in ("main.py", "package/__init__.py", "package/part.py"))
    assert list(local_modules(traced.files, outside=outside(small, traced))) == expected


def test_a_module_that_nobody_owns_is_neither_loaded_nor_local(venv, run_traced):
    (venv.site / "loose.py").touch()
    traced = run_traced(venv.python, "-c", "import loose").traced
    assert traced.files == {str(venv.site / "loose.py")}
    assert loaded(venv, traced) == ()
    assert local_modules(traced.files, outside=outside(venv, traced)) == ()


def test_a_directory_reached_by_a_link_is_the_same_directory(venv, run_traced):
    root = venv.python.parents[1]
    if not (root / "lib64").is_symlink():
        (root / "lib64").symlink_to("lib")
    by_link = root / "lib64" / venv.site.relative_to(root / "lib")
    traced = run_traced(venv.python, "-c", "import beta", PYTHONPATH=str(by_link)).traced
    assert traced.files == {str(by_link / "beta.py")}
    assert traced.saw(str(root / "lib" / ".."))
    assert not traced.saw(str(root / "lib"))
    assert loaded(venv, traced) == ("beta",)
    assert local_modules(traced.files, outside=[str(venv.site)]) == ()


def test_what_was_installed_as_links_is_loaded(make_venv, small_wheels, uv, run_traced, tmp_path):
    linked = make_venv(tmp_path / "linked")
    options = ("--quiet", "--offline", "--no-index", "--link-mode=symlink", "--python", linked.python)
    uv("pip", "install", *options, small_wheels["alpha"])
    traced = run_traced(linked.python, "-c", "import alpha").traced
    assert traced.files == {str(linked.site / "alpha" / "__init__.py")}
    assert (linked.site / "alpha" / "__init__.py").is_symlink()
    assert loaded(linked, traced) == ("alpha",)


def test_a_link_to_an_installed_package_is_that_package(small, run_traced, tmp_path):
    (tmp_path / "alpha").symlink_to(small.site / "alpha")
    traced = run_traced(small.python, "-c", "import alpha; print(alpha.__file__)", PYTHONPATH=str(tmp_path)).traced
    assert traced.files == {str(tmp_path / "alpha" / "__init__.py")}
    assert loaded(small, traced) == ("alpha",)
    assert local_modules(traced.files, outside=outside(small, traced)) == ()


def test_distributions_that_share_a_directory_are_told_apart(make_venv, make_wheel, run_traced, tmp_path):
    shared = make_venv(tmp_path / "shared")
    shared.install(make_wheel("one", files={"space/one.py": ""}), make_wheel("Two_X", files={"space/two.py": ""}))
    assert loaded(shared, run_traced(shared.python, "-c", "import space").traced) == ()
    assert loaded(shared, run_traced(shared.python, "-c", "import space.two").traced) == ("two-x",)


def test_what_lies_outside_the_directory_is_owned_too(make_venv, make_wheel, write, run_traced, tmp_path):
    files = {"odd.py": "", "odd-1.0.data/data/share/odd/plugin.py": ""}
    environment = make_venv(tmp_path / "venv")
    environment.install(make_wheel("odd", files=files))
    plugins = environment.python.parents[1] / "share" / "odd"
    traced = run_traced(environment.python, "-c", "import plugin", PYTHONPATH=str(plugins)).traced
    assert traced.files == {str(plugins / "plugin.py")}
    assert loaded(environment, traced) == ("odd",)


@pytest.mark.slow
def test_what_installs_is_not_loaded(pip_venv, run_traced):
    traced = run_traced(pip_venv.python, "-m", "pip", "--version").traced
    assert str(pip_venv.site / "pip" / "__init__.py") in traced.files
    assert loaded(pip_venv, traced) == ()


def test_what_lists_no_files_is_not_loaded(venv, run_traced):
    (venv.info("beta") / "RECORD").unlink()
    assert loaded(venv, run_traced(venv.python, "-c", "import beta").traced) == ()


def test_the_second_of_a_name_on_the_search_path_is_loaded_by_that_name(venv, uv, make_wheel, run_traced, tmp_path):
    two = make_wheel("alpha", "2.0", {"other.py": ""})
    uv("pip", "install", "--quiet", "--offline", "--no-index", "--no-deps", "--target", tmp_path / "more", two)
    base = {"PYTHONPATH": str(tmp_path / "more")}
    traced = run_traced(venv.python, "-c", "import other", **base).traced
    assert loaded(venv, traced, **base) == ("alpha",)


FINDER = """
import sys
from importlib.util import spec_from_file_location

class _EditableFinder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname == "mine":
            return spec_from_file_location(fullname, {path!r})

def install():
    if not any(finder is _EditableFinder for finder in sys.meta_path):
        sys.meta_path.append(_EditableFinder)
"""


@pytest.fixture
def editable(venv, make_wheel, write):
    """An editable as setuptools makes one: a finder in the site directory, imported by every start."""
    source = write("project/src/mine.py", "value = 1\n")
    files = {
        "__editable___mine_1_0_finder.py": FINDER.format(path=str(source)),
        "__editable__.mine-1.0.pth": "import __editable___mine_1_0_finder; __editable___mine_1_0_finder.install()\n",
    }
    venv.install(make_wheel("mine", files=files))
    (venv.info("mine") / "direct_url.json").write_text(
        f'{{"url": "file://{source.parents[1]}", "dir_info": {{"editable": true}}}}'
    )
    return source


def test_an_editable_is_loaded_by_its_sources_and_not_by_its_finder(editable, venv, run_traced):
    project = {"mine": str(editable.parents[1])}
    unused = run_traced(venv.python, "-c", "").traced
    assert unused.files == {str(venv.site / "__editable___mine_1_0_finder.py")}
    assert loaded(venv, unused, project) == ()
    used = run_traced(venv.python, "-c", "import mine, os; os._exit(0)").traced
    assert str(editable) in used.files
    assert loaded(venv, used, project) == ("mine",)
    assert local_modules(used.files, outside=outside(venv, used)) == (str(editable),)


def test_an_editable_whose_sources_nobody_names_is_loaded_by_what_it_lists(editable, venv, run_traced):
    assert loaded(venv, run_traced(venv.python, "-c", "").traced) == ("mine",)


def test_a_project_owns_neither_its_virtual_environment_nor_the_projects_within_it(editable, venv, run_traced):
    project = editable.parents[2]
    assert venv.site.is_relative_to(project)
    around = {"around": str(project), "mine": str(editable.parents[1])}
    assert loaded(venv, run_traced(venv.python, "-c", "import alpha").traced, around) == ("alpha",)
    assert loaded(venv, run_traced(venv.python, "-c", "import mine").traced, around) == ("mine",)
    (project / "beside.py").touch()
    assert loaded(venv, run_traced(venv.python, "-c", "import beside").traced, around) == ("around",)


def test_sources_that_are_gone_own_nothing(editable, venv, run_traced):
    used = run_traced(venv.python, "-c", "import mine").traced
    assert loaded(venv, used, {"mine": "/nonesuch"}) == ()
    assert local_modules(used.files, outside=["/nonesuch", "", "a\0b"]) == tuple(sorted(used.files))


def test_a_linked_source_directory_is_that_directory(editable, venv, run_traced, tmp_path):
    (tmp_path / "link").symlink_to(editable.parents[1])
    used = run_traced(venv.python, "-c", "import mine").traced
    assert loaded(venv, used, {"mine": str(tmp_path / "link")}) == ("mine",)


def test_all_of_it_at_once_seen_from_the_interpreter(editable, venv, uv, make_wheel, write, run_traced, tmp_path):
    uv_options = ("--quiet", "--offline", "--no-index", "--no-deps")
    uv("pip", "install", *uv_options, "--target", tmp_path / "more", make_wheel("extra"))
    write("loose/helping.py", "")
    base = {"PYTHONPATH": f"{tmp_path}/more:{tmp_path}/loose"}
    done = run_traced(venv.python, write("main.py", "import mine, extra, helping, alpha\n"), **base)
    interpreter = venv.capture(**base).interpreter
    live = live_sources(installed(venv, **base))
    loaded, modules = distributions_and_modules(done.traced, interpreter, live)
    assert loaded == ("alpha", "extra", "mine")
    assert modules == tuple(sorted(map(str, (editable, tmp_path / "main.py", tmp_path / "loose" / "helping.py"))))


def test_what_another_interpreter_has_is_nobodys(small, venv, run_traced):
    both = f"{small.python} -c 'import alpha' && {venv.python} -c 'import beta'"
    done = run_traced("sh", "-c", both)
    assert done.traced.interpreters == {str(one.python.parents[1]) for one in (small, venv)}
    for one, expected in ((small, "alpha"), (venv, "beta")):
        assert distributions_and_modules(done.traced, one.capture().interpreter, ()) == ((expected,), ())


@pytest.mark.slow
def test_what_distro_packages_own_is_loaded(write, run_traced, small):
    """Debian's Python: no RECORD, its files are listed by dpkg."""
    python = Path("/usr/bin/python3")
    if not Path("/var/lib/dpkg/info").is_dir() or not os.path.exists("/usr/lib/python3/dist-packages/pkg_resources"):
        pytest.skip("the system's Python is not Debian's, or has no setuptools")
    from dataclasses import replace  # noqa: PLC0415

    system = replace(small, python=python)
    traced = run_traced(python, "-c", "import pkg_resources").traced
    assert "setuptools" in loaded(system, traced)
    assert traced.interpreters == {"/usr"}
    assert local_modules(traced.files, outside=outside(system, traced)) == ()
