"""What a shell is answered when it asks how to complete: names, and never an error."""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from capsulestore.model.capsule import Capsule
from capsulestore.model.manifest import Manifest
from capsulestore.model.mapping import encode_mapping
from capsulestore.store import Store

pytestmark = pytest.mark.slow

Answer = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory, whose environment nobody looks at."""
    return tmp_path


@pytest.fixture
def answer(capsule) -> Answer:
    """Ask as a shell's script asks, and return the status, the lines of the answer, and what is on stderr."""

    def ask(line: str, shell: str = "bash") -> tuple[int, list[str], str]:
        done = capsule(env={"_CAPSULE_COMPLETE": f"{shell}_complete", "COMP_WORDS": line})
        return done.status, done.out.splitlines(), done.err

    return ask


@pytest.fixture
def added(store: Path) -> list[str]:
    """The digests of three capsules, newest first, of which the first is tagged."""
    with Store(str(store)) as opened:
        digests = [add(opened, f"fit {number}") for number in range(3)]
        opened.tags.set("paper", opened.resolve_capsule(digests[0]))
    return digests[::-1]


def add(store: Store, title: str) -> str:
    environment = encode_mapping({"python": {"rules": 1}})
    manifest = Manifest.parse({"schema": 1, "title": title, "environment_digest": str(environment.id)})
    encoded = Capsule(manifest=manifest, environment=environment.id).encode(environment)
    store.add(encoded, title)
    return str(encoded.id)


def test_names_are_tags_the_last_and_the_newest(answer, added):
    assert answer("capsule show ")[1] == [f"plain,{name}" for name in ("paper", "@", *(d[:12] for d in added))]
    assert answer("capsule show p")[1] == ["plain,paper"]
    assert answer("capsule tag ")[1] == ["plain,paper"]
    assert answer("capsule tag other p")[1] == ["plain,paper"]


def test_a_digest_is_given_to_twelve_digits_and_whole_once_there_are_more(answer, added):
    digest = added[0]
    for typed, given in {4: digest[:12], 12: digest[:12], 13: digest, 64: digest}.items():
        assert answer(f"capsule show {digest[:typed]}")[1] == [f"plain,{given}"]
    assert answer(f"capsule show {digest[:8].upper()}")[1] == [f"plain,{digest[:12]}"]
    assert answer(f"capsule show {digest}0") == (0, [""], "")


def test_fish_and_zsh_get_titles(answer, added):
    digest = added[0][:12]
    assert answer(f"capsule show {digest}", "zsh")[1] == ["plain", digest, "fit 2"]
    assert answer(f"capsule show {digest}", "fish")[1] == [f"plain,{digest}\tfit 2"]


def test_the_store_is_the_one_that_the_line_names(answer, store, added, tmp_path, monkeypatch):
    store.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert answer("capsule show p")[1] == []
    for option in ("--store elsewhere", "--store=elsewhere", "--store ~/elsewhere", f"--store '{tmp_path}/elsewhere'"):
        assert answer(f"capsule {option} show p")[1] == ["plain,paper"]
        assert answer(f"capsule show {option} p")[1] == ["plain,paper"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_control_characters_in_a_title_are_escaped(shell, answer, store, added):
    git = ["git", "-C", str(store)]
    commit = subprocess.run(
        [*git, "-c", "user.name=a", "-c", "user.email=", "commit-tree", added[0]],
        input="two\rlines\tand \x1b[31mred\x9b",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    subprocess.run([*git, "update-ref", "refs/heads/main", commit.stdout.strip()], check=True)
    status, lines, error = answer(f"capsule show {added[0][:4]}", shell)
    assert (status, error) == (0, "")
    digest, title = added[0][:12], r"two\rlines\tand \x1b[31mred\x9b"
    told = {
        "bash": [f"plain,{digest}"],
        "zsh": ["plain", digest, title],
        "fish": [f"plain,{digest}\t{title}"],
    }
    assert lines == told[shell]


DAMAGE: dict[str, Callable[[Path], object]] = {
    "no store": lambda store: store.rename(store.with_name("elsewhere")),
    "a file": lambda store: (shutil.rmtree(store), store.touch()),
    "garbage in main": lambda store: (store / "refs/heads/main").write_text("garbage\n"),
    "garbage in @": lambda store: (store / "refs/capsules/last").write_bytes(b"\0\xff"),
    "no objects": lambda store: shutil.rmtree(store / "objects"),
    "a newer schema": lambda store: (store / "config").write_text("[capsulestore]\nschema = 99\n"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_store_or_none_says_nothing_and_stays_as_it_is(damage, answer, store, added, project, unchanged):
    DAMAGE[damage](store)
    before = unchanged(project)
    for name in ("", added[0][:4], "p"):
        status, _, error = answer(f"capsule show {name}")
        assert (status in {0, 1}, error) == (True, "")
    assert answer("capsule show ") == (1, [], "")
    assert unchanged(project) == before


def test_a_store_that_another_process_holds_keeps_no_shell_waiting(answer, store, added):
    assert len(answer("capsule show ")[1]) == 5
    with Store(str(store)) as opened:
        add(opened, "what the index does not have")
    with open(store / "capsulestore/index.sqlite-lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert answer("capsule show ") == (1, [], "")
    assert len(answer("capsule show ")[1]) == 6


def test_the_version_is_not_printed_into_an_answer(answer):
    assert answer("capsule --version sh")[1] == ["plain,show"]


@pytest.mark.parametrize("asked", ["nonsense", "bash", "tcsh_complete", "bash_run"])
def test_what_no_script_asks_for_does_nothing(asked, capsule, project):
    done = capsule("init", env={"_CAPSULE_COMPLETE": asked})
    assert (done.status, done.out, done.err) == (1, "", "")
    assert not (project / ".capsules").exists()


def test_the_script_is_printed_for_the_shells_there_are(capsule):
    script = capsule("completion", "bash").out
    assert capsule("completion", "bash", "--json").json == {"shell": "bash", "script": script}
    done = capsule("completion", "tcsh")
    assert (done.status, done.out) == (2, "")
    assert re.findall(r"bash|zsh|fish|hint", done.err)[-4:] == ["bash", "zsh", "fish", "hint"]
