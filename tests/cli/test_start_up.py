"""Start-up is part of every command: what each imports is kept, name by name, in `imports.txt`.

Its first lines count. Of the standard library only what is expensive is listed. After a change that is meant,
`UPDATE_IMPORTS=1 pytest tests/cli/test_start_up.py` writes the file anew.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

KEPT = Path(__file__).with_name("imports.txt")
OURS = ("capsulestore", "capsulestore_cli")
OTHERS = ("click", "dulwich", "orjson", "rfc8785", "urllib3")
EXPENSIVE = (
    "asyncio",
    "csv",
    "email",
    "getpass",
    "glob",
    "importlib.metadata",
    "json",
    "logging",
    "multiprocessing",
    "pathlib",
    "shutil",
    "sqlite3",
    "subprocess",
    "tempfile",
    "urllib.parse",
    "zipfile",
)
COMMANDS = {
    "capsule --version": ["--version"],
    "capsule --help": ["--help"],
    "capsule show": ["show"],
    "capsule capture, index warm": ["capture"],
    "capsule verify, index warm, identical": ["verify"],
    "capsule run .venv/bin/python analysis.py, index warm": ["run", ".venv/bin/python", "analysis.py"],
}
OLD_ENOUGH = 2.1
SCRIPT = """
import os, sys
before = set(sys.modules)
from capsulestore_cli.running import run
stdout = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
os.dup2(1, 2)
run(sys.argv[1:])
sys.stdout.flush()
os.write(stdout, "\\n".join(sorted(set(sys.modules) - before)).encode())
"""


def imported_by(arguments: list[str], directory: Path) -> list[str]:
    command = [sys.executable, "-c", SCRIPT, *arguments]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split() if name in EXPENSIVE or name.partition(".")[0] in OURS + OTHERS]


def told(command: str, names: list[str]) -> str:
    ours = [name for name in names if name.partition(".")[0] in OURS]
    others = [name for name in names if name not in ours]
    # Of those others that have parts, their own names say enough.
    lines = [f"{command}: {len(ours)} of ours, {len(others)} others", *(f"    {name}" for name in [*others, *ours])]
    return "\n".join(lines) + "\n"


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A committed project with an environment that the index knows."""

    def run(*command: str | Path) -> None:
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'user.name=Ada' 'user.email=ada@example.org'")
    run(sys.executable, "-m", "venv", "--without-pip", ".venv")
    (tmp_path / "analysis.py").touch()
    run("git", "init", "--quiet")
    run("git", "add", "analysis.py")
    run("git", "commit", "--quiet", "--message", "first")
    run("capsule", "init")
    run("capsule", "add")
    # The index keeps nothing of a file that was changed within the clock's granularity.
    time.sleep(OLD_ENOUGH)
    return tmp_path


def test_no_command_imports_more_than_is_kept(project):
    # The second time nothing is asked or read any more.
    for command, words in COMMANDS.items():
        if "warm" in command:
            imported_by(words, project)
    found = "\n".join(told(command, imported_by(words, project)) for command, words in COMMANDS.items())
    if "UPDATE_IMPORTS" in os.environ:
        KEPT.write_text(found)
    assert found == KEPT.read_text()
