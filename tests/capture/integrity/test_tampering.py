"""What was done to installed files is found and named, and nothing else is."""

import os
import shutil
import subprocess
import sys

import pytest

CHECKING = """
import sys
from capsulestore.capture.asking import ask
from capsulestore.capture.integrity import check_installed
found = check_installed(ask(sys.argv[1]))
print([(file.kind, file.owner, file.name) for file in found.altered], found.same)
"""


def flip(path):
    """Change one byte, and let all times that can be set be as they were."""
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)


def replace(path, make):
    path.unlink()
    make(path)


def write(path, text="x = 1\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


TAMPERED = {
    "a byte flipped": (lambda site: flip(site / "alpha/core.py"), {("changed", "alpha", "alpha/core.py")}),
    "a byte added": (lambda site: write(site / "beta.py", "x"), {("changed", "beta", "beta.py")}),
    "a script under bin": (lambda site: flip(site / "../../../bin/beta"), {("changed", "beta", "bin/beta")}),
    "a binary under bin": (
        lambda site: flip(site / "../../../bin/alpha-binary"),
        {("changed", "alpha", "bin/alpha-binary")},
    ),
    "data below the prefix": (
        lambda site: flip(site / "../../../share/alpha/table.txt"),
        {("changed", "alpha", "share/alpha/table.txt")},
    ),
    "metadata": (
        lambda site: flip(site / "beta-2.0.dist-info/METADATA"),
        {("changed", "beta", "beta-2.0.dist-info/METADATA")},
    ),
    "an empty file that is none any more": (
        lambda site: write(site / "alpha/__init__.py", "x"),
        {("changed", "alpha", "alpha/__init__.py")},
    ),
    "a file cut off": (lambda site: os.truncate(site / "beta.py", 0), {("changed", "beta", "beta.py")}),
    "a file deleted": (lambda site: (site / "beta.py").unlink(), {("missing", "beta", "beta.py")}),
    "a directory deleted": (
        lambda site: shutil.rmtree(site / "alpha"),
        {("missing", "alpha", f"alpha/{name}.py") for name in ("__init__", "added", "core")},
    ),
    "a directory made a file": (
        lambda site: (shutil.rmtree(site / "alpha"), write(site / "alpha")),
        {("missing", "alpha", f"alpha/{name}.py") for name in ("__init__", "added", "core")},
    ),
    "a link to other bytes": (
        lambda site: replace(site / "beta.py", lambda path: path.symlink_to("gamma.py")),
        {("changed", "beta", "beta.py")},
    ),
    "a link to nothing": (
        lambda site: replace(site / "beta.py", lambda path: path.symlink_to("nothing")),
        {("missing", "beta", "beta.py")},
    ),
    "a link to itself": (
        lambda site: replace(site / "beta.py", lambda path: path.symlink_to("beta.py")),
        {("missing", "beta", "beta.py")},
    ),
    "a directory": (lambda site: replace(site / "beta.py", os.mkdir), {("changed", "beta", "beta.py")}),
    "a pipe": (lambda site: replace(site / "beta.py", os.mkfifo), {("changed", "beta", "beta.py")}),
    "a module added": (lambda site: write(site / "alpha/more.py"), {("unowned", None, "alpha/more.py")}),
    "a package added": (
        lambda site: (write(site / "alpha/inner/a.py"), write(site / "alpha/inner/deep/b.py")),
        {("unowned", None, "alpha/inner/a.py"), ("unowned", None, "alpha/inner/deep/b.py")},
    ),
    "a link added": (
        lambda site: (site / "alpha/link").symlink_to(site.parent),
        {("unowned", None, "alpha/link")},
    ),
    "metadata added": (
        lambda site: write(site / "beta-2.0.dist-info/entry_points.json"),
        {("unowned", None, "beta-2.0.dist-info/entry_points.json")},
    ),
    "a name that is not UTF-8": (
        lambda site: write(site / "alpha" / os.fsdecode(b"\xff\n.py")),
        {("unowned", None, "alpha/\\xff\n.py")},
    ),
    "several at once": (
        lambda site: (flip(site / "beta.py"), (site / "gamma.py").unlink(), write(site / "alpha/more.py")),
        {("changed", "beta", "beta.py"), ("missing", "gamma", "gamma.py"), ("unowned", None, "alpha/more.py")},
    ),
}

HARMLESS = {
    "nothing": lambda site: None,
    "the same bytes again": lambda site: write(site / "beta.py", (site / "beta.py").read_text()),
    "a link to the same bytes": lambda site: (
        shutil.copy(site / "beta.py", site / "../copy.py"),
        replace(site / "beta.py", lambda path: path.symlink_to("../copy.py")),
    ),
    "other permissions": lambda site: (site / "beta.py").chmod(0o400),
    "bytecode": lambda site: write(site / "alpha/__pycache__/core.cpython-311.pyc"),
    "bytecode of a package that was there": lambda site: write(site / "alpha/gone/__pycache__/a.cpython-311.pyc"),
    "an empty directory": lambda site: (site / "alpha/empty").mkdir(),
    "what capture tells as unowned": lambda site: (write(site / "loose.py"), write(site / "package/inner/a.py")),
    "a file in bin": lambda site: write(site / "../../../bin/made-by-hand"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_done_is_named(name, venv, found):
    tamper, expected = TAMPERED[name]
    tamper(venv.site)
    assert found(venv) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_no_harm_is_not_told(name, venv, check):
    HARMLESS[name](venv.site)
    answer = check(venv)
    assert (answer.altered, answer.unchecked, answer.same) == ((), (), True)


def test_all_that_does_no_harm_is_not_told_either(venv, check):
    for change in HARMLESS.values():
        change(venv.site)
    answer = check(venv)
    assert (answer.altered, answer.unchecked, answer.same) == ((), (), True)


def test_every_file_with_a_hash_is_counted_with_its_bytes(small, check):
    rows = [row.split(",") for record in small.site.glob("*/RECORD") for row in record.read_text().splitlines()]
    files = {(small.site / path).resolve() for path, recorded, _ in rows if recorded}
    answer = check(small)
    assert (answer.files, answer.hashed) == (len(files), len(files))
    assert answer.bytes == sum(file.stat().st_size for file in files)
    # Beside those that lie in the site directory there are scripts, data and a header.
    assert len({file.relative_to(small.python.parents[1].resolve()).parts[0] for file in files}) == 4


def test_what_belongs_to_nobody_is_no_failure_and_anything_else_is(venv, check):
    write(venv.site / "alpha/more.py")
    assert [(file.kind, check(venv).same) for file in check(venv).altered] == [("unowned", True)]
    (venv.site / "beta.py").unlink()
    assert not check(venv).same


def test_a_large_directory_that_nobody_lists_is_named_as_one(venv, found):
    for number in range(1001):
        write(venv.site / f"alpha/data/{number % 10}/{number}")
    assert found(venv) == {("unowned", None, "alpha/data/")}


def test_the_path_is_absolute_and_leads_to_the_file(venv, check):
    (venv.site / "beta.py").write_text("changed")
    write(venv.site / "alpha/more.py")
    assert [file.path for file in check(venv).altered] == [
        str(venv.site.resolve() / name) for name in ("alpha/more.py", "beta.py")
    ]


@pytest.mark.parametrize("unreadable", ["beta.py", "alpha"])
def test_what_cannot_be_read_is_told_and_fails(unreadable, venv, as_nobody_special):
    (venv.site / unreadable).chmod(0)
    command = [*as_nobody_special, sys.executable, "-c", CHECKING, str(venv.python)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (venv.site / unreadable).chmod(0o755)
    files = {"beta.py": [("unreadable", "beta", "beta.py")]}.get(
        unreadable,
        [("unreadable", None, "alpha/")]
        + [("unreadable", "alpha", f"alpha/{name}.py") for name in ("__init__", "added", "core")],
    )
    assert said.strip() == f"{files} False"


def test_nothing_is_written(venv, check):
    def tree():
        return {path: path.lstat()[:9] for path in [*venv.python.parents[1].rglob("*")]}

    before = tree()
    check(venv)
    # The time of the last access, which reading is, stands in the seventh place.
    assert {path: status[:7] + status[8:] for path, status in tree().items()} == {
        path: status[:7] + status[8:] for path, status in before.items()
    }
