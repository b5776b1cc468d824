"""The README shows what is really printed.

Every `$ ` line of its walk-through is run, in order and in one shell, in a copy of the examples. What it prints must be
what the README shows, verbatim but for what is another on every machine:

- a digest, or its first 12 digits, becomes `<digest 1>`, the next other one `<digest 2>`, and so on: what is the same
  digest in the README must be one in reality, and two that differ there must differ;
- the time of a registration becomes `<time>`, how long a run took `<seconds>`, and the interpreter's version and
  platform `<interpreter>`;
- what a layer of the context says of the machine becomes `<context>`;
- the checkout lies at /home/ada/capsulestore, and is Ada's.

`make readme` writes what is printed now into the README.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from capsulestore.errors import CapsuleError
from capsulestore_cli.app import application

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
CHECKOUT = "/home/ada/capsulestore"
END = "--- the command has ended ---"
INTERPRETER = r"CPython \S+ linux \S+ \S+(?=,)"


def section(title: str) -> str:
    """Return what stands under a heading of the second level."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def console(text: str) -> list[tuple[str, str]]:
    """Return each command of a text's console blocks, with what is shown below it."""
    lines = "".join(re.findall(r"```console\n(.*?)```", text, re.DOTALL))
    commands = re.split(r"^\$ ", lines, flags=re.MULTILINE)[1:]
    return [(command, output) for command, _, output in (text.partition("\n") for text in commands)]


def run(commands: list[str], directory: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Run commands one after the other in one shell; return each with what it printed on either stream."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    # What pip says of this machine's settings is not the walk-through's.
    monkeypatch.setenv("PIP_QUIET", "2")
    # As pip wants it said. Compiling takes most of an install's time.
    monkeypatch.setenv("PIP_NO_COMPILE", "no")
    # So that there is a variable to tell of.
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    # The subshell gives `$?` back to the next command.
    lines = "".join(f"{command}\nstatus=$?; echo {shlex.quote(END)}; (exit $status)\n" for command in commands)
    script = directory / "walk-through.sh"
    script.write_text(lines, "utf-8")
    done = subprocess.run(
        ["/bin/bash", script.name],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    outputs = done.stdout.replace(str(directory), CHECKOUT).split(f"{END}\n")
    assert outputs.pop() == ""
    return list(zip(commands, outputs, strict=True))


def cloned(directory: Path) -> None:
    """Make a directory what a clone of it would be: a git work tree whose commit is on a remote."""
    for command in (
        ["init", "-q", "-b", "main"],
        ["remote", "add", "origin", "https://example.org/capsulestore.git"],
        ["add", "examples"],
        ["commit", "-q", "-m", "examples"],
        ["update-ref", "refs/remotes/origin/main", "HEAD"],
    ):
        subprocess.run(["git", *command], cwd=directory, check=True)
    (directory / ".git/info/exclude").write_text("walk-through.sh\n.venv\nresults.csv\n")


def masked(walk: list[tuple[str, str]]) -> str:
    text = "".join(f"$ {command}\n{output}" for command, output in walk)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d [+-]\d{4})?", "<time>", text)
    text = re.sub(r"\d+\.\d(?= s, exit status)", "<seconds>", text)
    text = re.sub(INTERPRETER, "<interpreter>", text)
    text = re.sub(r"(?<=^  )(host|python|system|variables) +.*", r"\1 <context>", text, flags=re.MULTILINE)
    digests: dict[str, int] = {}

    def number(digest: re.Match[str]) -> str:
        return f"<digest {digests.setdefault(digest[0][:12], len(digests) + 1)}>"

    return re.sub(r"\b[0-9a-f]{12}([0-9a-f]{52})?\b", number, text)


def write(walk: list[tuple[str, str]]) -> None:
    """Write what the commands of the walk-through printed into the README, each in the block where it stands."""
    texts = iter(f"$ {command}\n{output}" for command, output in walk)
    before = section("A walk-through")
    after = re.sub(
        r"(?<=```console\n)(.*?)(?=```)",
        lambda block: "".join(next(texts) for _ in console(f"```console\n{block[0]}```")),
        before,
        flags=re.DOTALL,
    )
    (ROOT / "README.md").write_text(README.replace(before, after), "utf-8")


def first_column(title: str, heading: str) -> list[str]:
    """Return the first cells of the table in a section whose first heading is the one given."""
    rows = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", section(title), re.MULTILINE)
    assert rows
    return [row.split("|")[1].strip() for row in rows[1].splitlines()]


@pytest.mark.slow
def test_the_walk_through_shows_what_its_commands_print(tmp_path, monkeypatch):
    examples = shutil.ignore_patterns(".*", "__pycache__", "results.csv")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=examples)
    (Path.home() / ".gitconfig").write_text("[user]\nname = Ada Lovelace\nemail = ada@example.org\n")
    cloned(tmp_path)

    shown = console(section("A walk-through"))
    printed = run([command for command, _ in shown], tmp_path, monkeypatch)

    if masked(printed) != masked(shown) and "UPDATE_README" in os.environ:
        write(printed)
        return
    assert masked(printed) == masked(shown)


def test_the_python_example_prints_what_stands_behind_each_line(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", section("From Python"), re.DOTALL)
    prepare = [
        "python3 -m venv --without-pip .venv",
        "capsule init",
        'capsule add -m "penguins: first fit"',
        f"python3 -c {shlex.quote(code)}",
    ]

    *_, (_, printed) = run(prepare, tmp_path, monkeypatch)

    assert printed.splitlines() == re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)


def test_every_command_has_its_line():
    commands = application.list_commands(click.Context(application))

    assert first_column("Commands", "command") == [f"`capsule {command}`" for command in commands]


def test_every_exit_status_has_its_line():
    def family(error: type[CapsuleError]) -> set[int]:
        return {error.exit_code}.union(*map(family, error.__subclasses__()))

    statuses = {0, 1, 125, 128 + signal.SIGINT} | family(CapsuleError)

    assert first_column("Commands", "exit status") == [str(status) for status in sorted(statuses)]


def test_every_make_target_that_is_named_is_there():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(
        re.findall(r"\bmake ([a-z-]+)", " ".join(re.findall(r"^\$ make .*|`make [^`]*`", README, re.MULTILINE)))
    )

    assert {"demo", "test"} <= targets <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_every_link_leads_to_something():
    links = re.findall(r"\]\(([^)#:]+)\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
