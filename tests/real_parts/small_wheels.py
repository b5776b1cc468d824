"""Wheels: of a package with one module, and of this project as its users install it."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

from uv import find_uv_bin

__all__ = ["own_wheel", "small_wheel"]

_ROOT = Path(__file__).resolve().parents[2]
_BUILT_FROM = ("capsulestore", "cli", "docs/man", "pyproject.toml", "README.md")


def small_wheel(directory: Path, name: str, version: str) -> Path:
    """Write a wheel whose module says its version."""
    info = f"{name}-{version}.dist-info"
    members = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for member, text in members.items():
        digest = urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{member},sha256={digest},{len(text)}\n")
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in {**members, f"{info}/RECORD": "".join([*rows, f"{info}/RECORD,,\n"])}.items():
            archive.writestr(member, text)
    return path


def own_wheel(directory: Path) -> Path:
    """Build this project's wheel; that leaves files beside the sources, so those are copied."""
    sources, wheels = directory / "sources", directory / "wheels"
    for name in _BUILT_FROM:
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        if (_ROOT / name).is_dir():
            shutil.copytree(_ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(_ROOT / name, sources / name)
    build = [find_uv_bin(), "build", "-q", "--wheel", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*build, "-o", wheels, sources], check=True, capture_output=True)
    (wheel,) = wheels.glob("capsulestore-*.whl")
    return wheel
