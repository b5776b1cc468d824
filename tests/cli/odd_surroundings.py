"""Puts into a project what may be wrong around a command: `odd_surroundings.py DIRECTORY`.

DIRECTORY holds a `.venv`, and gets a store with a capsule, damaged copies of it, repositories that are no store,
interpreters that are none, files and directories that cannot be read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

from capsulestore.model.capsule import Capsule
from capsulestore.model.manifest import Manifest
from capsulestore.model.mapping import encode_mapping
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store

INTERPRETERS = {
    "segfaults": "kill -SEGV $$",
    "aborts": "echo 'Fatal Python error: initialisation' >&2; kill -ABRT $$",
    "exits": "exit 3",
    "garbage": "echo '{\"version\": \\033[31m' >/dev/fd/$4",
    "hangs": "exec sleep 1000",
    # The answer of a Python 3, but for the version.
    "python2": f"""'{sys.executable}' -B -c "$3" 1 | sed "s/'version': '3[^']*'/'version': '2.7.18'/" >/dev/fd/$4""",
}


def main(project: Path) -> None:
    os.chdir(project)
    for name, text in INTERPRETERS.items():
        Path(name).write_text(f"#!/bin/sh\n{text}\n")
        Path(name).chmod(0o755)
    Path("fit.csv").write_text("1,2,3")
    Path("cut.json").write_text('{"python": {"packages": ')
    os.mkfifo("pipe")
    with Store.init() as store:
        packages = {f"package-{number}": {"version": f"{number}"} for number in range(12)}
        for title in ("in a pack", "in files of their own"):
            environment = {"python": {"rules": 1, "packages": packages}}
            recorded = record(store, Surroundings(environment=environment), Description(title=title))
            git("-C", store.path, "update-ref", f"refs/tags/{title.replace(' ', '-')}", str(recorded.capsule))
    capsule = str(recorded.capsule)
    Store.init("empty").close()
    twins()
    for name, format_ in {"sha1": "sha1", "sha256": "sha256", "taken/.capsules": "sha256"}.items():
        git("init", "-q", "--bare", f"--object-format={format_}", name)
    git("config", "-f", f"{copy('newer store')}/config", "capsulestore.schema", "99")
    newer_capsule(copy("newer capsule"), capsule)
    (copy("garbage ref") / "refs/heads/main").write_text("garbage\n")
    (copy("garbage last") / "refs/capsules/last").write_bytes(b"\0\xff")
    (copy("garbage config") / "config").write_text("[core\nbare = [[[")
    overwrite(copy("damaged file") / "objects" / capsule[:2] / capsule[2:])
    (copy("missing") / "objects" / capsule[:2] / capsule[2:]).unlink()
    (pack,) = copy("damaged pack").glob("objects/pack/*.pack")
    overwrite(pack)
    for name in ("locked", "read-only"):
        for path in (copy(name), *Path(name).rglob("*"), Path(name)):
            path.chmod(path.stat().st_mode & 0o555)
    Path("locked").chmod(0)


def copy(name: str) -> Path:
    """Copy the store, and return where it lies."""
    shutil.copytree(".capsules", f"{name}/.capsules")
    return Path(name, ".capsules")


def overwrite(path: Path) -> None:
    """Damage all but the beginning and the end of a file."""
    data = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(data[:16] + b"damage" * ((len(data) - 48) // 6) + data[-32:])


def newer_capsule(store: Path, capsule: str) -> None:
    """Give the tag `newer` to a capsule of a schema that is still to come."""
    manifest = git("-C", store, "cat-file", "blob", f"{capsule}:capsule.json").replace('"schema":1', '"schema":99')
    blob = git("-C", store, "hash-object", "-w", "--stdin", text=manifest).strip()
    tree = git("-C", store, "ls-tree", capsule).splitlines()
    lines = [f"100644 blob {blob}\tcapsule.json" if line.endswith("\tcapsule.json") else line for line in tree]
    newer = git("-C", store, "mktree", text="".join(f"{line}\n" for line in lines)).strip()
    git("-C", store, "update-ref", "refs/tags/newer", newer)


def twins() -> None:
    """Make a store of the first two capsules whose digests begin alike: always the same ones."""
    environment = encode_mapping({"python": {"rules": 1}})
    seen = {}
    for number in count():
        manifest = {"schema": 1, "title": f"title {number}", "environment_digest": str(environment.id)}
        encoded = Capsule(manifest=Manifest.parse(manifest), environment=environment.id).encode(environment)
        twin = seen.setdefault(str(encoded.id)[:4], encoded)
        if twin is not encoded:
            break
    with Store.init("twins") as store:
        for one in (twin, encoded):
            store.add(one, "a twin")


def git(*arguments: str | Path, text: str | None = None) -> str:
    return subprocess.run(["git", *arguments], input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))
