"""A conda prefix: what conda installed is compared with its records, what pip or uv put there with its RECORD."""

import shutil
import subprocess
import sys

import pytest
from conda_prefixes import PLACEHOLDER, Link, build_package, install, pack_python, python_distribution

from capsulestore.capture.asking import ask
from capsulestore.capture.integrity import check_installed

pytestmark = pytest.mark.slow

NATIVE = {
    "bin/native": f"#!{PLACEHOLDER}/bin/sh\n",
    "lib/libnative.so.1": b"\x7fELF " + PLACEHOLDER.encode() + b"/share\0\0the rest",
    "lib/libnative.so": Link("libnative.so.1"),
    "share/native/table.txt": "1 2 3\n",
}
SITE = "lib/python{}.{}/site-packages".format(*sys.version_info)
LIBRARY = "lib/python{}.{}".format(*sys.version_info)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A prefix with Python, a distribution in it, and what no Python knows of."""
    channel = tmp_path_factory.mktemp("channel") / "main"
    pack_python(channel)
    files = python_distribution("alpha", "1.0", {"alpha/__init__.py": "", "alpha/core.py": "x = 1\n"})
    build_package(
        channel, "alpha", files=files, noarch="python", depends=["python"], entry_points=["alpha-run = alpha:core"]
    )
    build_package(channel, "native", "2.0", NATIVE)
    return install(tmp_path_factory.mktemp("made") / "prefix", channel, "python", "alpha", "native")


@pytest.fixture
def prefix(made, tmp_path):
    """The prefix with all that it has, for the test to change: at its place, which stands in its files."""
    kept = tmp_path / "kept"
    shutil.copytree(made, kept, symlinks=True)
    yield made
    shutil.rmtree(made)
    kept.rename(made) if kept.stat().st_dev == made.parent.stat().st_dev else shutil.move(kept, made)


@pytest.fixture
def look(environ):
    """Compare what is installed in a prefix; return what is wrong with it, and what cannot be compared."""

    def look(prefix, **options):
        answer = check_installed(ask(str(prefix / "bin/python"), environ=environ), **options)
        wrong = {(file.kind, file.layer, file.owner, file.name) for file in answer.altered}
        return wrong, {(files.layer, files.owner, files.reason) for files in answer.unchecked}

    return look


def test_what_a_client_installed_is_right(made, look):
    wrong, unchecked = look(made)
    assert wrong == set()
    assert {owner for _, owner, _ in unchecked} <= {"alpha", "native"}


@pytest.mark.parametrize(
    ("path", "owner", "name"),
    [
        (f"{SITE}/alpha/core.py", "alpha", "alpha/core.py"),
        (f"{SITE}/alpha-1.0.dist-info/METADATA", "alpha", "alpha-1.0.dist-info/METADATA"),
        (f"{LIBRARY}/json/decoder.py", "python", f"{LIBRARY}/json/decoder.py"),
        ("bin/native", "native", "bin/native"),
        ("lib/libnative.so.1", "native", "lib/libnative.so.1"),
        ("share/native/table.txt", "native", "share/native/table.txt"),
    ],
)
def test_a_changed_file_is_named_with_the_package_that_brought_it(path, owner, name, prefix, look):
    data = (prefix / path).read_bytes()
    (prefix / path).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert look(prefix)[0] == {("changed", "conda", owner, name)}
    (prefix / path).unlink()
    assert look(prefix)[0] == {("missing", "conda", owner, name)}


def test_what_is_added_to_what_can_be_imported_is_told_and_nothing_else(prefix, look):
    added = [f"{SITE}/alpha/more.py", f"{LIBRARY}/json/more.py", f"{LIBRARY}/more.py", f"{LIBRARY}/new/more.py"]
    for path in [*added, f"{SITE}/loose.py", "lib/more.so", "share/native/more.txt", "etc/more.conf", "bin/more"]:
        (prefix / path).parent.mkdir(exist_ok=True)
        (prefix / path).touch()
    names = {path.removeprefix(f"{SITE}/") for path in added}
    assert look(prefix)[0] == {("unowned", "python", None, name) for name in names}


def test_a_soft_link_that_is_gone_or_none_any_more_is_told(prefix, look):
    link = prefix / "lib/libnative.so"
    link.unlink()
    assert look(prefix)[0] == {("missing", "conda", "native", "lib/libnative.so")}
    link.write_bytes(b"other")
    assert look(prefix)[0] == {("changed", "conda", "native", "lib/libnative.so")}
    link.unlink()
    link.symlink_to("elsewhere")
    wrong, unchecked = look(prefix)
    assert wrong == set()
    assert [(layer, owner) for layer, owner, reason in unchecked if "soft link" in reason] == [("conda", "native")]


def test_what_uv_put_in_its_place_is_compared_with_its_own_record(prefix, look, uv, make_wheel):
    newer = make_wheel("alpha", "2.0", {"alpha/__init__.py": "", "alpha/other.py": "x = 2\n"})
    uv("pip", "install", "-q", "--offline", "--no-deps", "--link-mode=copy", "--python", prefix / "bin/python", newer)
    wrong, unchecked = look(prefix)
    assert wrong == set()
    assert ("conda", "alpha", "another installer has put a distribution in its place") in unchecked
    (prefix / SITE / "alpha/other.py").write_text("x = 3\n")
    assert look(prefix)[0] == {("changed", "python", "alpha", "alpha/other.py")}


def test_each_layer_is_compared_by_itself(prefix, look, uv, make_wheel):
    uv(
        "pip", "install", "-q", "--offline", "--no-deps", "--link-mode=copy", "--python", prefix / "bin/python",
        make_wheel("beta", "1.0"),
    )  # fmt: skip
    for path in (f"{SITE}/alpha/core.py", f"{SITE}/beta.py", f"{SITE}/alpha/more.py"):
        (prefix / path).write_text("changed\n")
    of_python = {("changed", "python", "beta", "beta.py"), ("unowned", "python", None, "alpha/more.py")}
    of_conda = {("changed", "conda", "alpha", "alpha/core.py")}
    assert look(prefix)[0] == of_python | of_conda
    assert look(prefix, layers=["python", "system"])[0] == of_python
    assert look(prefix, layers=["conda"])[0] == of_conda


@pytest.mark.parametrize("damaged", [b"{", b"[]", b'{"name": "native"}'])
def test_a_damaged_record_is_told(damaged, prefix, look):
    (record,) = (prefix / "conda-meta").glob("native-*.json")
    record.write_bytes(damaged)
    assert look(prefix)[0] == {("unreadable", "conda", None, f"conda-meta/{record.name}")}


def test_a_venv_of_its_python_is_compared_with_the_prefix_too(prefix, look, tmp_path, environ):
    subprocess.run([prefix / "bin/python", "-m", "venv", "--without-pip", tmp_path / "venv"], check=True, env=environ)
    assert look(tmp_path / "venv")[0] == set()
    (prefix / LIBRARY / "json/decoder.py").write_text("changed\n")
    wrong, _ = look(tmp_path / "venv")
    assert wrong == {("changed", "conda", "python", f"{LIBRARY}/json/decoder.py")}
