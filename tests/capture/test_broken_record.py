"""A RECORD that is broken leaves no silent hole: what it does not cover is hashed as unowned, or is told."""

import hashlib
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import pytest


def codes(capture, subject: str = "beta-2.0.dist-info") -> set[str]:
    return {finding.code for finding in capture.findings if subject in finding.subject}


def row(path: str, data: bytes) -> str:
    digest = urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}\n"


def content(*lines: str) -> str:
    """Return the content of rows: each line a path and its hash, as the design has it."""
    text = "".join(f"{path} {digest}\n" for path, digest, _ in sorted(line.rsplit(",", 2) for line in lines))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def without_a_record(path: Path) -> None:
    path.unlink()


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_named_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


NO_LIST: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (without_a_record, "files-unknown"),
    "empty": (lambda path: path.write_bytes(b""), "files-unknown"),
    "a text": (lambda path: path.write_text("this is no record\n" * 3), "files-unknown"),
    "a directory": (a_directory, "record-unreadable"),
    "a named pipe": (a_named_pipe, "record-unreadable"),
}


@pytest.mark.parametrize(("damage", "code"), NO_LIST.values(), ids=NO_LIST.keys())
def test_without_a_list_of_files_the_modules_are_unowned(damage, code, venv):
    damage(venv.info("beta") / "RECORD")
    captured = venv.capture()
    assert code in codes(captured)
    assert "content" not in captured.environment["python"]["packages"]["beta"]
    assert list(captured.environment["python"]["unowned"]) == ["beta.py"]


def test_the_tags_of_its_wheel_are_known_without_a_list_of_files_too(venv):
    (venv.info("beta") / "RECORD").unlink()
    assert venv.packages()["beta"] == {"version": "2.0", "tags": ["py3-none-any"]}


GARBAGE: dict[str, bytes] = {
    "bytes": bytes(range(256)) * 16,
    "bytes with commas": b"\x80,\xff,\x00\n" * 16,
    "a path with a null byte": b"be\0ta.py,,\n",
    "a quote that never ends": b'"beta.py,sha256=abc,1\n',
    "a quote that never ends in a long file": b'"beta.py,sha256=abc,1\n' + b"beta/file.py,sha256=abc,1\n" * 10_000,
    "an empty line behind a quote": b'"beta/file.py",sha256=abc,1\n\n',
    "a path of a megabyte": b"b" * 2**20 + b",,\n",
    "a path of a megabyte in quotes": b'"' + b"b" * 2**20 + b'",,\n',
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_a_record_of_garbage_does_not_list_is_unowned_which_is_told(data, venv):
    (venv.info("beta") / "RECORD").write_bytes(data)
    captured = venv.capture()
    assert list(captured.environment["python"]["unowned"]) == ["beta.py"]
    assert codes(captured, "beta.py") == {"unowned"}
    assert len(venv.digest()) == 64


def test_a_module_that_record_lists_by_its_absolute_path_is_captured(venv):
    digests = set()
    for data in (b"x = 1\n", b"x = 2\n"):
        (venv.site / "beta.py").write_bytes(data)
        (venv.info("beta") / "RECORD").write_text(row(str(venv.site / "beta.py"), data))
        digests.add(venv.digest())
    assert len(digests) == 2


def test_an_absolute_path_elsewhere_is_none_of_the_content(venv, small_digest):
    with (venv.info("beta") / "RECORD").open("a") as record:
        record.write("/usr/share/doc/beta/README,sha256=abc,1\n")
    assert venv.digest() == small_digest


def test_a_file_without_a_hash_is_hashed(venv, small_digest):
    record = venv.info("beta") / "RECORD"
    lines = record.read_text().splitlines()
    record.write_text("".join(f"{line.split(',')[0]},,\n" for line in lines))
    assert venv.digest() == small_digest
    (venv.site / "beta.py").write_text("changed = True\n")
    assert venv.digest() != small_digest


@pytest.mark.parametrize("kind", ["missing", "a named pipe"])
def test_a_file_without_a_hash_that_cannot_be_read_is_told(kind, venv):
    if kind == "a named pipe":
        os.mkfifo(venv.site / "gone.py")
    with (venv.info("beta") / "RECORD").open("a") as record:
        record.write("gone.py,,\n")
    (finding,) = venv.capture().findings
    assert finding.code == "file-unreadable"
    assert "gone.py" in finding.message


def test_many_files_that_cannot_be_read_are_told_in_few_words(venv):
    with (venv.info("beta") / "RECORD").open("a") as record:
        record.writelines(f"gone{number}.py,,\n" for number in range(50))
    messages = [finding.message for finding in venv.capture().findings]
    assert len(messages) < 10
    assert any("47 more" in message for message in messages)


ODD_PATHS: dict[str, tuple[str, str]] = {
    "with a comma": ('"be,ta.py"', "be,ta.py"),
    "with a quote": ('"be""ta.py"', 'be"ta.py'),
    "with a comma and no quotes": ("be,ta.py", "be,ta.py"),
    "with a space": ("be ta.py", "be ta.py"),
    "with a line separator": ("be\u2028ta.py", "be\u2028ta.py"),
    "with a line separator in quotes": ('"be\u2028ta.py"', "be\u2028ta.py"),
    "with a next-line character in quotes": ('"be\x85ta.py"', "be\x85ta.py"),
    "with a form feed in quotes": ('"be\x0cta.py"', "be\x0cta.py"),
    "with a line break in quotes": ('"be\nta.py"', "be\nta.py"),
    "with umlauts": ("bätä.py", "bätä.py"),
}


@pytest.mark.parametrize(("written", "path"), ODD_PATHS.values(), ids=ODD_PATHS.keys())
def test_a_path_in_record_is_read_as_csv_writes_it(written, path, venv):
    (venv.info("beta") / "RECORD").write_text(f"{written},sha256=abc,1\nbeta.py,sha256=def,1\n")
    expected = content(f"{path},sha256=abc,1", "beta.py,sha256=def,1")
    assert venv.packages()["beta"]["content"] == expected


def test_a_path_in_record_that_is_not_utf8_has_its_bytes_in_the_content(venv):
    (venv.info("beta") / "RECORD").write_bytes(b"b\xe9ta.py,sha256=abc,1\n")
    expected = hashlib.sha256(b"b\xe9ta.py sha256=abc\n").hexdigest()
    assert venv.packages()["beta"]["content"] == f"sha256:{expected}"


def test_the_content_is_the_digest_of_paths_and_hashes_sorted_by_their_bytes(venv):
    lines = [
        row("Zebra.py", b"z"),
        row("b/a.py", b"a"),
        row("b.py", b"b"),
        row("ä.py", b"c"),
        row("../../../z.txt", b""),
    ]
    (venv.info("beta") / "RECORD").write_text("".join(lines))
    ordered = ["Zebra.py", "b.py", "b/a.py", "z.txt", "ä.py"]
    hashes = {line.split(",")[0].replace("../", ""): line.split(",")[1] for line in lines}
    text = "".join(f"{path} {hashes[path]}\n" for path in ordered)
    assert venv.packages()["beta"]["content"] == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
