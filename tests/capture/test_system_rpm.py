"""RPM's packages are read from a database that rpm itself wrote, without rpm, and nothing is written beside it."""

import os
import platform
import shutil
import sqlite3
import struct
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsulestore.capture.cache import Cache
from capsulestore.capture.system.packages import read_packages
from capsulestore.capture.system.rpm_header import parse

PACKAGES = {
    "alpha-1": "Name: alpha\nVersion: 1.0\nRelease: 1\nBuildArch: noarch",
    "alpha-2": "Name: alpha\nVersion: 2.0\nRelease: 1\nBuildArch: noarch",
    "beta": "Name: beta\nVersion: 3.1~rc1\nRelease: 2.el9\nEpoch: 4",
    "gamma": "Name: gamma\nVersion: 1\nRelease: 1\nEpoch: 0",
}
"""alpha is installed in two versions, as kernels are; an epoch of 0 is not the same as none."""


@pytest.fixture(scope="session")
def built(tmp_path_factory, run_command) -> Path:
    """A root directory into which rpm installed packages."""
    if not shutil.which("rpmbuild"):
        pytest.skip("there is no rpm on this machine")
    work = tmp_path_factory.mktemp("rpm")
    for name, fields in PACKAGES.items():
        spec = work / f"{name}.spec"
        spec.write_text(f"{fields}\nSummary: a test\nLicense: none\n%description\na test\n%files\n")
        run_command("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {work}/top", spec)
    root = work / "root"
    root.mkdir()
    install = ("rpm", "--root", root, "--dbpath", "/var/lib/rpm", "-i", "--nodeps")
    run_command(*install, *sorted(work.glob("top/RPMS/*/*.rpm")))
    return root


@pytest.fixture
def root(built, tmp_path) -> Path:
    return shutil.copytree(built, tmp_path / "root")


def database(root: Path) -> Path:
    return root / "var" / "lib" / "rpm" / "rpmdb.sqlite"


def packages(root: Path) -> dict:
    found, findings = read_packages(str(root), Cache(None))
    assert findings == []
    return found["rpm"]


def told(root: Path) -> str:
    found, (finding,) = read_packages(str(root), Cache(None))
    assert found == {}
    assert finding.code == "packages-unreadable"
    return finding.message


def test_rpm_packages_are_those_that_rpm_tells(built, run_command):
    form = r"%{NAME}:%{ARCH} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n"
    expected: dict[str, list[str]] = {}
    for line in run_command("rpm", "--root", built, "--dbpath", "/var/lib/rpm", "-qa", "--qf", form).splitlines():
        name, version = line.split(" ")
        expected.setdefault(name, []).append(version)
    assert len(expected) == 3
    assert {name: [version] if isinstance(version, str) else version for name, version in packages(built).items()} == {
        name: sorted(versions) for name, versions in expected.items()
    }


def test_several_versions_side_by_side_are_a_list(built):
    machine = platform.machine()
    assert packages(built) == {
        "alpha:noarch": ["1.0-1", "2.0-1"],
        f"beta:{machine}": "4:3.1~rc1-2.el9",
        f"gamma:{machine}": "0:1-1",
    }


def test_the_other_place_of_a_database_is_known_too(root):
    here = packages(root)
    (root / "usr" / "lib" / "sysimage").mkdir(parents=True)
    database(root).parent.rename(root / "usr" / "lib" / "sysimage" / "rpm")
    assert packages(root) == here


def test_i9_nothing_is_written_beside_the_database(root):
    for log in database(root).parent.glob("rpmdb.sqlite-*"):
        log.unlink()
    before = {path: path.stat().st_mtime_ns for path in [database(root).parent, *database(root).parent.iterdir()]}
    assert packages(root)
    after = {path: path.stat().st_mtime_ns for path in [database(root).parent, *database(root).parent.iterdir()]}
    assert after == before


def test_a_database_that_is_being_changed_is_told(root):
    with closing(sqlite3.connect(database(root))) as connection:
        connection.execute("DELETE FROM Packages")
        connection.commit()
        assert told(root).startswith("is being changed, or a change of it was cut off")
    assert read_packages(str(root), Cache(None)) == ({}, [])


@pytest.mark.parametrize("name", ["Packages", "Packages.db"])
def test_a_database_of_an_older_kind_is_told(name, tmp_path):
    (tmp_path / "var" / "lib" / "rpm").mkdir(parents=True)
    (tmp_path / "var" / "lib" / "rpm" / name).write_bytes(b"\0" * 4096)
    assert told(tmp_path) == (
        "a database of a kind before SQLite's cannot be read; the packages of rpm are not recorded"
    )


def spoil(statement: str):
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(statement)
            connection.commit()

    return change


FAR_AWAY = struct.pack(">6I", 1, 0, 1000, 6, 2**32 - 1, 1).hex()

DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "no database": lambda path: path.write_bytes(b"\0" * 4096),
    "cut off": lambda path: os.truncate(path, 4096),
    "a directory": lambda path: (path.unlink(), path.mkdir()),
    "without the table": spoil("DROP TABLE Packages"),
    "another table of that name": spoil("ALTER TABLE Packages RENAME blob TO other"),
    "a header that is empty": spoil("UPDATE Packages SET blob = x'' WHERE hnum = 1"),
    "a header of zeros": spoil("UPDATE Packages SET blob = zeroblob(64) WHERE hnum = 1"),
    "a header that claims to be larger": spoil("UPDATE Packages SET blob = x'0000ffff0000ffff' WHERE hnum = 1"),
    "a header that is a number": spoil("UPDATE Packages SET blob = 1 WHERE hnum = 1"),
    "a header of far away places": spoil(f"UPDATE Packages SET blob = x'{FAR_AWAY}' WHERE hnum = 1"),
    "more numbers than headers": spoil("ALTER TABLE Packages RENAME hnum TO other"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_database_is_told(damage, root):
    damage(database(root))
    assert "cannot be read" in told(root)


def header(*entries: tuple[int, int, bytes]) -> bytes:
    index, data = b"", b""
    for tag, kind, value in entries:
        index += struct.pack(">4I", tag, kind, len(data), 1)
        data += value
    return struct.pack(">2I", len(entries), len(data)) + index + data


KEY = header((1000, 6, b"gpg-pubkey\0"), (1001, 6, b"5f2c\0"), (1002, 6, b"8ae\xff\0"))


def test_a_key_of_gpgs_has_no_architecture():
    assert (parse(BytesIO(KEY)).key, parse(BytesIO(KEY)).version) == ("gpg-pubkey", "5f2c-8ae\\xff")


def test_a_header_cut_off_in_what_is_wanted_is_refused():
    for length in range(len(KEY)):
        with pytest.raises(ValueError, match="header"):
            parse(BytesIO(KEY[:length]))


@given(
    st.binary(max_size=64)
    | st.lists(st.tuples(st.sampled_from([1000, 1001, 1003]), st.just(6), st.binary())).map(lambda some: header(*some))
)
def test_whatever_a_header_is_it_is_parsed_or_refused(data):
    with suppress(ValueError):
        assert parse(BytesIO(data)).key
