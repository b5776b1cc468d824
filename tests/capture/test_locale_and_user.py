"""Names that are not ASCII, or not even UTF-8, are the same to whoever captures: any locale, any user."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import capsulestore

ASCII_ALONE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NOBODY = "65534"


def start_with_names_of_every_kind(venv) -> None:
    site = os.fsencode(venv.site)
    for name in ("ümläut.py".encode(), "u\u0308mla\u0308ut.py".encode(), b"latin-\xe9.py", "日本.pth".encode()):
        Path(os.fsdecode(os.path.join(site, name))).write_text("x = 1\n")
    with (venv.info("beta") / "RECORD").open("ab") as record:
        record.write("daten/größe.txt,sha256=abc,1\n".encode() + b"daten/gr\xf6\xdfe.txt,sha256=abc,1\n")


@pytest.mark.parametrize("variables", [{"LC_ALL": "C"}, ASCII_ALONE], ids=["C", "C and ASCII alone"])
def test_file_names_that_are_not_ascii_are_the_same_in_a_locale_without_them(variables, venv):
    start_with_names_of_every_kind(venv)
    captured = venv.capture_apart(**variables)
    assert captured["environment"] == venv.capture().environment
    assert captured["digest"] == venv.digest()
    assert len(captured["environment"]["python"]["unowned"]) == 4


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{"LC_ALL": "C"}, ASCII_ALONE], ids=["C", "C and ASCII alone"])
def test_a_distribution_whose_name_is_not_ascii_is_the_same_in_a_locale_without_it(variables, venv):
    (venv.info("beta") / "METADATA").write_text("Name: Bêta\nVersion: 2.0\n", encoding="utf-8")
    captured = venv.capture_apart(**variables)
    assert "bêta" in captured["environment"]["python"]["packages"]
    assert captured["digest"] == venv.digest()


@pytest.fixture
def shared_directory():
    """A directory that every user can read, which pytest's are not."""
    with tempfile.TemporaryDirectory() as path:
        os.chmod(path, 0o755)
        yield Path(path)


@pytest.fixture
def python_for_all(shared_directory) -> str:
    """An interpreter that another user can start, and that can run capsulestore there."""
    if os.geteuid() or not shutil.which("setpriv"):
        pytest.skip("becoming another user takes root and setpriv")
    for candidate in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(candidate):
            check = f"import sys; sys.path[:0] = {import_path()!r}; import capsulestore.capture.environment, orjson"
            if not subprocess.run([*as_nobody(), candidate, "-c", check], capture_output=True, check=False).returncode:
                return candidate
    pytest.skip("no interpreter here that another user could start and that can run capsulestore")


def import_path() -> list[str]:
    """Where capsulestore and what it needs are imported from."""
    return [str(Path(capsulestore.__file__).parents[1]), *(path for path in sys.path if path.endswith("-packages"))]


def as_nobody() -> tuple[str, ...]:
    # What setpriv itself starts is still looked up with root's powers; what `env` starts is not.
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env")


def test_i1_another_user_captures_the_same(python_for_all, shared_directory, make_venv, small_wheels):
    venv = make_venv(shared_directory / "venv", python=python_for_all)
    venv.install(*small_wheels.values())
    captured = venv.capture_apart(*as_nobody(), python=python_for_all, import_path=import_path())
    assert sorted(captured["environment"]["python"]["packages"]) == ["alpha", "beta", "gamma"]
    assert captured["digest"] == venv.digest()
