"""Long answers at a terminal go through a pager: a real one, at a terminal that `script` makes."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store

pytestmark = pytest.mark.slow

CAPSULES = 60
"""More than a screen has lines."""

Show = Callable[..., tuple[int, list[str]]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a store of many capsules, whose environment nobody looks at: to be read, not to be added to."""
    directory = tmp_path_factory.mktemp("project")
    with Store.init(str(directory)) as store:
        for number in range(CAPSULES):
            surroundings = Surroundings(environment={"python": {"rules": 1}})
            record(store, surroundings, Description(title=f"fit {number}."))
        store.tags.set("paper", store.resolve_capsule("@"))
        assert len(store.index.capsules()) == CAPSULES
    return directory


@pytest.fixture
def show(project: Path, monkeypatch: pytest.MonkeyPatch) -> Show:
    """Run `capsule log` at a terminal where keys are typed; return its status and the lines that the terminal shows."""
    if not shutil.which("script"):
        pytest.skip("script is not installed")
    for name in ("CAPSULE_PAGER", "PAGER", "LESS"):
        monkeypatch.delenv(name, raising=False)

    def run(
        *arguments: str, keys: str = "", env: dict[str, str] | None = None, cwd: Path = project
    ) -> tuple[int, list[str]]:
        command = shlex.join([sys.executable, "-m", "capsulestore_cli", "log", *arguments])
        done = subprocess.run(
            ["script", "--quiet", "--return", "--echo", "never", "--command", command, "/dev/null"],
            cwd=cwd,
            env=os.environ | {"TERM": "xterm", "LINES": "24", "COLUMNS": "80"} | (env or {}),
            input=keys,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.splitlines()

    return run


@pytest.fixture
def less() -> None:
    if not shutil.which("less"):
        pytest.skip("less is not installed")


def titles(lines: list[str]) -> list[int]:
    """Return the numbers of the capsules in lines, in order."""
    return [int(line.partition(" fit ")[2].partition(".")[0]) for line in lines if " fit " in line]


NEWEST_FIRST = list(reversed(range(CAPSULES)))
OLDEST_FIRST = list(range(CAPSULES))


def test_less_shows_a_screen_and_ends_quietly_when_it_is_left(show, less):
    status, lines = show(keys="q")
    assert status == 0
    assert titles(lines) == NEWEST_FIRST[:23]
    assert "Traceback" not in "".join(lines)
    assert "note:" not in "".join(lines)


def test_less_ends_by_itself_where_all_fits_on_the_screen(show, less):
    status, lines = show("-n", "5")
    assert (status, titles(lines)) == (0, NEWEST_FIRST[:5])


@pytest.mark.parametrize(
    ("env", "order"),
    [
        ({"PAGER": "tac"}, OLDEST_FIRST),
        ({"CAPSULE_PAGER": "tac", "PAGER": "head -n 1"}, OLDEST_FIRST),
        ({"CAPSULE_PAGER": "", "PAGER": "tac"}, NEWEST_FIRST),
        ({"CAPSULE_PAGER": "cat", "PAGER": "tac"}, NEWEST_FIRST),
        ({"PAGER": " "}, NEWEST_FIRST),
        ({"PAGER": "no-such-pager"}, NEWEST_FIRST),
        ({"PAGER": "'"}, NEWEST_FIRST),
        ({"PAGER": "/"}, NEWEST_FIRST),
        ({"PAGER": "tac | head -n 3"}, OLDEST_FIRST[:3]),
        ({"PAGER": "LC_ALL=C tac"}, OLDEST_FIRST),
        ({"PAGER": "head -n 1"}, NEWEST_FIRST[:1]),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else f"{len(value)} lines",
)
def test_the_pager_is_the_one_that_is_chosen(env, order, show):
    status, lines = show(env=env)
    assert (status, titles(lines)) == (0, order)
    assert "note:" not in "".join(lines)


@pytest.mark.parametrize("pager", ["false", "exit 1;"])
def test_a_pager_that_fails_is_told_of(pager, show):
    assert show(env={"PAGER": pager}) == (0, ["note: the pager ended with status 1"])


@pytest.mark.parametrize(
    ("arguments", "env", "colored"),
    [
        ([], {}, True),
        ([], {"NO_COLOR": "1"}, False),
        (["--color", "never"], {}, False),
        (["--color=never"], {"FORCE_COLOR": "1"}, False),
        (["--color=always"], {"NO_COLOR": "1"}, True),
    ],
)
@pytest.mark.parametrize("pager", ["tac", "cat"])
def test_colours_go_through_it_as_asked(pager, arguments, env, colored, show):
    _, lines = show(*arguments, env={"PAGER": pager, **env})
    assert len(titles(lines)) == CAPSULES
    assert ("\x1b[" in "".join(lines)) is colored


def test_without_a_terminal_there_is_none(capsule):
    assert titles(capsule("log", env={"PAGER": "tac"}).out.splitlines()) == NEWEST_FIRST


def test_one_that_is_left_before_all_is_written_ends_it_quietly(show, project, tmp_path):
    longer = shutil.copytree(project, tmp_path / "longer")
    with Store(str(longer)) as store:
        # More than a pipe holds.
        record(store, Surroundings(environment={"python": {"rules": 1}}), Description(title="x" * 200_000))
    status, lines = show(env={"PAGER": "head -c 5"}, cwd=longer)
    assert (status, len(lines)) == (0, 1)
    assert "Traceback" not in lines[0]
