"""`verify --deep` and `capture --deep`: what is told, and with which status."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from capsulestore.model.digest import Digest
from capsulestore.store import Store

pytestmark = pytest.mark.slow

SITE = ".venv/lib/python{}.{}/site-packages".format(*sys.version_info)


@pytest.fixture
def store(project) -> Path:
    Store.init(str(project)).close()
    return project / ".capsules"


@pytest.fixture
def digest(capsule, store) -> str:
    return capsule("add", "-m", "a fit", "--layer", "python").line


@pytest.fixture
def site(project) -> Path:
    return project / SITE


def change(site: Path) -> None:
    (site / "six.py").write_text("changed\n")


def remove(site: Path) -> None:
    (site / "idna/core.py").unlink()


def add(site: Path) -> None:
    (site / "idna/more.py").touch()


def spoil(site: Path) -> None:
    (site / "six-1.16.0.dist-info/RECORD").write_bytes(b"\0\n")


TOLD: dict[str, tuple[Callable[[Path], None], int, str, list[tuple[str, str, str]]]] = {
    "nothing": (lambda _: None, 0, "", []),
    "changed": (change, 1, "1 changed; ", [("changed", "six", "six.py")]),
    "missing": (remove, 1, "1 missing; ", [("missing", "idna", "idna/core.py")]),
    "unowned": (add, 0, "1 unowned; ", [("unowned", "", "idna/more.py")]),
    "all": (
        lambda site: (change(site), remove(site), add(site)),  # type: ignore[func-returns-value]
        1,
        "1 changed, 1 missing, 1 unowned; ",
        [("missing", "idna", "idna/core.py"), ("changed", "six", "six.py"), ("unowned", "", "idna/more.py")],
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_each_file_is_named_by_verify_and_by_capture(name, capsule, digest, site):
    tamper, status, counted, files = TOLD[name]
    tamper(site)
    for command in ("verify", "capture"):
        done = capsule(command, "--deep", "--layer", "python")
        lines = done.out.splitlines()
        (at,) = [number for number, line in enumerate(lines) if "installed files:" in line]
        assert done.status == status
        assert lines[at].strip().startswith(f"installed files: {counted}")
        rows = [tuple(line.split()) for line in lines[at + 1 :]]
        assert rows == [tuple(filter(None, (kind, owner, f"{SITE}/{path}"))) for kind, owner, path in files]
        answer = capsule(command, "--deep", "--layer", "python", "--json")
        assert answer.status == status
        altered = sorted((file["path"], file["kind"], file["owner"]) for file in answer.json["deep"]["altered"])
        assert altered == sorted((str(site / path), kind, owner or None) for kind, owner, path in files)


def test_the_verdict_is_the_environments_own_and_says_what_is_not_as_it_was(capsule, digest, site):
    change(site)
    done = capsule("verify", "--deep")
    (first, *_) = done.out.splitlines()
    assert first.startswith("identical ")
    assert first.endswith(", but not all installed files are as they were installed")
    answer = capsule("verify", "--deep", "--json").json
    assert (answer["match"], answer["verdict"]) == (True, "identical")
    assert "python/six: six.py: was changed since it was installed" in answer["reasons"]


def test_a_failure_has_a_code_of_its_own_and_what_belongs_to_nobody_is_none(capsule, digest, site):
    for tamper in (change, remove, add):
        tamper(site)
    answer = capsule("verify", "--deep", "--json").json
    assert answer["failures"] == [
        {
            "code": "installed_file_missing",
            "subject": str(site / "idna/core.py"),
            "reason": "python/idna: idna/core.py: is missing since it was installed",
        },
        {
            "code": "installed_file_changed",
            "subject": str(site / "six.py"),
            "reason": "python/six: six.py: was changed since it was installed",
        },
    ]
    assert "python: idna/more.py: belongs to nobody" in answer["reasons"]
    spoil(site)
    answer = capsule("verify", "--deep", "--json", "--layer", "python").json
    unreadable = [failure for failure in answer["failures"] if failure["code"] == "installed_file_unreadable"]
    assert [failure["subject"] for failure in unreadable] == [str(site / "six-1.16.0.dist-info/RECORD")]


def test_without_it_nothing_of_it_is_said(capsule, digest, site):
    change(site)
    done = capsule("verify")
    assert (done.status, "installed files" in done.out) == (0, False)
    for command in ("verify", "capture"):
        assert "deep" not in capsule(command, "--json").json


def test_a_long_list_is_cut_in_text_and_never_in_json(capsule, digest, site):
    for path in (site / "idna").glob("*.py"):
        path.write_text("changed\n")
    for number in range(30):
        (site / f"idna/more{number}.py").touch()
    done = capsule("verify", "--deep")
    changed = len(list((site / "idna").glob("*.py"))) - 30
    rows = [line.split() for line in done.out.splitlines() if line.startswith("    ")]
    assert [row[0] for row in rows] == ["changed"] * changed + ["unowned"] * (20 - changed) + ["and"]
    assert rows[-1] == ["and", str(10 + changed), "more"]
    answer = capsule("verify", "--deep", "--json").json
    assert len(answer["deep"]["altered"]) == 30 + changed
    assert len(answer["failures"]) == changed
    assert len([reason for reason in answer["reasons"] if "idna" in reason]) == 30 + changed


def test_what_cannot_be_compared_is_told(capsule, digest, site):
    (site / "six-1.16.0.dist-info/RECORD").unlink()
    done = capsule("verify", "--deep")
    assert "  python: six: not checked: has no RECORD" in done.out.splitlines()
    (unchecked,) = capsule("capture", "--deep", "--json").json["deep"]["unchecked"]
    assert unchecked == {"layer": "python", "owner": "six", "reason": "has no RECORD", "files": None}


def test_names_from_outside_are_escaped(capsule, digest, site):
    (site / "idna/\x1b[31mred\n.py").touch()
    done = capsule("verify", "--deep")
    assert "\x1b" not in done.out
    assert r"idna/\x1b[31mred\n.py" in done.out


def test_it_is_recorded_with_the_verdict(capsule, digest, store, site):
    results = []
    for tamper in (lambda _: None, add, change):
        tamper(site)
        statement = capsule("verify", "--deep", "--record", "--json").json["statement_id"]
        with Store(str(store)) as opened:
            predicate = opened.statement(Digest.parse(statement)).value["predicate"]
        (found,) = [key for key in ("passed", "warned", "failed") if "installed-files" in predicate[f"{key}Tests"]]
        results.append((predicate["result"], found))
    assert results == [("PASSED", "passed"), ("WARNED", "warned"), ("FAILED", "failed")]
    assert "python/six: six.py: was changed since it was installed" in predicate["reasons"]
    # Where the project lies on this machine is nobody's concern who reads it.
    assert str(site) not in json.dumps(predicate)


WRONG = {
    "imported alone": (["verify", "--deep", "--loaded"], "`--deep` compares all installed files"),
    "context": (["verify", "--deep", "--layer", "system"], "`system` has no installed files to compare"),
    "context captured": (["capture", "--deep", "--layer", "variables"], "`variables` has no installed files"),
    "a part recorded": (
        ["verify", "--deep", "--record", "--layer", "python"],
        "`--record` keeps a verdict on the whole",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_makes_no_sense_is_said_in_a_line(name, capsule, digest):
    arguments, said = WRONG[name]
    done = capsule(*arguments)
    assert (done.status, done.out) == (2, "")
    assert said in done.err.splitlines()[0]


def test_with_strict_and_a_layer_both_count(capsule, digest, site):
    change(site)
    done = capsule("verify", "--deep", "--strict", "--layer", "python", "--json")
    assert (done.status, [failure["code"] for failure in done.json["failures"]][-1]) == (1, "installed_file_changed")


def test_a_bar_is_for_a_terminal_alone(capsule, digest, project):
    assert capsule("verify", "--deep").err == ""
    main, side = pty.openpty()
    command = [sys.executable, "-m", "capsulestore_cli", "verify", "--deep"]
    done = subprocess.run(command, cwd=project, stderr=side, stdout=subprocess.PIPE, check=False, env=os.environ)
    os.close(side)
    said = b""
    while chunk := _read(main):
        said += chunk
    os.close(main)
    assert done.returncode == 0
    assert b"comparing installed files" in said
    assert b"100%" in said
    assert b"comparing" not in done.stdout


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""
