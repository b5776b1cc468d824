"""docs/sharing.md shows what its commands really print.

They are run in order, each by whom and where its prompt says, and print what the page shows: verbatim, but for digests,
times, and how much there is of what differs between machines. What stands in for ssh runs on this machine what it is
asked to run on another, in the home directory of the account, and so does what stands in for the forge, an account that
has repositories of git. `UPDATE_README=1` writes what is printed now into the page.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "sharing.md"
BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)
PROMPT = re.compile(r"^(\w+):(~\S*)\$ (.*)\n", re.MULTILINE)
PEOPLE = {"ada": "Ada Lovelace", "grace": "Grace Hopper", "cluster": "Batch", "git": "The Forge"}
SSH = """#!/bin/sh
# Takes options, ACCOUNT@HOST, a command.
while [ $# -gt 2 ]; do shift; done
export HOME="{homes}/${{1%%@*}}"
export GIT_CONFIG_GLOBAL="$HOME/.gitconfig"
cd && exec sh -c "$2"
"""
SCRIPT = "import math\n\nprint(math.tau)\n"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with accounts, of which Ada's has a store, and the forge's an empty repository and one that is none."""
    for account, name in PEOPLE.items():
        home = tmp_path / "home" / account
        home.mkdir(parents=True)
        (home / ".gitconfig").write_text(f"[user]\nname = {name}\nemail = {account}@example.org\n")
    (tmp_path / "media" / "stick").mkdir(parents=True)
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ssh").write_text(SSH.format(homes=tmp_path / "home"))
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{Path(sys.executable).parent}", prepend=":")
    monkeypatch.delenv("GIT_SSH", raising=False)
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    for account in ("ada", "grace"):
        thesis = tmp_path / "home" / account / "thesis"
        thesis.mkdir()
        (thesis / "fit.py").write_text(SCRIPT)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", thesis / ".venv"], check=True)
    run(
        tmp_path,
        "ada",
        "~/thesis",
        "capsule init && capsule run -m 'first fit' .venv/bin/python fit.py && capsule tag paper",
    )
    run(tmp_path, "git", "~", "git init -q --bare -b main --object-format=sha256 fits.git && git init -q website.git")
    run(tmp_path, "git", "~/website.git", "git commit -q --allow-empty -m first")
    return tmp_path


def run(root: Path, account: str, directory: str, command: str) -> str:
    """Run a command as somebody somewhere, and return what it prints on either stream."""
    home = root / "home" / account
    done = subprocess.run(
        ["/bin/sh", "-c", re.sub(r"(?<![\w.])/(?=media/)", f"{root}/", command)],
        cwd=directory.replace("~", str(home), 1),
        env=os.environ | {"HOME": str(home), "GIT_CONFIG_GLOBAL": str(home / ".gitconfig")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.stdout.replace(str(root), "")


def masked(text: str) -> str:
    text = re.sub(r"\b[0-9a-f]{64}\b", "<digest>", text)
    text = re.sub(r"(?<!\w)[0-9a-f]{12}(?!\w)", "<digest>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "<time>", text)
    return re.sub(r"\d+ objects(, [\d.]+ [KM]B|, \d+ bytes)?", "<objects>", text)


@pytest.mark.slow
def test_each_command_prints_what_the_page_shows(machine):
    page = PAGE.read_text("utf-8")

    def printed(block: re.Match[str]) -> str:
        return "".join(
            f"{prompt[0]}{run(machine, prompt[1], prompt[2], prompt[3])}" for prompt in PROMPT.finditer(block[0])
        )

    really = BLOCK.sub(printed, page)
    if "UPDATE_README" in os.environ:
        PAGE.write_text(really, "utf-8")
        page = really
    assert masked(page) == masked(really)
