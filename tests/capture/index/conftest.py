"""Captures with a warm index beside captures without one, and a record of what each of them opens and starts."""

import sys
import time
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from capsulestore.capture.cache import Cache
from capsulestore.capture.environment import Capture, capture
from capsulestore.capture.target import Target

GRANULARITY_NS = 25_000_000
"""Longer than a tick of any kernel's clock: two changes further apart have two times where the tests run."""

PATIENCE_SECONDS = 5.0
STARTS = frozenset({"os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen"})
OF_THE_MACHINE = (
    *("/proc/", "/sys/", "/etc/os-release", "/usr/lib/os-release"),
    *("/run/host/container-manager", "/run/systemd/container"),
)
"""What tells of the machine, is small, and is read each time."""


class Recording:
    """What this process opens and starts: every way that Python has to do so raises an event (PEP 578)."""

    def __init__(self) -> None:
        self._events: list[str] | None = None
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        # What is opened by its number was opened by its name before.
        if self._events is not None and (event in STARTS or (event == "open" and not isinstance(arguments[0], int))):
            self._events.append(f"{event} {arguments[0]}")

    @contextmanager
    def recorded(self) -> Iterator[list[str]]:
        self._events = events = []
        try:
            yield events
        finally:
            self._events = None


class Surroundings:
    """What start-up meets, written by a test."""

    @staticmethod
    def distribution(directory: Path, name: str = "added") -> None:
        """Put a distribution into a directory."""
        info = directory / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "RECORD").write_text(f"{name}.py,sha256=x,1\n")

    def module(self, file: Path, directory: Path) -> None:
        """Write start-up code that adds a directory, with a distribution in it, to the path."""
        self.distribution(directory)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"import sys\nsys.path.append({str(directory)!r})\n")

    @staticmethod
    def edit(path: Path, old: str, new: str) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    @staticmethod
    def archive(path: Path, *names: str) -> None:
        """Write an archive with modules that add the directory `far` beside it to the path."""
        path.unlink(missing_ok=True)
        with zipfile.ZipFile(path, "w") as written:
            for name in names:
                written.writestr(name, f"import sys\nsys.path.append({str(path.parent / 'far')!r})\n")


class Indexed:
    """An environment with an index of its own, beside which it is also captured without one."""

    def __init__(self, environment: Any, directory: Path, recording: Recording, layers: Collection[str] | None) -> None:
        self.environment = environment
        self.directory = directory
        self.layers = layers
        self.variables: dict[str, str] = {}
        self._recording = recording

    def capture(self, *, cached: bool = True) -> Capture:
        cache = Cache(str(self.directory) if cached else None, granularity_ns=GRANULARITY_NS)
        environ = {**self.environment.environ, **self.variables}
        target = Target(str(self.environment.python), "test")
        return capture(target, layers=self.layers, environ=environ, cache=cache)

    def read(self) -> list[str]:
        """Return what a capture opened and started, but for the index itself and what tells of the machine."""
        with self._recording.recorded() as events:
            self.capture()
        apart = tuple(f"open {path}" for path in (*OF_THE_MACHINE, f"{self.directory}/"))
        return [event for event in events if not event.startswith(apart)]

    def warm(self) -> Capture:
        """Capture until nothing is read any more: until all that was changed is older than the clock's granularity."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while work := self.read():
            assert time.monotonic() < deadline, f"never kept: {work}"
        return self.agree()

    def change(self, *, python: Path | None = None, **variables: str) -> None:
        """Start another interpreter from now on, or with more variables."""
        self.environment = replace(self.environment, python=python or self.environment.python)
        self.variables |= variables

    def agree(self) -> Capture:
        """Return what is captured without an index, with which each capture with one must agree."""
        first, fresh, second = self.capture(), self.capture(cached=False), self.capture()
        assert first == fresh
        assert second == fresh
        return fresh


@pytest.fixture(scope="session")
def put() -> Surroundings:
    return Surroundings()


@pytest.fixture(scope="session")
def recording() -> Recording:
    return Recording()


@pytest.fixture(scope="session")
def index_directory(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("index") / "capsulestore"


@pytest.fixture(scope="session")
def indexed(recording, index_directory) -> Callable[..., Indexed]:
    """Put an environment into the index: one for all tests, as a user has, unless it is to be damaged."""

    def make(
        environment: Any, *, directory: Path = index_directory, layers: Collection[str] | None = ("python",)
    ) -> Indexed:
        return Indexed(environment, directory, recording, layers)

    return make


@pytest.fixture(scope="session")
def furnished(make_venv, make_wheel, small_wheels, tmp_path_factory) -> Any:
    """An environment with something of every kind that capture reads, for tests to copy."""
    made = make_venv(tmp_path_factory.mktemp("furnished") / "venv")
    tool = {"delta/__init__.py": "", "delta-1.0.data/scripts/delta-tool": "#!python\nprint('delta')\n"}
    shared = [make_wheel(name, files={"common/table.py": f"x = {name!r}\n", **tool}) for name in ("delta", "epsilon")]
    for wheel in (*small_wheels.values(), *shared):
        made.install(wheel)
    record = made.info("beta") / "RECORD"
    record.write_text(record.read_text() + "beta_data.txt,,\n")
    files = {
        "beta_data.txt": "unhashed\n",
        "loose.py": "x = 1\n",
        "tree/__init__.py": "",
        "tree/deep/deeper/module.py": "x = 1\n",
        "_virtualenv.py": "x = 1\n",
        "start.pth": "import _virtualenv\n/no/such/directory\n",
        "old-1.0.egg-info/PKG-INFO": "Metadata-Version: 1.0\nName: old\nVersion: 1.0\n",
        "old-1.0.egg-info/installed-files.txt": "../old.py\n",
        "old.py": "x = 1\n",
    }
    for name, text in files.items():
        (made.site / name).parent.mkdir(parents=True, exist_ok=True)
        (made.site / name).write_text(text)
    (made.site / "dangling.py").symlink_to("../target.py")
    return made


@pytest.fixture
def copied(furnished, indexed, tmp_path) -> Indexed:
    """The furnished environment in a copy that the test may change."""
    return indexed(furnished.copy(tmp_path / "venv"))
