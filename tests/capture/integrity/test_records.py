"""What lists of files say, however odd: who owns what, and what cannot be compared with anything."""

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

PLAIN = b"x = 1\n"


@pytest.fixture
def info(venv):
    return venv.info("beta")


@pytest.mark.parametrize(("algorithm", "padding"), [("sha256", "="), ("sha384", ""), ("sha512", "=")])
def test_each_hash_of_the_specification_is_compared(algorithm, padding, venv, info, hash_of, edit_record, found):
    beta = venv.site / "beta.py"
    edit_record(info, f"beta.py,{hash_of(beta.read_bytes(), algorithm)}{padding},")
    assert found(venv) == set()
    beta.write_bytes(PLAIN)
    assert found(venv) == {("changed", "beta", "beta.py")}


@pytest.mark.parametrize("recorded", ["md5=lJ8bEUh63TqsRZ6j", "blake2b=AAAA", "crc", "sha1="])
def test_a_hash_that_is_not_compared_is_counted_and_told(recorded, venv, info, edit_record, check):
    edit_record(info, f"beta.py,{recorded},12")
    (venv.site / "beta.py").write_bytes(PLAIN)
    answer = check(venv)
    assert (answer.altered, answer.files) == ((), check(venv).files)
    (unchecked,) = answer.unchecked
    assert unchecked == ("python", "beta", "the hash is of an algorithm that is not compared", 1)


@pytest.mark.parametrize(
    "recorded", ["sha256=", "sha256=AAAA", "sha256=" + "!" * 43, "sha256=" + "A" * 400, "sha512=x y"]
)
def test_a_hash_that_no_bytes_have_is_one_that_the_file_has_not(recorded, venv, info, edit_record, found):
    edit_record(info, f"beta.py,{recorded},")
    assert found(venv) == {("changed", "beta", "beta.py")}


def test_files_without_a_hash_are_counted_and_told(venv, info, edit_record, check):
    before = check(venv).files
    edit_record(info, "beta.py,,", "beta/more.py,,", "__pycache__/beta.cpython-311.pyc,,")
    answer = check(venv)
    assert (answer.altered, answer.files) == ((), before - 1)
    assert answer.unchecked == (("python", "beta", "no hash is recorded", 2),)


@pytest.mark.parametrize(
    "size", ["", "-1", *(pytest.param(size, marks=pytest.mark.slow) for size in ("0", "999", "9" * 5000, "x"))]
)
def test_the_size_that_is_listed_decides_nothing(size, venv, info, hash_of, edit_record, found):
    beta = venv.site / "beta.py"
    edit_record(info, f"beta.py,{hash_of(beta.read_bytes())},{size}")
    assert found(venv) == set()
    beta.write_bytes(PLAIN)
    assert found(venv) == {("changed", "beta", "beta.py")}


def test_a_record_of_any_form_is_read(venv, info, hash_of, found):
    beta, comma = hash_of((venv.site / "beta.py").read_bytes()), hash_of(PLAIN)
    (venv.site / "a,b.py").write_bytes(PLAIN)
    (info / "RECORD").write_bytes(f'"a,b.py",{comma},6\r\nbeta.py,{beta},\r\n'.encode())
    unlisted = {("unowned", None, f"{info.name}/{path.name}") for path in info.iterdir()}
    # Nothing of its own that it lists lies in its metadata: what is in there is nobody's, and not looked at.
    assert found(venv) == set()
    (info / "RECORD").write_bytes(f'"a,b.py",{comma},6\nbeta.py,{beta},\n{info.name}/none,,'.encode())
    assert found(venv) == unlisted
    (venv.site / "a,b.py").write_bytes(b"x")
    assert found(venv) == unlisted | {("changed", "beta", "a,b.py")}


@pytest.mark.parametrize("damaged", [b'"beta.py,sha256=', b"beta.py,sha256=\0,1\n", b'"a"b,c,d\n'])
def test_a_damaged_record_is_told_and_fails(damaged, venv, info, check):
    (info / "RECORD").write_bytes(damaged)
    answer = check(venv)
    assert [(file.kind, file.owner, file.name) for file in answer.altered] == [
        ("unreadable", "beta", "beta-2.0.dist-info/RECORD")
    ]
    assert not answer.same


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_a_record_that_is_no_file_is_told(make, venv, info, found):
    (info / "RECORD").unlink()
    make(info / "RECORD")
    assert found(venv) == {("unreadable", "beta", "beta-2.0.dist-info/RECORD")}


def test_a_distribution_without_a_record_cannot_be_checked(venv, info, check):
    (info / "RECORD").unlink()
    answer = check(venv)
    assert (answer.altered, answer.unchecked) == ((), (("python", "beta", "has no RECORD", None),))


def test_an_egg_info_cannot_be_checked_and_its_files_are_somebodys(venv, found, check):
    (venv.site / "old-1.0.egg-info").mkdir()
    (venv.site / "old-1.0.egg-info/PKG-INFO").write_text("Name: old\nVersion: 1.0\n")
    (venv.site / "old-1.0.egg-info/installed-files.txt").write_text("../alpha/old.py\nPKG-INFO\n")
    (venv.site / "alpha/old.py").write_bytes(PLAIN)
    assert found(venv) == set()
    assert check(venv).unchecked == (("python", "old", "has no RECORD", 3),)


def test_a_path_that_no_file_can_have_is_passed_over(venv, found):
    (venv.site / "old-1.0.egg-info").mkdir()
    (venv.site / "old-1.0.egg-info/installed-files.txt").write_text("../alpha/old.py\n../alpha/a\0b\n")
    (venv.site / "alpha/old.py").write_bytes(PLAIN)
    assert found(venv) == set()


def test_paths_that_lead_elsewhere_are_compared_where_they_lead(venv, info, tmp_path, hash_of, edit_record, found):
    (tmp_path / "elsewhere").write_bytes(PLAIN)
    (venv.site / "linked").symlink_to(tmp_path)
    right = hash_of(PLAIN)
    outside = os.path.relpath(tmp_path / "elsewhere", venv.site.resolve())
    edit_record(
        info,
        f"{outside},{right},6",
        f"{tmp_path}/./elsewhere,{right},6",
        f"./alpha//../beta.py,{hash_of((venv.site / 'beta.py').read_bytes())},",
        f"linked/../{tmp_path.name}/elsewhere,{right},6",
        f"{'../' * 40}{str(tmp_path)[1:]}/elsewhere,{right},6",
    )
    assert found(venv) == set()
    (tmp_path / "elsewhere").write_bytes(b"x")
    assert found(venv) == {("changed", "beta", str(tmp_path.resolve() / "elsewhere"))}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/dev/null", "changed"),
        ("/", "changed"),
        ("beta.py/", "missing"),
        ("alpha/", "changed"),
        ("beta.py/below", "missing"),
        ("x" * 300, "missing"),
        ("/".join(["y" * 200] * 30), "missing"),
        ("\udcff", "missing"),
    ],
)
def test_a_path_that_no_installed_file_has_is_told(path, kind, venv, info, hash_of, found):
    with (info / "RECORD").open("ab") as record:
        record.write(os.fsencode(f"{path},{hash_of(PLAIN)},6\n"))
    ((said, owner, _),) = found(venv)
    assert (said, owner) == (kind, "beta")


def test_a_file_that_two_list_is_right_with_the_hash_of_either(venv, make_wheel, hash_of, edit_record, found):
    shared = {"shared/__init__.py": "", "shared/both.py": "one = 1\n"}
    venv.install(make_wheel("one", "1.0", shared))
    venv.install(make_wheel("two", "1.0", shared | {"shared/both.py": "two = 2\n"}))
    assert found(venv) == set()
    (venv.site / "shared/both.py").write_text("one = 1\n")
    assert found(venv) == set()
    (venv.site / "shared/both.py").write_text("3\n")
    ((kind, owner, name),) = found(venv)
    assert (kind, name, owner in {"one", "two"}) == ("changed", "shared/both.py", True)
    edit_record(venv.info("one"), "shared/both.py,,")
    (venv.site / "shared/both.py").write_text("two = 2\n")
    assert found(venv) == set()


def test_distributions_share_a_directory_without_being_nobodys(venv, make_wheel, found):
    venv.install(make_wheel("one", "1.0", {"space/one/a.py": ""}), make_wheel("two", "1.0", {"space/two/b.py": ""}))
    assert found(venv) == set()
    (venv.site / "space/three.py").write_text("")
    assert found(venv) == {("unowned", None, "space/three.py")}


@pytest.mark.slow
def test_a_large_directory_is_looked_at_in_parts(venv, make_wheel, found):
    blocks = {f"large/{name}.bin": name.encode() * 20_000_000 for name in "abc"}
    venv.install(make_wheel("large", "1.0", blocks | {"large/__init__.py": ""}))
    assert found(venv) == set()
    with (venv.site / "large/b.bin").open("r+b") as file:
        file.seek(19_999_999)
        file.write(b"x")
    (venv.site / "large/d.bin").write_text("")
    assert found(venv) == {("changed", "large", "large/b.bin"), ("unowned", None, "large/d.bin")}


def test_distributions_anywhere_on_the_search_path_are_compared(venv, tmp_path, found):
    target = tmp_path / "target"
    target.mkdir()
    for name in ("gamma.py", "gamma-3.0+local.1.dist-info"):
        (venv.site / name).rename(target / name)
    (target / "gamma.py").write_bytes(PLAIN)
    (target / "loose.py").write_bytes(PLAIN)
    elsewhere = replace(venv, environ={**venv.environ, "PYTHONPATH": str(target)})
    assert found(venv) == set()
    assert found(elsewhere) == {("changed", "gamma", str(target / "gamma.py"))}


def test_what_the_systems_package_manager_installed_cannot_be_checked(check, environ):
    """Debian's packages have a RECORD of what was built, before files were moved, stripped and replaced."""
    python = Path("/usr/bin/python3")
    lists = Path("/var/lib/dpkg/info").glob("python3-*.list")
    if not python.exists() or not any(b"-info" in path.read_bytes() for path in lists):
        pytest.skip("no Python that dpkg has installed packages for")
    answer = check(SimpleNamespace(python=python, environ=environ))
    assert [file for file in answer.altered if file.path.startswith("/usr/lib/")] == []
    assert {files.reason for files in answer.unchecked} >= {"the system's package manager installed it, without hashes"}
