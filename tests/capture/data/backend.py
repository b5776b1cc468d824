"""A build backend inside the source tree that it builds (PEP 517, PEP 660): building needs no package index."""

import base64
import hashlib
import os
import tomllib
import zipfile
from pathlib import Path


def build_wheel(directory, config_settings=None, metadata_directory=None):
    return _build(directory, {path.name: path.read_text() for path in Path("src").glob("*.py")})


def build_editable(directory, config_settings=None, metadata_directory=None):
    return _build(directory, {f"__editable__.{_project()['name']}.pth": os.path.abspath("src") + "\n"})


def _project():
    return tomllib.loads(Path("pyproject.toml").read_text())["project"]


def _build(directory, files):
    name, version = _project()["name"], _project()["version"]
    info = f"{name}-{version}.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = ""
    file = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, file), "w") as archive:
        for path, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(text.encode())}\n"
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return file
