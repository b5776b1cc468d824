"""Loose modules may have any name, be any kind of file and be any size: each is hashed, or told as not hashed."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from capsulestore.capture.budget import MAX_BYTES, MAX_FILES


def codes(capture) -> set[str]:
    return {finding.code for finding in capture.findings}


def package(venv, name: str = "package") -> Path:
    (venv.site / name).mkdir()
    (venv.site / name / "__init__.py").write_text("x = 1\n")
    return venv.site / name


def bytes_name(venv, name: bytes) -> Path:
    return Path(os.fsdecode(os.path.join(os.fsencode(venv.site), name)))


def test_a_name_that_is_not_utf8_is_written_with_its_bytes(venv):
    bytes_name(venv, b"caf\xe9.py").write_text("x = 1\n")
    captured = venv.capture()
    assert list(captured.environment["python"]["unowned"]) == ["caf\\xe9.py"]
    assert [finding.subject for finding in captured.findings] == ["caf\\xe9.py"]
    assert len(venv.digest()) == 64


def test_a_name_that_looks_like_those_bytes_hides_nothing(venv):
    bytes_name(venv, b"caf\xe9.py").write_text("x = 1\n")
    one = venv.digest()
    bytes_name(venv, b"caf\\xe9.py").write_text("x = 2\n")
    assert venv.digest() != one


def test_composed_and_decomposed_names_are_two(venv):
    (venv.site / "\u00e4.py").write_text("x = 1\n")
    (venv.site / "a\u0308.py").write_text("x = 1\n")
    assert len(venv.unowned()) == 2


def test_a_name_too_long_for_a_key_is_named_by_its_hash(venv):
    for letter in "ab":
        (venv.site / f"{letter * 252}.py").write_text("x = 1\n")
    keys = list(venv.unowned())
    assert [key.partition(":")[0] for key in keys] == ["sha256", "sha256"]
    assert len(set(keys)) == 2
    assert len(venv.digest()) == 64


def test_long_names_inside_a_package_are_hashed(venv):
    before = package(venv)
    (before / f"{'x' * 252}.py").write_text("x = 1\n")
    one = venv.digest()
    (before / f"{'x' * 252}.py").write_text("x = 2\n")
    assert venv.digest() != one


def a_link_to_itself_in_it(venv) -> None:
    (package(venv) / "again.py").symlink_to("again.py")


def a_link_to_its_parent_in_it(venv) -> None:
    (package(venv) / "up").symlink_to("..")


def two_packages_linked_to_each_other(venv) -> None:
    (package(venv, "one") / "two").symlink_to("../two")
    (package(venv, "two") / "one").symlink_to("../one")


def a_link_to_nothing(venv) -> None:
    (package(venv) / "nothing.py").symlink_to("nowhere")
    (venv.site / "nothing").symlink_to("nowhere")
    (venv.site / "nothing.py").symlink_to("nowhere")


def a_named_pipe(venv) -> None:
    os.mkfifo(package(venv) / "pipe.py")
    os.mkfifo(venv.site / "pipe.py")


def a_socket(venv) -> None:
    # A socket's path may have 107 bytes.
    here = os.open(venv.site, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(f"/proc/self/fd/{here}/socket.py")
    os.close(here)


def a_link_to_a_device(venv) -> None:
    (venv.site / "zero.py").symlink_to("/dev/zero")
    (package(venv) / "zero.py").symlink_to("/dev/zero")


STRANGE: dict[str, Callable] = {
    "a link to itself": lambda venv: (venv.site / "again").symlink_to("again"),
    "a module that is a link to itself": lambda venv: (venv.site / "again.py").symlink_to("again.py"),
    "a link to itself in a package": a_link_to_itself_in_it,
    "a link to its parent in a package": a_link_to_its_parent_in_it,
    "two packages linked to each other": two_packages_linked_to_each_other,
    "a link to nothing": a_link_to_nothing,
    "a named pipe": a_named_pipe,
    "a socket": a_socket,
    "a link to a device": a_link_to_a_device,
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE.keys())
def test_what_is_no_module_after_all_stops_nothing(strange, venv):
    (venv.site / "zz_last.py").write_text("x = 1\n")
    strange(venv)
    before = venv.digest()
    assert "content" in venv.unowned()["zz_last.py"]
    (venv.site / "zz_last.py").write_text("x = 2\n")
    assert venv.digest() != before


@pytest.mark.slow
def test_directories_nested_deeper_than_python_recurses_stop_nothing(venv):
    deepest = str(package(venv))
    for _ in range(1_200):
        deepest += "/d"
        os.mkdir(deepest)
    try:
        assert "package" in venv.unowned()
    finally:
        subprocess.run(["rm", "-r", venv.site / "package"], check=True)


@pytest.mark.slow
def test_directories_linked_to_each_other_again_and_again_are_walked_within_limits(venv, tmp_path):
    levels = [tmp_path / f"level{number}" for number in range(30)]
    for level, below in zip(levels, [*levels[1:], package(venv, "lowest")], strict=True):
        level.mkdir()
        (level / "left").symlink_to(below)
        (level / "right").symlink_to(below)
    (venv.site / "highest").symlink_to(levels[0])
    captured = venv.capture_apart("timeout", "60")
    assert captured["environment"]["python"]["unowned"]["highest"] == {"unhashed": "too large"}


def test_a_package_that_is_a_link_is_hashed_by_what_it_leads_to(venv, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "__init__.py").write_text("x = 1\n")
    (venv.site / "package").symlink_to(tmp_path / "real")
    linked = venv.unowned()["package"]
    (venv.site / "package").unlink()
    shutil.copytree(tmp_path / "real", venv.site / "package")
    assert venv.unowned()["package"] == linked


def test_a_file_too_large_to_hash_is_recorded_and_told(venv):
    with (package(venv) / "weights.bin").open("wb") as weights:
        weights.truncate(MAX_BYTES + 1)
    captured = venv.capture()
    assert captured.environment["python"]["unowned"] == {"package": {"unhashed": "too large"}}
    assert codes(captured) == {"unhashed"}


@pytest.mark.slow
def test_too_many_files_to_hash_are_recorded_and_told(venv):
    many = package(venv)
    for number in range(MAX_FILES):
        (many / f"{number}.py").touch()
    captured = venv.capture()
    assert captured.environment["python"]["unowned"] == {"package": {"unhashed": "too large"}}
    assert codes(captured) == {"unhashed"}
    (many / "0.py").unlink()
    assert set(venv.unowned()["package"]) == {"content"}


@pytest.mark.parametrize(
    "what",
    [
        "package",
        "loose.py",
        *(pytest.param(f, marks=pytest.mark.slow) for f in ("package/__init__.py", "package/inner", "start.pth")),
    ],
)
def test_what_may_not_be_read_is_recorded_and_told(what, venv, as_nobody_special):
    (package(venv) / "inner").mkdir()
    (venv.site / "loose.py").touch()
    (venv.site / "start.pth").touch()
    (venv.site / what).chmod(0o000)
    try:
        captured = venv.capture_apart(*as_nobody_special)
    finally:
        (venv.site / what).chmod(0o755)
    name = what.partition("/")[0]
    assert captured["environment"]["python"]["unowned"][name] == {"unhashed": "unreadable"}
    assert ("unhashed", name) in {(finding["code"], finding["subject"]) for finding in captured["findings"]}
