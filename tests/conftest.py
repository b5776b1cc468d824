"""What every test has: surroundings of its own, so that no setting of the machine's user changes an answer."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says nothing about whether it is right.
settings.register_profile("capsulestore", deadline=None)
settings.load_profile("capsulestore")

# What is ignored is inherited: a shell without job control ignores two of these in the background, `nohup` the third.
for number, handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

# Thousands of processes are started: without bytecode each would compile the sources again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

NOT_FROM_OUTSIDE = (
    "CAPSULE_IMAGE_DIGEST",
    "CAPSULE_STORE",
    "CAPSULE_TOKEN",
    "CONDA_DEFAULT_ENV",
    "CONDA_PREFIX",
    "EMAIL",
    "FORCE_COLOR",
    "GIT_AUTHOR_DATE",
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_NAME",
    "GIT_COMMITTER_DATE",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_WORK_TREE",
    "NO_COLOR",
    "PYTHONPATH",
    "VIRTUAL_ENV",
)
"""Variables that would reach into a test: an active venv sets VIRTUAL_ENV, a git hook that runs the tests GIT_DIR."""

USER = Path.home()
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or USER / ".cache")
CONFIG = Path(os.environ.get("XDG_CONFIG_HOME") or USER / ".config")
INSTALLERS = {"PIP_CACHE_DIR": CACHE / "pip", "UV_CACHE_DIR": CACHE / "uv"}
"""Where real pip and uv keep what they fetch: the user's own caches, or every test would fetch it again."""
SETTINGS = {"PIP_CONFIG_FILE": CONFIG / "pip" / "pip.conf", "UV_CONFIG_FILE": CONFIG / "uv" / "uv.toml"}
"""What says where they fetch it."""
INSTALLERS |= {name: path for name, path in SETTINGS.items() if path.is_file()}


@pytest.fixture(autouse=True)
def _surroundings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NOT_FROM_OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    forget_the_test()
    for name, path in INSTALLERS.items():
        if name not in os.environ:
            monkeypatch.setenv(name, str(path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    live_at(tmp_path_factory.mktemp("home"), monkeypatch)


def live_at(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))


def forget_the_test() -> None:
    """Remove the variable in which pytest names a test, and whether that is set up or called.

    What an interpreter says of itself is asked again where any variable is another.
    """
    os.environ.pop("PYTEST_CURRENT_TEST", None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call() -> None:
    forget_the_test()


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "home"


@pytest.fixture
def same_user(_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be the user of all other tests with this fixture, which change nothing at home.

    What was found out of the interpreter of these tests is then known for those that follow, as from day to day.
    """
    live_at(_home, monkeypatch)


@pytest.fixture(scope="session")
def _machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a capture keeps of this machine, in a cache directory that is only copied."""
    directory = tmp_path_factory.mktemp("machine")
    # Of sources that were edited just now nothing is kept.
    (directory / "capsulestore").mkdir(mode=0o700)
    environ = {"PATH": os.environ["PATH"], "HOME": str(directory), "XDG_CACHE_HOME": str(directory)}
    capture = [sys.executable, "-m", "capsulestore_cli", "capture", "--json", "--python", sys.executable]
    subprocess.run(capture, cwd=directory, env=environ, stdout=subprocess.DEVNULL, check=True)
    return directory / "capsulestore"


@pytest.fixture
def known_machine(_machine: Path) -> None:
    """Begin with a cache that knows the machine's packages and standard library, as of a user who captured before.

    To find that out takes a fourth of a command's time; the environments that a test makes are new to the cache.
    """
    shutil.copytree(_machine, Path(os.environ["XDG_CACHE_HOME"], _machine.name))
