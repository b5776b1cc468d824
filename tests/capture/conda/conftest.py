"""Real prefixes: made by rattler from channels that are built on the spot, captured as the layer does."""

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conda_prefixes import PLACEHOLDER, Link, build_package, install, pack_python, python_distribution

from capsulestore.capture.cache import Cache
from capsulestore.capture.conda import CondaLayer
from capsulestore.capture.layer import LayerCapture, Runtime

NATIVE = {
    "bin/native": f"#!{PLACEHOLDER}/bin/sh\n",
    "lib/libnative.so.1": b"\x7fELF " + PLACEHOLDER.encode() + b"/share\0\0the rest",
    "lib/libnative.so": Link("libnative.so.1"),
    "share/native/table.txt": "1 2 3\n",
    "share/native/__pycache__/table.cpython-311.pyc": b"byte code",
}
"""What a package of compiled things has: its prefix in text and in binaries, soft links, byte code."""


@pytest.fixture(scope="session")
def build_channel() -> Callable[..., Path]:
    """Fill a channel with packages that need no Python: `build_channel(path, archive="conda")`."""

    def build(channel: Path, archive: str = "conda") -> Path:
        build_package(channel, "alpha", "1.0", build="h1_0", archive=archive)
        build_package(channel, "native", "2.0", NATIVE, build="h2_1", depends=["alpha"], archive=archive)
        build_package(channel, "data", "3.0", noarch="generic", archive=archive)
        return channel

    return build


@pytest.fixture(scope="session")
def channel(build_channel: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A channel of packages that need no Python."""
    return build_channel(tmp_path_factory.mktemp("channel") / "main")


@pytest.fixture
def prefix(channel: Path, tmp_path: Path) -> Path:
    """A prefix with all of the channel, which the test may change; there is no Python in it."""
    return install(tmp_path / "prefix", channel, "native", "data")


@pytest.fixture(scope="session")
def capture_prefix(runtime: Runtime) -> Callable[..., LayerCapture]:
    """Capture the layer as if the target ran from a prefix: `capture_prefix(path, **variables)`."""

    def capture(prefix: Path, *, cache: Cache = runtime.cache, **variables: str) -> LayerCapture:
        interpreter = runtime.interpreter._replace(base_prefix=str(prefix))
        return CondaLayer().capture(Runtime(interpreter, {**runtime.environ, **variables}, cache), 1)

    return capture


@pytest.fixture(scope="session")
def rewrite() -> Callable[..., Path]:
    """Change members of a record, as a client might have written it: `rewrite(prefix, "alpha", version="2")`."""

    def rewrite(prefix: Path, name: str, /, **members: Any) -> Path:
        (path,) = Path(prefix, "conda-meta").glob(f"{name}-*.json")
        path.write_text(json.dumps({**json.loads(path.read_text()), **members}))
        return path

    return rewrite


@pytest.fixture(scope="session")
def python_channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A channel with the running CPython, and with distributions for it: for every Python, and for this one."""
    channel = tmp_path_factory.mktemp("channel") / "python"
    pack_python(channel)
    everywhere = python_distribution("every-where", files={"everywhere.py": "def main(): print('everywhere')\n"})
    build_package(
        channel,
        "every-where",
        files=everywhere,
        depends=["python"],
        noarch="python",
        entry_points=["every-where = everywhere:main"],
    )
    build_package(channel, "py-single", files=python_distribution("single"), depends=["python"], noarch="python")
    return channel


@pytest.fixture(scope="session")
def installed_python(python_channel: Path, small: Any, find_site: Callable[[Path], Path], tmp_path_factory) -> Any:
    """A prefix with a real interpreter and the distributions, for all tests to read."""
    prefix = install(tmp_path_factory.mktemp("conda") / "prefix", python_channel, "python", "every-where", "py-single")
    python = prefix / "bin" / "python"
    return dataclasses.replace(small, python=python, site=find_site(python))


@pytest.fixture
def conda_python(installed_python: Any, tmp_path: Path) -> Any:
    """The prefix with a real interpreter, in a copy that the test may change."""
    return installed_python.copy(tmp_path / "conda")


CAPTURE_APART = """
import json, sys
from capsulestore.capture.cache import Cache
from capsulestore.capture.conda import CondaLayer
from capsulestore.capture.interpreter import Interpreter
from capsulestore.capture.layer import Runtime
interpreter = Interpreter(**json.loads(sys.argv[1]))
print(json.dumps(CondaLayer().capture(Runtime(interpreter, {}, Cache(None)), 1).as_json()))
"""


@pytest.fixture(scope="session")
def capture_apart(runtime: Runtime, run_command: Callable[..., str]) -> Callable[..., Any]:
    """Capture a prefix in a process that is started by some command: the capture as JSON."""

    def capture(prefix: Path, *command: str) -> Any:
        interpreter = runtime.interpreter._replace(base_prefix=str(prefix))
        told = json.dumps(interpreter._asdict())
        return json.loads(run_command(*command, sys.executable, "-c", CAPTURE_APART, told))

    return capture
