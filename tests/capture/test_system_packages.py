"""The packages of dpkg and apk are read from their databases, as their own programs would tell them."""

import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.capture.cache import Cache
from capsulestore.capture.system.packages import read_packages
from capsulestore.model.canonical import dumps

STATUS = """\
Package: {name}
Status: {status}
Priority: optional
Architecture: amd64
Version: {version}
Description: a package
 Package: not-this
 .
 Version: 9

"""

APK = """\
C:Q1p78yvTLG094tHE1+dToJGbmYzQE=
P:musl
V:1.2.4_git20230717-r4
A:x86_64
S:407278
T:the musl c library (libc) implementation
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1xb3MBU5qP1XxAy2Tj+7cW+lDWsI=

C:Q1LkzRsJVPLbuJ3MgMUoSd3VVbDKw=
P:ca-certificates-bundle
V:20240226-r0
A:x86_64

"""


def packages(root: Path, cache: Cache | None = None) -> dict:
    found, findings = read_packages(str(root), cache or Cache(None))
    assert findings == []
    return found


def findings(root: Path) -> list[tuple[str, str]]:
    found, told = read_packages(str(root), Cache(None))
    assert found == {}
    return [(finding.code, finding.subject) for finding in told]


@pytest.fixture
def status(tmp_path) -> Path:
    path = tmp_path / "var" / "lib" / "dpkg" / "status"
    path.parent.mkdir(parents=True)
    return path


def test_dpkg_packages_are_those_that_dpkg_query_tells(run_command):
    if not shutil.which("dpkg-query"):
        pytest.skip("there is no dpkg on this machine")
    form = "${db:Status-Status} ${Package}:${Architecture} ${Version}\n"
    lines = [line.split(" ") for line in run_command("dpkg-query", "-W", "-f", form).splitlines()]
    expected = {name: version for state, name, version in lines if state == "installed"}
    assert len(expected) > 50
    assert packages(Path("/"))["dpkg"] == expected


STATES = {
    "install ok installed": True,
    "hold ok installed": True,
    "deinstall ok config-files": False,
    "install reinstreq half-installed": False,
    "install ok unpacked": False,
    "purge ok not-installed": False,
}


@pytest.mark.parametrize(("state", "counts"), STATES.items())
def test_a_dpkg_package_counts_where_it_is_installed(state, counts, status, tmp_path):
    status.write_text(STATUS.format(name="alpha", version="1:2.0-1", status=state))
    assert packages(tmp_path) == ({"dpkg": {"alpha:amd64": "1:2.0-1"}} if counts else {})


def test_one_package_for_two_architectures_is_two(status, tmp_path):
    stanza = STATUS.format(name="libc6", version="2.36", status="install ok installed")
    status.write_text(stanza + stanza.replace("amd64", "i386"))
    assert packages(tmp_path)["dpkg"] == {"libc6:amd64": "2.36", "libc6:i386": "2.36"}


def test_two_thousand_packages_are_all_read(status, tmp_path):
    status.write_text(
        "".join(STATUS.format(name=f"lib{n}", version=f"{n}.0-1", status="install ok installed") for n in range(2000))
    )
    assert packages(tmp_path)["dpkg"] == {f"lib{n}:amd64": f"{n}.0-1" for n in range(2000)}


def test_an_image_without_dpkg_has_a_file_for_each_package(status, tmp_path):
    apart = status.with_name("status.d")
    apart.mkdir()
    (apart / "base").write_text("Package: base-files\nVersion: 12.4\nArchitecture: amd64\nMaintainer: x\n")
    (apart / "base.md5sums").write_text("Package: no\n")
    (apart / "tzdata").write_text("Package: tzdata\nVersion: 2024a\nArchitecture: all\n")
    assert packages(tmp_path)["dpkg"] == {"base-files:amd64": "12.4", "tzdata:all": "2024a"}


def test_a_changed_database_is_read_again(status, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    for version in ("1.0", "2.0"):
        status.write_text(STATUS.format(name="alpha", version=version, status="install ok installed"))
        assert packages(tmp_path, cache)["dpkg"] == {"alpha:amd64": version}


def test_apk_packages_are_those_of_its_database(tmp_path):
    for place in ("lib/apk/db", "usr/lib/apk/db"):
        root = tmp_path / place.partition("/")[0]
        (root / place).mkdir(parents=True)
        (root / place / "installed").write_text(APK)
        assert packages(root) == {
            "apk": {"musl:x86_64": "1.2.4_git20230717-r4", "ca-certificates-bundle:x86_64": "20240226-r0"}
        }


def test_a_system_without_any_database_has_no_packages(tmp_path):
    assert packages(tmp_path) == {}
    (tmp_path / "var" / "lib" / "dpkg").mkdir(parents=True)
    (tmp_path / "var" / "lib" / "dpkg" / "status").touch()
    assert packages(tmp_path) == {}


def test_a_database_that_cannot_be_read_is_told(tmp_path):
    places = ["var/lib/dpkg/status", "lib/apk/db/installed"]
    for place in places:
        (tmp_path / place).mkdir(parents=True)
    told = {("packages-unreadable", str(tmp_path / place)) for place in places}
    assert set(findings(tmp_path)) == told


def test_a_database_larger_than_any_is_told(status, tmp_path):
    with status.open("wb") as file:
        file.truncate(2**26 + 1)
    assert findings(tmp_path) == [("packages-unreadable", str(status))]


def test_a_database_without_permission_is_told(status, tmp_path, as_nobody_special, run_command):
    status.touch()
    status.chmod(0)
    code = "import sys; from capsulestore.capture.system.packages import *; from capsulestore.capture.cache import *;"
    code += "print(read_packages(sys.argv[1], Cache(None))[1][0].message)"
    told = run_command(*as_nobody_special, sys.executable, "-c", code, tmp_path)
    assert told == "cannot be read (Permission denied); the packages of dpkg are not recorded\n"


ANYTHING = st.lists(
    st.sampled_from([b"Package: ", b"Status: install ok installed", b"Version: ", b"P:", b"V:", b"A:", b"\n", b"\n\n"])
    | st.binary(max_size=8)
).map(b"".join)


@settings(max_examples=50)
@given(data=ANYTHING)
def test_whatever_is_in_a_database_is_recorded_as_text_or_not_at_all(data, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    for place in ("var/lib/dpkg/status", "lib/apk/db/installed"):
        (root / place).parent.mkdir(parents=True)
        (root / place).write_bytes(data)
    assert dumps(packages(root))


def test_names_that_are_not_utf_8_are_readable(status, tmp_path):
    status.write_bytes(b"Package: alph\xe4\nStatus: install ok installed\nVersion: 1\xff\nArchitecture: all\n")
    assert packages(tmp_path)["dpkg"] == {"alph\\xe4:all": "1\\xff"}
