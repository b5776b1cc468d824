"""What the system's package manager installed has no RECORD: its list of files stands in for it."""

import hashlib
import os
import shutil
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from capsulestore.capture.environment import Capture, capture
from capsulestore.capture.python.distro_files import DistroFiles
from capsulestore.capture.target import Target

SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def system(environ) -> Capture:
    if not os.path.exists(SYSTEM_PYTHON):
        pytest.skip(f"no {SYSTEM_PYTHON} on this machine")
    return capture(Target(SYSTEM_PYTHON, "test"), environ=environ)


@pytest.fixture(scope="module")
def without_record(system) -> list[Path]:
    """The metadata of distributions that the package manager installed without a RECORD."""
    found = [Path(finding.subject) for finding in system.findings if finding.code == "distro-files"]
    if not found or not shutil.which("dpkg-query"):
        pytest.skip(f"{SYSTEM_PYTHON} has no distribution that dpkg installed without a RECORD")
    return found


def listed_by_dpkg(metadata: Path, run_command) -> list[str]:
    package = run_command("dpkg-query", "--search", metadata).split(": ")[0].split(",")[0]
    return run_command("dpkg-query", "--listfiles", package).splitlines()


@pytest.mark.slow
def test_its_content_is_that_of_the_files_that_dpkg_lists(system, without_record, run_command):
    contents = set()
    for metadata in without_record[:5]:
        inside = [path for path in listed_by_dpkg(metadata, run_command) if path.startswith(f"{metadata.parent}/")]
        rows = []
        for path in filter(os.path.isfile, inside):
            name = path.removeprefix(f"{metadata.parent}/")
            if not name.startswith(metadata.name) or name == f"{metadata.name}/entry_points.txt":
                digest = urlsafe_b64encode(hashlib.sha256(Path(path).read_bytes()).digest()).rstrip(b"=").decode()
                rows.append(f"{name} sha256={digest}\n".encode())
        contents.add(f"sha256:{hashlib.sha256(b''.join(sorted(rows))).hexdigest()}")
    packages = system.environment["python"]["packages"].values()
    recorded = {entry.get("content") for package in packages for entry in (package, *package.get("shadowed", []))}
    assert len(contents) == min(5, len(without_record))
    assert contents <= recorded


def test_every_distribution_of_the_system_has_content_or_is_told(system):
    told = " ".join(finding.subject.lower() for finding in system.findings if finding.code == "files-unknown")
    packages = system.environment["python"]["packages"]
    assert [name for name, entry in packages.items() if "content" not in entry and name not in told] == []


def test_a_venv_of_the_systems_python_has_none_of_it(make_venv, tmp_path):
    if not os.path.exists(SYSTEM_PYTHON):
        pytest.skip(f"no {SYSTEM_PYTHON} on this machine")
    venv = make_venv(tmp_path / "venv", python=SYSTEM_PYTHON)
    assert venv.packages() == {}
    assert venv.unowned() == {}


def test_a_venv_with_system_site_packages_has_all_of_it(make_venv, tmp_path, system, make_wheel):
    venv = make_venv(tmp_path / "venv", "--system-site-packages", python=SYSTEM_PYTHON)
    venv.install(make_wheel("capsulestore_test_alpha"))
    assert set(venv.packages()) == {*system.environment["python"]["packages"], "capsulestore-test-alpha"}


def test_a_list_of_dpkg_is_read(tmp_path):
    files = ["/.", "/usr/lib/python3/x-1.egg-info", "/usr/lib/python3/x-1.egg-info/PKG-INFO", "/usr/lib/python3/x.py"]
    info = tmp_path / "var" / "lib" / "dpkg" / "info"
    info.mkdir(parents=True)
    (info / "python3-x.list").write_text("".join(f"{path}\n" for path in files))
    (info / "other.list").write_text("/.\n/usr/bin/other\n")
    distro = DistroFiles(str(tmp_path))
    assert distro.of("/usr/lib/python3/x-1.egg-info") == [os.fsencode(path) for path in files]
    assert distro.of("/usr/lib/python3/y-1.egg-info") is None


def test_the_database_of_apk_is_read(tmp_path):
    (tmp_path / "lib" / "apk" / "db").mkdir(parents=True)
    lines = [
        "P:py3-x",
        "V:1-r0",
        "F:usr/lib/x",
        "R:x.py",
        "F:usr/lib/x/x-1.dist-info",
        "R:METADATA",
        "",
        "P:other",
        "R:o",
    ]
    (tmp_path / "lib" / "apk" / "db" / "installed").write_text("\n".join(lines) + "\n")
    distro = DistroFiles(str(tmp_path))
    assert distro.of("/usr/lib/x/x-1.dist-info") == [b"/usr/lib/x/x.py", b"/usr/lib/x/x-1.dist-info/METADATA"]


def test_a_system_without_a_package_manager_knows_no_files(tmp_path):
    assert DistroFiles(str(tmp_path)).of("/usr/lib/python3/x-1.egg-info") is None
