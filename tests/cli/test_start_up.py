"""Start-up is part of every command: what each imports is kept, name by name, in `imports.txt`.

Its first lines count. Of the standard library only what is expensive is listed. After a change that is meant,
`UPDATE_IMPORTS=1 pytest tests/cli/test_start_up.py` writes the file anew.
"""

import os
import subprocess
import sys
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
    "capsule run true, index warm": ["run", "true"],
}
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
    """A project with a capsule, whose interpreter was captured before, so that the index knows it."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    subprocess.run(["capsule", "init"], cwd=tmp_path, check=True, capture_output=True)
    # The second time nothing is asked or read any more.
    for _ in range(2):
        subprocess.run(["capsule", "add", "--python", sys.executable], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def test_no_command_imports_more_than_is_kept(project):
    python = ["--python", sys.executable]
    found = "\n".join(
        told(command, imported_by([words[0], *(python if "index" in command else []), *words[1:]], project))
        for command, words in COMMANDS.items()
    )
    if "UPDATE_IMPORTS" in os.environ:
        KEPT.write_text(found)
    assert found == KEPT.read_text()
