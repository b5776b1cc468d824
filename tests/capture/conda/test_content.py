"""The rules of `content`: what of a package counts, in literal digests that must never change."""

import hashlib

import pytest

from capsulestore.capture.conda.content import content, has_unhashed
from capsulestore.capture.conda.record import CondaFile, CondaRecord

ONE, TWO = "1" * 64, "2" * 64


def file(path, sha256=ONE, *, kind="hardlink", in_prefix=None, original=None):
    return CondaFile(path, kind, sha256, in_prefix, False, None, original)


def record(*files, noarch=""):
    return CondaRecord("alpha", "1", "0", "linux-64", "", "", "", "", noarch, files)


def digest(text):
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


VECTORS = {
    "no file": ((), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    "one file": (
        (file("bin/alpha"),),
        "sha256:76fa5a3b7011481149bbb461f878b57a84d212b819a06261850517fbc5a10cce",
    ),
    "files, a soft link and one without a hash": (
        (file("lib/b.so", TWO), file("lib/é", ONE), file("lib/a.so", ONE, kind="softlink"), file("etc/c", None)),
        "sha256:b138834957c17ce1a9bd15317c35f67544be227edf24c2fb3f15c42e2ea605a6",
    ),
}


@pytest.mark.parametrize(("files", "expected"), VECTORS.values(), ids=VECTORS.keys())
def test_i1_a_content_is_what_it_always_was(files, expected):
    assert content(record(*files)) == expected
    assert content(record(*reversed(files))) == expected


def test_a_content_is_a_line_for_each_path_in_the_order_of_its_bytes():
    files = file("a/b", TWO), file("a-b", ONE), file("é", TWO), file("z", None)
    assert content(record(*files)) == digest(f"a-b {ONE}\na/b {TWO}\nz -\né {TWO}\n")


def test_the_hash_counts_that_a_file_had_before_the_prefix_was_written_into_it():
    assert content(record(file("a", ONE, in_prefix=TWO))) == content(record(file("a", ONE)))


@pytest.mark.parametrize(
    "left_out",
    [
        file("lib/__pycache__/a.cpython-311.pyc"),
        file("lib/a.pyc", None, kind="pyc_file"),
        file("bin/command", None, kind="unix_python_entry_point"),
        file("bin/command", TWO, kind="unix_python_entry_point"),
        file("Scripts/command-script.py", None, kind="windows_python_entry_point_script"),
        file("Scripts/command.exe", None, kind="windows_python_entry_point_exe"),
        file("conda-meta/alpha-1-0.json", None, kind="linked_package_record"),
        file("share/empty", None, kind="directory"),
    ],
    ids=lambda file: f"{file.kind} {file.path}",
)
def test_what_the_client_makes_is_left_out(left_out):
    assert content(record(file("a"), left_out)) == content(record(file("a")))
    assert not has_unhashed(record(file("a"), left_out))


def test_byte_code_that_a_package_brings_elsewhere_counts():
    assert content(record(file("a"), file("lib/a.pyc"))) != content(record(file("a")))
    assert content(record(file("a"), file("lib/my__pycache__/a"))) != content(record(file("a")))


def test_clients_agree_of_a_soft_link():
    """conda and rattler write the hash of its target, mamba none."""
    of_conda, of_mamba = file("a", ONE, kind="softlink", in_prefix=ONE), file("a", None, kind="softlink")
    assert content(record(of_conda)) == content(record(of_mamba)) == digest("a -\n")
    assert not has_unhashed(record(of_mamba))


def test_a_package_for_every_python_is_the_same_in_each():
    places = ["lib/python3.11/site-packages", "lib/python3.14t/site-packages", "lib/pypy3.9/site-packages"]
    windows = "Lib/site-packages"
    told = {
        content(record(file(f"{place}/alpha.py"), noarch="python")) for place in [*places, windows, "site-packages"]
    }
    assert told == {digest(f"site-packages/alpha.py {ONE}\n")}


def test_a_package_for_one_python_counts_with_its_place():
    path = "lib/python3.11/site-packages/alpha.so"
    assert content(record(file(path))) == content(record(file(path), noarch="generic")) == digest(f"{path} {ONE}\n")


def test_a_file_that_was_given_another_name_counts_by_its_own():
    renamed = file("__clobbers__/alpha/share/common.txt", original="share/common.txt")
    assert content(record(renamed)) == content(record(file("share/common.txt")))


def test_a_path_that_stands_twice_counts_once():
    assert content(record(file("a"), file("a"))) == content(record(file("a")))


def test_a_package_without_hashes_is_known_by_its_paths():
    assert has_unhashed(record(file("a", None)))
    assert content(record(file("a", None))) != content(record(file("b", None)))
