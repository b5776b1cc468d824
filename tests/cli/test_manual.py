"""The manual pages: made from the help, kept in docs/man, installed where `man` looks."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from capsulestore_cli.app import COMMANDS
from capsulestore_cli.manual import EXIT_STATUSES, pages

ROOT = Path(__file__).resolve().parents[2]
KEPT = sorted((ROOT / "docs" / "man").iterdir())


def shown(page: Path) -> str:
    """Return a page as a reader sees it, in lines so long that no sentence is broken."""
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    command = ["groff", "-man", "-ww", "-Tascii", "-P-c", "-rLL=1000n", page]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return re.sub(".\b", "", done.stdout)


def test_what_is_kept_is_what_the_help_gives():
    assert {page.name: page.read_text("ascii") for page in KEPT} == pages(), "run `make man`"


def test_there_is_a_page_for_the_command_and_for_each_of_its_commands():
    assert {page.stem for page in KEPT} == {"capsule", *(f"capsule-{command}" for command in COMMANDS)}


def test_writing_them_removes_those_of_commands_that_are_no_more(tmp_path):
    (tmp_path / "capsule-gone.1").write_text(".TH gone")
    (tmp_path / "another.1").write_text(".TH another")
    subprocess.run([sys.executable, "-m", "capsulestore_cli.manual", tmp_path], check=True)
    (tmp_path / "another.1").unlink()
    assert {page.name: page.read_text("ascii") for page in tmp_path.iterdir()} == pages()


@pytest.mark.parametrize("page", KEPT, ids=lambda page: page.stem)
def test_groff_shows_each_page_without_a_warning(page):
    text = shown(page)
    headings = re.findall(r"^(\w.*)$", text, re.MULTILINE)[1:-1]
    more = {"COMMANDS", "FILES", "ENVIRONMENT"} if page.stem == "capsule" else set()
    expected = ("NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "OPTIONS", "EXIT STATUS", "SEE ALSO")
    assert [heading for heading in headings if heading not in more] == list(expected)
    assert more <= set(headings)
    assert f" {page.stem} - " in text


def test_a_page_says_what_the_help_says(capsule):
    page = shown(ROOT / "docs" / "man" / "capsule-verify.1")
    printed = capsule("verify", "--help", env={"COLUMNS": "80"}).out
    words = re.sub(r"(Examples|Usage|Options):|`", "", printed).split()
    assert [word for word in words if word not in page.split()] == []


def test_what_roff_would_take_for_its_own_is_shown_as_it_is():
    page = shown(ROOT / "docs" / "man" / "capsule-completion.1")
    assert 'eval "$(capsule completion bash)"' in page
    assert "in ~/.bashrc" in page
    assert ".venv's or python3" in shown(ROOT / "docs" / "man" / "capsule-verify.1")


def test_the_exit_statuses_are_told_in_the_words_of_the_readme():
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert {int(status): words for status, words in rows} == EXIT_STATUSES


@pytest.mark.slow
def test_a_wheel_installs_them_where_man_looks(tmp_path):
    source, environment = tmp_path / "source", tmp_path / "environment"
    for folder in ("capsulestore", "cli", "docs"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "-q", environment], check=True)
    subprocess.run([uv, "pip", "install", "-q", "--python", environment, "--no-deps", source], check=True)
    installed = environment / "share" / "man" / "man1"
    assert {page.name: page.read_text("ascii") for page in installed.iterdir()} == pages()
