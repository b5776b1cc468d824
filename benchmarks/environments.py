"""What is measured and what it is compared with, each in a virtual environment of its own below one directory.

An environment is made once, and again when what it is made from has changed. pip installs and compiles, as it does for
most users; nothing of this process's Python variables reaches it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .larger import enlarge

__all__ = ["CannotInstall", "Environments", "environments", "own_variables"]

HERE: Final = Path(__file__).parent
REQUIREMENTS: Final = HERE / "requirements.txt"
REAL_PARTS: Final = HERE.parent / "tests/real_parts"
PIP, UV, DATALAD, GIT_ANNEX = "pip==26.3", "uv==0.13.9", "datalad==1.7.1", "git-annex==10.20261026"
RATTLER, RATTLER_BUILD = "py-rattler==0.28.0", "py-rattler-build==0.73.0"
MANY_FILES: Final = 70_000
SOURCES: Final = ("capsulestore", "cli", "docs/man", "pyproject.toml", "README.md")
"""What the wheel is built from, copied first: building leaves files beside the sources."""


class CannotInstall(Exception):
    """pip could not install what is needed; what it said went to stderr."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """Virtual environments by what is in them, and `conda`, a prefix of conda's with what is in `target`.

    `recorder` is `target` with `capsule` in it: what an analysis has that records itself. `larger` is `target` with
    `MANY_FILES` files. `without_datalad` and `without_conda` say why there is no datalad or no prefix, where there is
    none.
    """

    target: Path
    capsule: Path
    recorder: Path
    larger: Path
    uv: Path
    datalad: Path
    without_datalad: str
    rattler: Path
    conda: Path
    without_conda: str

    @property
    def distributions(self) -> int:
        """How many distributions the target has beside pip."""
        return len([line for line in REQUIREMENTS.read_text("utf-8").splitlines() if "==" in line])

    def versions(self) -> str:
        """Return the versions of what is compared, as each says it itself."""
        lines = [_said(self.target / "bin/pip", "--version"), _said(self.uv / "bin/uv", "--version")]
        if not self.without_datalad:
            lines.append(_said(self.datalad / "bin/datalad", "--version"))
        lines.append(_said(Path(shutil.which("git") or "git"), "--version").replace(" version", ""))
        return ", ".join(" ".join(line.split()[:2]) for line in lines)


def environments(directory: Path, sources: Path) -> Environments:
    """Make the environments that are not there yet, `capsule` from a wheel of the sources.

    Raise `CannotInstall` where pip cannot install one of them; datalad and the prefix of conda's alone may be missing.
    """
    pinned = REQUIREMENTS.read_bytes() + PIP.encode()
    target = _installed(directory / "target", pinned, lambda: (PIP, "--no-deps", "-r", str(REQUIREMENTS)))
    capsule = _installed(directory / "capsule", _content(sources), lambda: (f"{_wheel(sources, directory)}[server]",))
    (wheel,) = (directory / "wheels").glob("*.whl")
    both = pinned + wheel.read_bytes()
    recorder = _installed(directory / "recorder", both, lambda: (str(wheel),), begin=lambda path: _linked(target, path))
    more = pinned + (HERE / "larger.py").read_bytes() + str(MANY_FILES).encode()
    larger = _made(directory / "larger", more, lambda path: _enlarged(target, path))
    uv = _installed(directory / "uv", UV.encode(), lambda: (UV,))
    datalad, rattler, conda = (directory / name for name in ("datalad", "rattler", "conda"))
    without_datalad = without_conda = ""
    try:
        _installed(datalad, f"{DATALAD} {GIT_ANNEX}".encode(), lambda: (DATALAD, GIT_ANNEX))
    except CannotInstall:
        without_datalad = "pip could not install datalad and git-annex"
    try:
        tools = f"{RATTLER} {RATTLER_BUILD}".encode()
        _installed(rattler, tools, lambda: (RATTLER, RATTLER_BUILD))
        makers = (HERE / "conda_prefix.py", REAL_PARTS / "conda_prefixes.py")
        conda_from = b"".join([pinned, tools, *(maker.read_bytes() for maker in makers)])
        _made(conda, conda_from, lambda path: _as_conda_packages(target, rattler, path))
    except CannotInstall:
        without_conda = "py-rattler could not be installed, or could not make the prefix"
    return Environments(
        target=target,
        capsule=capsule,
        recorder=recorder,
        larger=larger,
        uv=uv,
        datalad=datalad,
        without_datalad=without_datalad,
        rattler=rattler,
        conda=conda,
        without_conda=without_conda,
    )


def own_variables() -> dict[str, str]:
    """Return this process's variables, less those that would have another Python work otherwise."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV", "CONDA", "CAPSULE", "GIT_", "UV_", "MAKE"))
    }


def _venv(path: Path) -> None:
    _run([sys.executable, "-m", "venv", str(path)])


def _linked(environment: Path, path: Path) -> None:
    """Make an environment of the same files as another; pip replaces files and never writes into them."""
    shutil.copytree(environment, path, symlinks=True, copy_function=os.link)
    (path / ".made").unlink()


def _enlarged(environment: Path, path: Path) -> None:
    _linked(environment, path)
    enlarge(path, MANY_FILES)


def _as_conda_packages(environment: Path, rattler: Path, path: Path) -> None:
    command = [str(rattler / "bin/python"), str(HERE / "conda_prefix.py"), str(environment), str(path)]
    _run(command, own_variables() | {"PYTHONPATH": str(REAL_PARTS)})


def _installed(
    path: Path, made_from: bytes, what: Callable[[], Iterable[str]], begin: Callable[[Path], None] = _venv
) -> Path:
    """Make an environment with what pip is to install, unless the one that is there was made from the same."""

    def make(path: Path) -> None:
        begin(path)
        _run([str(path / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *what()])

    return _made(path, made_from, make)


def _made(path: Path, made_from: bytes, make: Callable[[Path], None]) -> Path:
    """Make what belongs there, unless what is there was made from the same."""
    marker = path / ".made"
    stamp = hashlib.sha256(b"\0".join([made_from, sys.version.encode()])).hexdigest()
    if marker.is_file() and marker.read_text("ascii") == stamp:
        return path
    print(f"Installing what is measured: {path.name}", flush=True)
    shutil.rmtree(path, ignore_errors=True)
    make(path)
    marker.write_text(stamp, "ascii")
    return path


def _wheel(sources: Path, directory: Path) -> Path:
    copy, wheels = directory / "sources", directory / "wheels"
    for old in (copy, wheels):
        shutil.rmtree(old, ignore_errors=True)
    for name in SOURCES:
        source, there = sources / name, copy / name
        there.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, there, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, there)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    _run([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(copy)])
    (wheel,) = wheels.glob("capsulestore-*.whl")
    return wheel


def _content(sources: Path) -> bytes:
    files = (
        file for name in SOURCES for file in sorted([sources / name, *(sources / name).rglob("*")]) if file.is_file()
    )
    return b"\0".join(file.read_bytes() for file in files if file.suffix != ".pyc")


def _run(command: list[str], environ: Mapping[str, str] | None = None) -> None:
    if subprocess.run(command, env=environ or own_variables(), stdout=sys.stderr, check=False).returncode:
        raise CannotInstall


def _said(*command: str | Path) -> str:
    environ = own_variables() | {"PATH": f"{Path(command[0]).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout.strip()
