"""Completion in the real shells: bash and zsh at a terminal, as keys are typed, and fish by what it says it offers."""

from __future__ import annotations

import os
import re
import select
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from capsulestore.capture.environment import LAYERS
from capsulestore.model.capsule import Capsule
from capsulestore.model.digest import Digest
from capsulestore.model.manifest import Manifest
from capsulestore.model.mapping import encode_mapping
from capsulestore.store import Store
from capsulestore_cli.app import COMMANDS

pytestmark = pytest.mark.slow

TITLES = ("first fit, again", 'it\'s "5%": `touch ran` C:\\x', "größe")
TO_BE_RUN = "$(touch${IFS}ran)"
"""A tag that git allows, which a shell would run."""

SHELLS = {"bash": ["bash", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"], "fish": ["fish", "--no-config"]}
PROMPT = b"ready> "
READY = {
    "bash": 'bind "set bell-style none"; PS1="rea""dy> "',
    "zsh": 'unsetopt beep; autoload -U compinit; compinit -D; bindkey -e; PS1="rea""dy> "',
}
"""What sets the prompt, which is in no line that the shell echoes before."""
LINE_BEGIN, LINE_END = "\x01", "\x05"


@dataclass(frozen=True)
class Project:
    """A directory with a store, and the digests of its capsules, newest first."""

    directory: Path
    digests: list[str]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    digests: list[str] = []
    with Store.init(str(tmp_path)) as store:
        for title in (*TITLES, *(f"fit {number}" for number in range(8))):
            digests.insert(0, add(store, title))
        for tag in ("paper/figure-2", "größe", "v1@home", TO_BE_RUN):
            store.tags.set(tag, Digest(digests[-1]))
    return Project(tmp_path, digests)


def add(store: Store, title: str) -> str:
    environment = encode_mapping({"python": {"rules": 1}})
    manifest = Manifest.parse({"schema": 1, "title": title, "environment_digest": str(environment.id)})
    encoded = Capsule(manifest=manifest, environment=environment.id).encode(environment)
    store.add(encoded, title)
    return str(encoded.id)


@pytest.fixture(autouse=True)
def _shell_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TERM", "dumb")


class Terminal:
    """A shell at a terminal of its own, in which keys are typed."""

    def __init__(self, shell: str, directory: Path, stack: ExitStack) -> None:
        self._ours, theirs = os.openpty()
        stack.callback(os.close, self._ours)
        process = subprocess.Popen(
            ["setsid", "--ctty", *SHELLS[shell]], cwd=directory, stdin=theirs, stdout=theirs, stderr=theirs
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        os.close(theirs)
        self._shown = b""
        self._type(f'{READY[shell]}; eval "$(capsule completion {shell})"\n')
        self._until(PROMPT)

    def words(self, keys: str) -> list[str]:
        """Type, and return the words that are on the command line then."""
        return re.findall(r"^<(.*)>\r?$", self.shown(keys, "printf '<%s>\\n' "), re.MULTILINE)

    def shown(self, keys: str, command: str = ": ") -> str:
        """Type, put a command before what is on the line, run that, and return all that was shown."""
        self._type(f"{keys}{LINE_BEGIN}{command}{LINE_END}; echo 'E''ND'\n")
        shown = self._until(b"END\r\n")
        self._until(PROMPT)
        return shown.decode()

    def _type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def _until(self, end: bytes) -> bytes:
        while end not in self._shown:
            assert select.select([self._ours], [], [], 60)[0], f"the shell stopped at {self._shown!r}"
            self._shown += os.read(self._ours, 65536)
        shown, _, self._shown = self._shown.partition(end)
        return shown


@pytest.fixture
def terminal(project: Project) -> Iterator[Callable[[str], Terminal]]:
    """Start a shell in the project that completes `capsule`."""
    with ExitStack() as stack:

        def start(shell: str) -> Terminal:
            needs(shell)
            return Terminal(shell, project.directory, stack)

        yield start


def needs(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")


def fish(directory: Path, line: str) -> dict[str, str]:
    """Return what fish offers for a line, and what it says of it."""
    needs("fish")
    script = f"capsule completion fish | source; complete --do-complete {shlex.quote(line)}"
    done = subprocess.run([*SHELLS["fish"], "-c", script], cwd=directory, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return {value: words for value, _, words in (offer.partition("\t") for offer in done.stdout.splitlines())}


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_what_is_begun_is_completed_as_keys_are_typed(shell, project, terminal):
    at, last = terminal(shell), project.digests[0]
    begun = next(last[:size] for size in range(1, 12) if sum(d.startswith(last[:size]) for d in project.digests) == 1)
    (project.directory / "data.csv").touch()
    for keys, words in {
        "verif\t": ["verify"],
        "verify --stri\t": ["verify", "--strict"],
        "verify --layer sys\t": ["verify", "--layer", "system"],
        "verify --layer=sys\t": ["verify", "--layer=system"],
        "add --input da\t": ["add", "--input", "data.csv"],
        "add --output=da\t": ["add", "--output=data.csv"],
        f"show {begun}\t": ["show", last[:12]],
        f"show {last[:13]}\t": ["show", last],
        "show @\t": ["show", "@"],
        "show pap\t": ["show", "paper/figure-2"],
        "diff v1@h\t grö\t": ["diff", "v1@home", "größe"],
        "tag pap\t": ["tag", "paper/figure-2"],
        "add --parent v1\t": ["add", "--parent", "v1@home"],
        "--store '.capsules' show pap\t": ["--store", ".capsules", "show", "paper/figure-2"],
        "--store /nowhere show pap\t": ["--store", "/nowhere", "show", "pap"],
        "no-such-command \t": ["no-such-command"],
    }.items():
        assert at.words(f"capsule {keys}") == ["capsule", *words]
    # By a path of its own, in which there is no blank: a shell knows no completion for a command in quotes.
    by_path = project.directory / "capsule"
    by_path.symlink_to(Path(sys.executable).parent / "capsule")
    for command in ("capsulestore", str(by_path)):
        assert at.words(f"{command} show pap\t") == [command, "show", "paper/figure-2"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_newest_are_shown_and_nothing_that_a_shell_would_run(shell, project, terminal):
    at = terminal(shell)
    shown = at.shown("capsule show \t\t")
    assert all(digest[:12] in shown for digest in project.digests[:10])
    assert project.digests[10][:12] not in shown
    assert "${IFS}" not in shown
    assert at.words(f"capsule show {project.digests[1][:3]}\t") == ["capsule", "show", project.digests[1][:12]]
    assert not (project.directory / "ran").exists()


def test_zsh_shows_titles(project, terminal):
    shown = terminal("zsh").shown("capsule show \t\t")
    for words in ("the capsule added last", "fit 7", TITLES[1], TITLES[2]):
        assert f"-- {words}" in shown


def test_fish_shows_titles(project):
    offered = fish(project.directory, "capsule show ")
    newest = [digest[:12] for digest in project.digests[:10]]
    assert list(offered) == ["größe", "paper/figure-2", "v1@home", "@", *newest]
    assert (offered["@"], offered["v1@home"]) == ("the capsule added last", TITLES[0])
    assert [offered[digest] for digest in newest[-2:]] == [TITLES[2], TITLES[1]]


def test_fish_completes_commands_options_and_what_they_take(project):
    at = project.directory
    assert tuple(fish(at, "capsule ")) == COMMANDS
    assert list(fish(at, "capsule verify --lay")) == ["--layer"]
    assert list(fish(at, "capsule verify --layer ")) == [layer.name for layer in LAYERS]
    assert list(fish(at, "capsule verify --layer=s")) == ["--layer=system"]
    assert list(fish(at, "capsule add --output .cap")) == list(fish(at, "capsule --store .cap")) == [".capsules/"]
    assert list(fish(at, "capsule add --output=.cap")) == ["--output=.capsules/"]
    assert list(fish(at, f"capsulestore show {project.digests[0][:13]}")) == [project.digests[0]]
