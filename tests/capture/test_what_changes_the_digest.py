"""Whatever an analysis could notice of its Python environment changes the digest, and the entry that says so."""

import platform
import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

Change = Callable[..., None]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def add_to_record(venv, name: str, line: str) -> None:
    with (venv.info(name) / "RECORD").open("a") as record:
        record.write(line + "\n")


def link_of_a_package(venv) -> None:
    (venv.site.parent / "elsewhere").mkdir()
    (venv.site.parent / "elsewhere" / "__init__.py").write_text("")
    (venv.site / "linked").symlink_to(venv.site.parent / "elsewhere")


def extension_module(venv) -> None:
    suffix = venv.capture().interpreter.extension_suffixes[0]
    (venv.site / f"fast{suffix}").write_bytes(b"\x7fELF")


def namespace_package(venv) -> None:
    (venv.site / "namespace" / "inner").mkdir(parents=True)
    (venv.site / "namespace" / "inner" / "module.py").write_text("")


def another_wheel(*given, **also) -> Change:
    return lambda venv, make_wheel: venv.install(make_wheel(*given, **also))


CHANGES_OF_DISTRIBUTIONS: dict[str, Change] = {
    "another version": another_wheel("alpha", "1.1"),
    "another local version": another_wheel("gamma", "3.0+local.2"),
    "another file under the same version": another_wheel(
        "gamma", "3.0+local.1", {"gamma.py": "other = 1"}, tags=["py2-none-any", "py3-none-any"], build="1"
    ),
    "another tag": another_wheel("gamma", "3.0+local.1", tags=["py3-none-any"], build="1"),
    "another build": another_wheel("gamma", "3.0+local.1", tags=["py2-none-any", "py3-none-any"], build="2"),
    "no build": another_wheel("gamma", "3.0+local.1", tags=["py2-none-any", "py3-none-any"]),
    "no entry points": another_wheel("beta", "2.0", {"beta.py": "def main(): ...\n"}),
    "another entry point": another_wheel(
        "beta", "2.0", {"beta.py": "def main(): ...\n"}, entry_points="[beta.plugins]\none = beta:other\n"
    ),
    "a distribution more": another_wheel("delta"),
    "a distribution less": lambda venv, _: shutil.rmtree(venv.info("beta")) or (venv.site / "beta.py").unlink(),
    "a hash in RECORD": lambda venv, _: edit(venv.info("beta") / "RECORD", "beta.py,sha256=", "beta.py,sha256=x"),
    "a path in RECORD": lambda venv, _: edit(venv.info("beta") / "RECORD", "beta.py,", "alphabet.py,"),
    "a file added to RECORD": lambda venv, _: add_to_record(venv, "beta", "beta_more.py,sha256=abc,3"),
    "a script that is a binary": lambda venv, _: edit(
        venv.info("alpha") / "RECORD", "alpha-binary,sha256=", "alpha-binary,sha256=x"
    ),
    "a file of data outside the site directory": lambda venv, _: edit(venv.info("alpha") / "RECORD", "table", "chair"),
    "a Tag of WHEEL": lambda venv, _: edit(venv.info("beta") / "WHEEL", "Tag: py3", "Tag: cp311"),
    "a Build in WHEEL": lambda venv, _: edit(venv.info("beta") / "WHEEL", "Tag:", "Build: 7\nTag:"),
}

CHANGES_OF_WHAT_NOBODY_OWNS: dict[str, Change] = {
    "a module": lambda venv, _: (venv.site / "loose.py").write_text("x = 1\n"),
    "a module without its source": lambda venv, _: (venv.site / "compiled.pyc").write_bytes(b"\0"),
    "a package": lambda venv, _: (venv.site / "package").mkdir() or (venv.site / "package" / "__init__.py").touch(),
    "a package without __init__.py": lambda venv, _: namespace_package(venv),
    "a package behind a link": lambda venv, _: link_of_a_package(venv),
    "an extension module": lambda venv, _: extension_module(venv),
    "a .pth file": lambda venv, _: (venv.site / "start.pth").write_text("import sys\n"),
    "a sitecustomize": lambda venv, _: (venv.site / "sitecustomize.py").write_text("import os\n"),
}


@pytest.mark.parametrize("change", CHANGES_OF_DISTRIBUTIONS.values(), ids=CHANGES_OF_DISTRIBUTIONS.keys())
def test_a_change_of_a_distribution_changes_the_digest(change, venv, make_wheel, small_digest):
    change(venv, make_wheel)
    assert venv.digest() != small_digest


@pytest.mark.parametrize("change", CHANGES_OF_WHAT_NOBODY_OWNS.values(), ids=CHANGES_OF_WHAT_NOBODY_OWNS.keys())
def test_what_no_distribution_owns_changes_the_digest_when_it_comes_and_when_it_goes(
    change, venv, make_wheel, small_digest
):
    files = set(venv.site.iterdir())
    change(venv, make_wheel)
    (added,) = set(venv.site.iterdir()) - files
    assert list(venv.unowned()) == [added.name]
    assert venv.digest() != small_digest
    shutil.rmtree(added) if added.is_dir() and not added.is_symlink() else added.unlink()
    assert venv.digest() == small_digest


@pytest.mark.parametrize("change", CHANGES_OF_WHAT_NOBODY_OWNS.values(), ids=CHANGES_OF_WHAT_NOBODY_OWNS.keys())
def test_what_no_distribution_owns_changes_the_digest_when_its_bytes_change(change, venv, make_wheel):
    files = set(venv.site.iterdir())
    change(venv, make_wheel)
    (added,) = set(venv.site.iterdir()) - files
    before = venv.digest()
    for path in [added, *added.resolve().rglob("*")]:
        if path.is_file():
            path.write_bytes(path.read_bytes() + b"# changed\n")
    assert venv.digest() != before


def test_bytes_at_the_end_of_a_very_long_pth_file_change_the_digest(venv):
    comments = "#" * 79 + "\n"
    (venv.site / "long.pth").write_text(comments * 20_000 + "import one\n")
    before = venv.unowned()["long.pth"]
    (venv.site / "long.pth").write_text(comments * 20_000 + "import two\n")
    assert venv.unowned()["long.pth"] != before or "unhashed" in before


@pytest.mark.slow
def test_an_editable_that_becomes_a_normal_install_changes_the_digest(venv, uv, tmp_path, make_project):
    project = make_project(tmp_path / "delta", "delta")
    uv("pip", "install", "--quiet", "--offline", "--python", venv.python, "--editable", project)
    assert venv.packages()["delta"] == {"version": "1.0", "editable": True}
    before = venv.digest()
    uv("pip", "install", "--quiet", "--offline", "--python", venv.python, "--reinstall", project)
    assert set(venv.packages()["delta"]) == {"version", "tags", "content"}
    assert venv.digest() != before


def test_a_module_in_the_user_site_changes_the_digest(tmp_path, make_interpreter):
    interpreter = make_interpreter(tmp_path / "python")
    user_site = Path(interpreter.capture(PYTHONUSERBASE=str(tmp_path / "user")).interpreter.user_site)
    before = interpreter.digest(PYTHONUSERBASE=str(tmp_path / "user"))
    user_site.mkdir(parents=True)
    (user_site / "mine.py").write_text("x = 1\n")
    assert list(interpreter.unowned(PYTHONUSERBASE=str(tmp_path / "user"))) == ["mine.py"]
    assert interpreter.digest(PYTHONUSERBASE=str(tmp_path / "user")) != before


@pytest.mark.slow
def test_another_python_version_changes_the_digest(small, make_venv, tmp_path, other_python):
    other = make_venv(tmp_path / "other", python=other_python)
    same = make_venv(tmp_path / "same")
    assert other.packages() == same.packages() == {}
    assert other.digest() != same.digest()


def test_an_interpreter_is_described_by_what_extension_modules_are_built_for(venv):
    assert venv.capture().environment["python"]["interpreter"] == {
        "implementation": sys.implementation.name,
        "version": platform.python_version(),
        "soabi": sysconfig.get_config_var("SOABI"),
        "debug": bool(sysconfig.get_config_var("Py_DEBUG")),
        "free_threading": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "os": sys.platform,
        "architecture": platform.machine(),
        "libc": "glibc" if platform.libc_ver()[0] == "glibc" else "musl",
    }
