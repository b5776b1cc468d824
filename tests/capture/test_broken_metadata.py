"""A distribution whose metadata is broken is told, never raised for, and its modules are captured all the same."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def codes(capture, subject: str = "") -> set[str]:
    return {finding.code for finding in capture.findings if subject in finding.subject}


def is_accounted_for(capture) -> bool:
    """Whether the module `beta.py` is in a distribution's content or among what nobody owns."""
    python = capture.environment["python"]
    return "content" in python["packages"].get("beta", {}) or "beta.py" in python.get("unowned", {})


def made_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def made_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def made_a_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def made_a_link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nothing")


def written(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


BINARY = bytes(range(256)) * 8

METADATA: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "metadata-missing"),
    "empty": (written(b""), "metadata-incomplete"),
    "nameless": (written(b"Metadata-Version: 2.1\nVersion: 2.0\n"), "metadata-incomplete"),
    "without a version": (written(b"Metadata-Version: 2.1\nName: beta\n"), "metadata-incomplete"),
    "with an empty name": (written(b"Name:\nVersion: 2.0\n"), "metadata-incomplete"),
    "with the name in the description": (written(b"Summary: x\n\nName: beta\nVersion: 2.0\n"), "metadata-incomplete"),
    "binary": (written(BINARY), "metadata-not-utf8"),
    "latin-1": (written("Name: beta\nVersion: 2.0\nAuthor: Müller\n".encode("latin-1")), "metadata-not-utf8"),
    "a directory": (made_a_directory, "metadata-unreadable"),
    "a named pipe": (made_a_fifo, "metadata-unreadable"),
    "a link to itself": (made_a_link_to_itself, "metadata-unreadable"),
    "a link to nothing": (made_a_link_to_nothing, "metadata-missing"),
}


@pytest.mark.parametrize(("damage", "code"), METADATA.values(), ids=METADATA.keys())
def test_without_a_good_metadata_file_the_name_of_its_directory_says_who_it_is(damage, code, venv, small_digest):
    damage(venv.info("beta") / "METADATA")
    captured = venv.capture()
    assert code in codes(captured, "beta-2.0.dist-info")
    assert venv.digest() == small_digest


def test_metadata_that_may_not_be_read_is_told(venv, as_nobody_special, small_digest):
    (venv.info("beta") / "METADATA").chmod(0o000)
    captured = venv.capture_apart(*as_nobody_special)
    assert [finding["code"] for finding in captured["findings"]] == ["metadata-unreadable"]
    assert captured["digest"] == small_digest


def test_what_has_no_name_at_all_is_no_distribution_and_its_modules_are_unowned(venv):
    (venv.info("beta") / "METADATA").unlink()
    venv.info("beta").rename(venv.site / "nobody.dist-info")
    captured = venv.capture()
    assert "nameless" in codes(captured, "nobody.dist-info")
    assert sorted(captured.environment["python"]["packages"]) == ["alpha", "gamma"]
    assert list(captured.environment["python"]["unowned"]) == ["beta.py"]


def test_a_name_that_is_no_name_is_kept_as_it_is(venv):
    (venv.info("beta") / "METADATA").write_bytes("Name: Bêta Ünü/..%\nVersion: 2.0 final\n".encode())
    assert venv.packages()["bêta ünü/-%"]["version"] == "2.0 final"


def test_a_name_longer_than_a_key_is_named_by_its_hash(venv):
    (venv.info("beta") / "METADATA").write_text(f"Name: {'b' * 300}\nVersion: 2.0\n")
    (key,) = set(venv.packages()) - {"alpha", "gamma"}
    assert key.startswith("sha256:")
    assert len(venv.digest()) == 64


def test_names_are_compared_as_pep_503_says(venv):
    (venv.info("beta") / "METADATA").write_text("Name: B_e.-ta\nVersion: 2.0\n")
    assert "b-e-ta" in venv.packages()


WHEEL: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "a directory": made_a_directory,
    "a named pipe": made_a_fifo,
}


@pytest.mark.parametrize("damage", WHEEL.values(), ids=WHEEL.keys())
def test_without_a_wheel_file_the_tags_are_not_known_which_is_told(damage, venv):
    content = venv.packages()["beta"]["content"]
    damage(venv.info("beta") / "WHEEL")
    captured = venv.capture()
    assert captured.environment["python"]["packages"]["beta"] == {"version": "2.0", "content": content}
    assert codes(captured, "beta-2.0.dist-info")


@pytest.mark.parametrize("data", [b"", BINARY, b"Tag\nTag:\nBuild:\n"], ids=["empty", "binary", "without values"])
def test_a_wheel_file_that_says_nothing_changes_no_content(data, venv):
    content = venv.packages()["beta"]["content"]
    (venv.info("beta") / "WHEEL").write_bytes(data)
    assert venv.packages()["beta"]["content"] == content


ENTRY_POINTS: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "a directory": made_a_directory,
    "a named pipe": made_a_fifo,
    "binary": written(BINARY),
    "without a section": written(b"beta = beta:main\n"),
}


@pytest.mark.parametrize("damage", ENTRY_POINTS.values(), ids=ENTRY_POINTS.keys())
def test_a_script_is_none_of_the_content_though_entry_points_cannot_be_read(damage, venv):
    content = venv.packages()["beta"]["content"]
    damage(venv.info("beta") / "entry_points.txt")
    assert venv.packages()["beta"]["content"] == content


def test_what_pip_left_behind_is_told_and_not_counted(venv, small_digest):
    shutil.copytree(venv.info("beta"), venv.site / "~eta-1.0.dist-info")
    (venv.site / "~eta").mkdir()
    (venv.site / "~eta" / "__init__.py").touch()
    captured = venv.capture()
    assert {finding.subject for finding in captured.findings} == {"~eta", "~eta-1.0.dist-info"}
    assert codes(captured) == {"leftover"}
    assert venv.digest() == small_digest


def test_of_two_of_one_name_in_one_directory_both_are_recorded_and_told(venv):
    copy = venv.site / "Beta-1.0.dist-info"
    shutil.copytree(venv.info("beta"), copy)
    (copy / "METADATA").write_text("Name: Beta\nVersion: 1.0\n")
    captured = venv.capture()
    entry = captured.environment["python"]["packages"]["beta"]
    assert (entry["version"], entry["shadowed"][0]["version"]) == ("1.0", "2.0")
    assert codes(captured) == {"twice"}
    assert is_accounted_for(captured)


def test_a_metadata_directory_that_is_a_file_or_empty_is_told(venv):
    (venv.site / "delta-1.0.dist-info").write_text("no directory\n")
    (venv.site / "epsilon-1.0.dist-info").mkdir()
    captured = venv.capture()
    assert codes(captured, "delta-1.0.dist-info")
    assert codes(captured, "epsilon-1.0.dist-info") >= {"metadata-missing", "files-unknown"}
    assert captured.environment["python"]["packages"]["epsilon"] == {"version": "1.0"}
