"""Real environments, made fast: virtual environments, wheels written on the spot, pip and uv from no index."""

import hashlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import uv as uv_package

from capsulestore.capture.asking import ask
from capsulestore.capture.cache import Cache
from capsulestore.capture.environment import CONTEXT_LAYERS, LAYERS, Capture, capture
from capsulestore.capture.layer import Runtime
from capsulestore.capture.target import Target

DATA = Path(__file__).with_name("data")

OF_THE_ENVIRONMENT = frozenset(layer.name for layer in LAYERS) - CONTEXT_LAYERS
"""The layers that have a part in the digest: without those of the context a capture takes a third of the time."""

BUT_THE_SYSTEM = frozenset(layer.name for layer in LAYERS) - {"system"}
"""All layers but the one that reads the whole standard library and the machine's packages: a fifth of the time."""

CAPTURE_APART = """
import json, sys
sys.path[:0] = sys.argv[2:]
from capsulestore.capture.environment import capture_environment
from capsulestore.model.mapping import encode_mapping
captured = capture_environment(sys.argv[1])
print(json.dumps({
    "digest": str(encode_mapping(captured.environment).id),
    "environment": captured.environment,
    "findings": [finding.as_dict() for finding in captured.findings],
}))
"""


def tool_environ() -> dict[str, str]:
    """The variables for pip, uv and venv: the test's, less those that would lead into another environment."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "CONDA"))
    }


def run(*command: str | Path, **options: Any) -> str:
    """Run a command and return what it printed; a failure shows what it complained of."""
    options = {"env": tool_environ(), **options}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Environment:
    """An interpreter, where it installs to, and the variables that it is started with.

    It is a copy of the environment of another interpreter, `of`, or stands for itself.
    """

    python: Path
    site: Path
    environ: Mapping[str, str]
    of: Path | None = None

    def capture(self, layers: Collection[str] | None = BUT_THE_SYSTEM, **variables: str) -> Capture:
        """Capture it as it is started with these variables: `capture(None)` has the layer `system` too."""
        return capture(Target(str(self.python), "test"), layers=layers, environ={**self.environ, **variables})

    def digest(self, **variables: str) -> str:
        return str(self.capture(OF_THE_ENVIRONMENT, **variables).encoded().id)

    def packages(self, **variables: str) -> dict[str, Any]:
        return self.capture(OF_THE_ENVIRONMENT, **variables).environment["python"]["packages"]

    def unowned(self, **variables: str) -> dict[str, Any]:
        return self.capture(OF_THE_ENVIRONMENT, **variables).environment["python"].get("unowned", {})

    def install(self, *wheels: Path, options: Iterable[str] = ()) -> None:
        """Install wheels with uv, copied: what a test then writes to must not be a file of uv's cache.

        Into a copy it installs by the interpreter of the original, which uv knows: to ask another one takes four times
        as long as to install. So scripts start the original, unless there are options.
        """
        quietly = ("--quiet", "--offline", "--no-index", "--no-deps", "--link-mode=copy")
        where = ("--reinstall", "--python", self.python)
        if self.of and not options:
            where = ("--python", self.of, "--prefix", self.python.parents[1])
        run(uv_package.find_uv_bin(), "pip", "install", *quietly, *where, *options, *wheels)

    def alone(self) -> "Environment":
        """Return it as one that is no copy: what is installed there is installed again, and its scripts start it."""
        return replace(self, of=None)

    def info(self, name: str) -> Path:
        """Return the distribution's metadata directory."""
        (found,) = self.site.glob(f"{name}-*.dist-info")
        return found

    def copy(self, root: Path) -> "Environment":
        """Return the same environment at another place; its interpreter is started by the new path."""
        shutil.copytree(self.python.parents[1], root, symlinks=True)
        moved = root / self.site.relative_to(self.python.parents[1])
        return replace(self, python=root / "bin" / self.python.name, site=moved, of=self.of or self.python)

    def capture_apart(
        self, *prefix: str, python: str = sys.executable, import_path: Iterable[str] = (), **variables: str
    ) -> dict[str, Any]:
        """Capture in a process of its own, started by `prefix` (`setpriv`), with these variables also for ourselves."""
        command = [*prefix, python, "-c", CAPTURE_APART, str(self.python), *import_path]
        return json.loads(run(*command, env={**self.environ, **variables}))


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(tmp_path_factory.mktemp("home")), "LANG": "C.UTF-8"}


@pytest.fixture(scope="session")
def uv() -> Callable[..., str]:
    """Run uv."""
    return lambda *arguments, **options: run(uv_package.find_uv_bin(), *arguments, **options)


@pytest.fixture(scope="session")
def find_site() -> Callable[[Path], Path]:
    """Return the directory that an interpreter installs to."""
    return lambda python: Path(run(python, "-Ic", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())


@pytest.fixture(scope="session")
def bare(
    environ: dict[str, str], find_site: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """A virtual environment with nothing in it, for all tests to read."""
    path = tmp_path_factory.mktemp("bare") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", path)
    return Environment(path / "bin" / "python", find_site(path / "bin" / "python"), environ)


@pytest.fixture(scope="session")
def make_venv(bare: Environment, find_site: Callable[[Path], Path]) -> Callable[..., Environment]:
    """Make a virtual environment: `make_venv(path, *options of venv, python=...)`; without pip unless asked."""

    def make(path: Path, *options: str, python: str = sys.executable, pip: bool = False) -> Environment:
        if python == sys.executable and not options and not pip:
            return bare.copy(path)
        run(python, "-m", "venv", *([] if pip else ["--without-pip"]), *options, path)
        return Environment(path / "bin" / "python", find_site(path / "bin" / "python"), bare.environ)

    return make


@pytest.fixture(scope="session")
def make_interpreter(bare: Environment) -> Callable[[Path], Environment]:
    """Make an interpreter that is no virtual environment: by links to the running one, its site directory its own."""

    def make(root: Path) -> Environment:
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        library = Path(os.__file__).parent
        if library.name != version or library.parent.name != "lib":
            pytest.skip(f"the standard library lies in {library}, not in lib/{version} of a prefix")
        site = root / "lib" / version / "site-packages"
        site.mkdir(parents=True)
        for entry in library.iterdir():
            if entry.name not in {"site-packages", "__pycache__"}:
                (root / "lib" / version / entry.name).symlink_to(entry)
        for shared in library.parent.glob("libpython*"):
            (root / "lib" / shared.name).symlink_to(shared)
        (root / "bin").mkdir()
        shutil.copy2(Path(sys.base_prefix, "bin", version).resolve(), root / "bin" / version)
        (root / "bin" / "python").symlink_to(version)
        return Environment(root / "bin" / "python", site, bare.environ, bare.python)

    return make


@pytest.fixture(scope="session")
def make_wheel(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write a wheel: `make_wheel("alpha", "1.0", {"alpha.py": "x = 1"}, tags=..., build=..., entry_points=...)`."""

    def make(
        name: str,
        version: str = "1.0",
        files: Mapping[str, str | bytes] | None = None,
        *,
        tags: Iterable[str] = ("py3-none-any",),
        build: str = "",
        entry_points: str = "",
    ) -> Path:
        tags = list(tags)
        info = f"{name}-{version}.dist-info"
        wheel = ["Wheel-Version: 1.0", "Generator: test", "Root-Is-Purelib: true", *(f"Tag: {tag}" for tag in tags)]
        members = dict(files if files is not None else {f"{name}.py": f"version = {version!r}\n"})
        members[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        members[f"{info}/WHEEL"] = "\n".join([*wheel, *([f"Build: {build}"] if build else [])]) + "\n"
        if entry_points:
            members[f"{info}/entry_points.txt"] = entry_points
        record = ""
        pythons = ".".join(tag.partition("-")[0] for tag in tags)
        stem = "-".join(filter(None, (name, version, build, pythons, tags[0].partition("-")[2])))
        path = tmp_path_factory.mktemp("wheel") / f"{stem}.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for member, text in members.items():
                data = text.encode() if isinstance(text, str) else text
                digest = urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                record += f"{member},sha256={digest},{len(data)}\n"
                archive.writestr(member, data)
            archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
        return path

    return make


@pytest.fixture(scope="session")
def small_wheels(make_wheel: Callable[..., Path]) -> dict[str, Path]:
    """Wheels that have between them what a wheel can have: a package, data, headers, scripts, entry points."""
    alpha = {
        "alpha/__init__.py": "",
        "alpha/core.py": "answer = 42\n",
        "alpha-1.0.data/data/share/alpha/table.txt": "1 2 3\n",
        "alpha-1.0.data/headers/alpha.h": "#define ALPHA 1\n",
        "alpha-1.0.data/scripts/alpha-script": "#!python\nprint('alpha')\n",
        "alpha-1.0.data/scripts/alpha-binary": b"\x7fELF no script",
        "alpha-1.0.data/purelib/alpha/added.py": "added = True\n",
    }
    commands = "[console_scripts]\nbeta = beta:main\n\n[beta.plugins]\none = beta:plugin\n"
    return {
        "alpha": make_wheel("alpha", "1.0", alpha),
        "beta": make_wheel("beta", "2.0", {"beta.py": "def main(): ...\n"}, entry_points=commands),
        "gamma": make_wheel("gamma", "3.0+local.1", tags=("py2-none-any", "py3-none-any"), build="1"),
    }


@pytest.fixture(scope="session")
def small(
    make_venv: Callable[..., Environment], small_wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """A virtual environment with the small wheels, for all tests to read."""
    made = make_venv(tmp_path_factory.mktemp("small") / "venv").alone()
    made.install(*small_wheels.values())
    return made


@pytest.fixture(scope="session")
def small_digest(small: Environment) -> str:
    """The digest of the small environment, and so of each copy of it that nothing was done to yet."""
    return small.digest()


@pytest.fixture(scope="session")
def runtime(small: Environment) -> Runtime:
    """What a layer is captured of: the small environment, started with few variables, nothing kept."""
    return Runtime(ask(str(small.python), environ=small.environ), small.environ, Cache(None))


@pytest.fixture
def venv(small: Environment, tmp_path: Path) -> Environment:
    """The small environment in a copy that the test may change."""
    return small.copy(tmp_path / "venv")


@pytest.fixture(scope="session")
def pip_venv(
    make_venv: Callable[..., Environment], uv: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """A virtual environment with pip in it and nothing else, for all tests to read."""
    made = make_venv(tmp_path_factory.mktemp("pip") / "venv")
    bundled = sorted(Path(os.__file__).parent.glob("ensurepip/_bundled/pip-*.whl"))
    uv(
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--link-mode=copy",
        "--compile-bytecode",
        "--python",
        made.python,
        *bundled[:1] or ["pip"],
    )
    return made


@pytest.fixture(scope="session")
def pip(pip_venv: Environment) -> Callable[..., str]:
    """Run pip for an environment: `pip(environment, "install", ...)`; `by_its_own` the pip that is in it."""

    def run_pip(environment: Environment, *arguments: str | Path, by_its_own: bool = False, **options: Any) -> str:
        from_outside = (pip_venv.python, "-m", "pip", "--python", environment.python)
        start = (environment.python, "-m", "pip") if by_its_own else from_outside
        return run(*start, "--quiet", *arguments, **options)

    return run_pip


@pytest.fixture(scope="session")
def package_index(uv: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where no package index answers."""
    try:
        uv("pip", "install", "--quiet", "--no-deps", "--target", tmp_path_factory.mktemp("index"), "six==1.17.0")
    except AssertionError as error:
        pytest.skip(f"no package index answers: {error}")


@pytest.fixture(scope="session")
def make_project() -> Callable[..., Path]:
    """Make a source tree that pip and uv build and install, also editable, without anything from an index."""

    def make(root: Path, name: str, version: str = "1.0") -> Path:
        (root / "src").mkdir(parents=True)
        (root / "src" / f"{name}.py").write_text("x = 1\n")
        shutil.copy(DATA / "backend.py", root)
        backend = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        (root / "pyproject.toml").write_text(f'{backend}[project]\nname = "{name}"\nversion = "{version}"\n')
        return root

    return make


@pytest.fixture(scope="session")
def pythons() -> dict[str, Path]:
    """The interpreters of this machine by version (`3.12`), from PATH and pyenv; one of each, the oldest first."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pyenv")
    found = {"{}.{}".format(*sys.version_info): Path(sys.executable)}
    for version in ("2.7", *(f"3.{minor}" for minor in range(6, 20))):
        on_path = [Path(directory, f"python{version}") for directory in os.get_exec_path()]
        for candidate in [*on_path, *sorted(pyenv.glob(f"versions/{version}.*/bin/python"))]:
            if (
                version not in found
                and candidate.exists()
                and not subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode
            ):
                found[version] = candidate
    return dict(sorted(found.items(), key=lambda item: [int(part) for part in item[0].split(".")]))


@pytest.fixture(scope="session")
def other_python(pythons: dict[str, Path]) -> Path:
    """An interpreter of another version than the one that runs the tests, which can make environments."""
    running = "{}.{}.{}".format(*sys.version_info)
    for candidate in [*reversed(pythons.values()), Path("/usr/bin/python3")]:
        told = subprocess.run([candidate, "-VV"], capture_output=True, text=True, check=False).stdout
        if told.startswith("Python 3.") and told.split()[1] != running:
            return candidate
    pytest.skip("there is no other Python 3 on this machine")


@pytest.fixture(scope="session")
def as_nobody_special() -> tuple[str, ...]:
    """What to start a command by so that a file's permissions count for it also where root runs the tests."""
    if os.geteuid():
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("root reads everything, and there is no setpriv to take that power away")
    powers = "-dac_override,-dac_read_search"
    return (shutil.which("setpriv"), f"--bounding-set={powers}", f"--inh-caps={powers}", "--")


@pytest.fixture(scope="session")
def run_command() -> Callable[..., str]:
    """Run a command and return what it printed; a failure shows what it complained of."""
    return run
