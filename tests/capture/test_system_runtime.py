"""What Python runs with: as the interpreter itself tells, without running what a directory on the path offers."""

import json
import os
import platform
import shutil
from pathlib import Path

import pytest

from capsulestore.capture.cache import Cache
from capsulestore.capture.environment import capture
from capsulestore.capture.system.standard_library import standard_library_digest
from capsulestore.capture.target import Target

VERSIONS = """
import json, sys, platform
def told(module, name):
    try:
        return getattr(__import__(module), name)
    except ImportError:
        return ""
print(json.dumps({
    "compiler": platform.python_compiler(),
    "openssl": told("ssl", "OPENSSL_VERSION"),
    "sqlite": told("sqlite3", "sqlite_version"),
    "zlib": told("zlib", "ZLIB_RUNTIME_VERSION"),
}))
"""
MODULES = ("_ssl", "_socket", "socket", "ssl", "_sqlite3", "sqlite3", "zlib", "functools")


def runtime(python: Path, environ: dict) -> dict:
    captured = capture(Target(str(python), "test"), layers=["system"], environ=environ)
    return captured.context["system"]["runtime"]


@pytest.mark.slow
def test_every_interpreter_of_this_machine_tells_what_it_runs_with(pythons, run_command, environ):
    for version, python in pythons.items():
        if version == "2.7":
            continue
        told = runtime(python, environ)
        assert told.pop("standard_library").startswith("sha256:")
        expected = json.loads(run_command(python, "-c", VERSIONS, env=environ))
        assert told == {name: value for name, value in expected.items() if value}, version


def test_the_c_library_is_told_with_its_version(small):
    family, version = platform.libc_ver()
    libc = small.capture(None).context["system"]["libc"]
    assert libc == ({"family": family, "version": version} if family else {"family": "musl"})


def test_i9_modules_that_shadow_those_asked_for_are_not_run(small, tmp_path):
    marker = tmp_path / "was-run"
    for name in MODULES:
        code = f"open({str(marker)!r}, 'a').close()\nraise SystemExit('was run')\n"
        (tmp_path / f"{name}.py").write_text(code)
        (tmp_path / f"{name}{small.capture().interpreter.extension_suffixes[0]}").write_text("no library")
    before = runtime(small.python, small.environ)
    assert runtime(small.python, {**small.environ, "PYTHONPATH": str(tmp_path)}) == before
    assert not marker.exists()


def test_i9_import_hooks_of_site_code_are_not_asked(venv, tmp_path):
    log = tmp_path / "asked"
    (venv.site / "sitecustomize.py").write_text(
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        open({str(log)!r}, 'a').write(name + ' ')\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    before = runtime(venv.python, venv.environ)
    assert before["zlib"]
    assert not set(log.read_text().split() if log.exists() else ()) & set(MODULES)


def test_exit_hooks_of_site_code_find_their_modules_as_ever(venv, tmp_path):
    log = tmp_path / "log"
    hook = "import functools, sqlite3, ssl, zlib"
    (venv.site / "sitecustomize.py").write_text(
        "import atexit\n"
        "def hook():\n"
        f"    {hook}\n"
        f"    open({str(log)!r}, 'w').write(str(functools.lru_cache(len)('four')) + sqlite3.sqlite_version)\n"
        "atexit.register(hook)\n"
    )
    told = runtime(venv.python, venv.environ)
    assert log.read_text() == f"4{told['sqlite']}"


def test_what_an_interpreter_lacks_is_left_out(make_interpreter, tmp_path):
    made = make_interpreter(tmp_path / "target")
    library = made.site.parent
    dynamic = library / "lib-dynload"
    whole = dynamic.resolve()
    if not list(whole.glob("_ssl.*")):
        pytest.skip("this interpreter has its modules built in")
    dynamic.unlink()
    dynamic.mkdir()
    for module in whole.iterdir():
        if not module.name.startswith(("_ssl.", "_sqlite3.")):
            (dynamic / module.name).symlink_to(module)
    (dynamic / f"_sqlite3{made.capture().interpreter.extension_suffixes[0]}").write_bytes(b"\x7fELF, and no more")
    assert not {"openssl", "sqlite"} & set(runtime(made.python, made.environ))


@pytest.fixture
def library(tmp_path) -> Path:
    path = tmp_path / "library"
    (path / "json" / "tests").mkdir(parents=True)
    for name in ("os.py", "json/__init__.py", "json/tests/test_json.py", "json/table.txt"):
        (path / name).write_text(f"# {name}\n")
    return path


def digest(library: Path, cache: Cache | None = None) -> str:
    told, findings = standard_library_digest(str(library), cache or Cache(None))
    assert findings == []
    return told["standard_library"]


SAME = {
    "bytecode": "json/__pycache__/__init__.cpython-311.pyc",
    "bytecode of none": "__pycache__/os.py",
    "a package installed into it": "site-packages/alpha.py",
    "a package of the distribution": "dist-packages/alpha.py",
    "a test suite": "test/test_os.py",
    "a test in a package": "json/tests/more.py",
    "a part shipped apart": "tkinter/__init__.py",
    "what says where it was built": "_sysconfigdata__linux_x86_64-linux-gnu.py",
    "how it was built": "config-3.11-x86_64-linux-gnu/python-config.py",
    "data": "json/more.txt",
}


@pytest.mark.parametrize("name", SAME.values(), ids=SAME.keys())
def test_the_standard_library_is_the_same_with(name, library):
    before = digest(library)
    (library / name).parent.mkdir(exist_ok=True)
    (library / name).write_text("another\n")
    assert digest(library) == before


CHANGES = {
    "a changed module": lambda library: (library / "os.py").write_text("# changed\n"),
    "a module more": lambda library: (library / "more.py").touch(),
    "a module less": lambda library: (library / "json" / "__init__.py").unlink(),
    "a module elsewhere": lambda library: (library / "os.py").rename(library / "json" / "os.py"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_standard_library_is_another_with(change, library, tmp_path):
    before = digest(library, Cache(str(tmp_path / "cache")))
    change(library)
    assert digest(library, Cache(str(tmp_path / "cache"))) != before


def test_where_the_standard_library_lies_does_not_matter(library, tmp_path):
    before = digest(library)
    shutil.copytree(library, tmp_path / "copy")
    (tmp_path / "links").mkdir()
    for entry in library.iterdir():
        (tmp_path / "links" / entry.name).symlink_to(entry)
    assert digest(tmp_path / "copy") == digest(tmp_path / "links") == before


def test_links_without_end_or_aim_are_passed_over(library):
    before = digest(library)
    (library / "again").symlink_to(library)
    (library / "missing.py").symlink_to(library / "nowhere.py")
    assert digest(library) == before


def test_this_standard_library_is_digested_as_its_files_say(small):
    library = Path(os.__file__).parent
    assert small.capture(None).context["system"]["runtime"]["standard_library"] == digest(library)


def test_a_standard_library_that_cannot_be_read_is_told(tmp_path):
    told, (finding,) = standard_library_digest(str(tmp_path / "missing"), Cache(None))
    assert told == {}
    assert (finding.code, finding.subject) == ("standard-library-unreadable", str(tmp_path / "missing"))
