"""Makes stores of many capsules, in seconds, by git's fast-import: what moving capsules is measured with.

    python -I stores.py DIRECTORY CAPSULES [ENVIRONMENT]

The store in DIRECTORY, made where there is none, then holds so many capsules, or those that it had. Ten in a row share
an environment, counted from 0, unless the new ones are to have the one of that number; the next has a few other
packages. Each has a context of its own, in which one value is another. Nothing is left to chance but the times of the
commits, which are a second apart and end now.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from capsulestore.model import canonical
from capsulestore.model.mapping import encode_mapping
from capsulestore.store import Store
from capsulestore.store.refs import LAST

PACKAGES: Final = 60
CHANGED: Final = 3
"""How many packages each environment has in another version than the one before."""
CAPSULES_OF_EACH: Final = 10

_INTERPRETER: Final = {"architecture": "x86_64", "implementation": "cpython", "os": "linux", "version": "3.12.1"}
_CONTEXT: Final = {
    "host": {
        "rules": 1,
        "cpu": {"architecture": "x86_64", "level": "x86_64_v3", "logical": 8},
        "kernel": {"name": "Linux", "release": "6.1.0-18-amd64"},
        "memory": {"gib": 32},
    },
    "python": {"rules": 1, "installers": {"pip": "24.0"}},
    "system": {
        "rules": 1,
        "libc": {"family": "glibc", "version": "2.36"},
        "os": {"id": "debian", "version_id": "12"},
        "runtime": {"openssl": "3.0.11", "sqlite": "3.40.1", "zlib": "1.2.13"},
    },
}

Files = Mapping[str, bytes]
"""The files of a capsule's tree by their paths."""


def fill(store: Store, capsules: int, environment: int | None = None) -> None:
    """Register capsules until a store that was made here has so many; many at once lie in one pack."""
    log = ["git", "-C", store.path, "rev-list", "--count", "--branches"]
    before = int(subprocess.run(log, capture_output=True, check=True).stdout)
    import_ = ["git", "-C", store.path, "fast-import", "--quiet", "--done"]
    with subprocess.Popen(import_, stdin=subprocess.PIPE) as git:
        assert git.stdin is not None
        git.stdin.writelines(_commits(range(before, capsules), int(time.time()) - capsules, environment))
        git.stdin.write(b"done\n")
    if git.returncode:
        raise subprocess.CalledProcessError(git.returncode, import_)
    last = ["git", "-C", store.path, "update-ref", LAST, "main^{tree}"]
    subprocess.run(last, check=True)


def _commits(capsules: range, start: int, environment: int | None) -> Iterator[bytes]:
    """Yield commits in fast-import's language (git-fast-import(1)), which names what is another than in the parent."""
    before: Files = {}
    for number in capsules:
        title = f"capsule {number}"
        yield (
            f"commit refs/heads/main\ncommitter Ada Lovelace <ada@example.org> {start + number} +0000\n"
            f"data {len(title)}\n{title}\n"
        ).encode()
        if number and not before:
            yield b"from refs/heads/main^0\n"
        which = number // CAPSULES_OF_EACH if environment is None else environment
        files = {**_environment_files(which), **_own_files(number, title, _environment_digest(which))}
        for path, data in files.items():
            if before.get(path) != data:
                yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data)
        before = files


def _own_files(number: int, title: str, environment_digest: str) -> Files:
    manifest = {
        "environment_digest": environment_digest,
        "layers": dict.fromkeys(("host", "python", "system", "variables"), "captured"),
        "schema": 1,
        "target": {"chosen_by": "VIRTUAL_ENV", "python": "/home/ada/thesis/.venv/bin/python"},
        "title": title,
    }
    context = _CONTEXT | {"variables": {"rules": 1, "process": {"OMP_NUM_THREADS": str(number)}}}
    return {"capsule.json": canonical.dumps(manifest), **_files("context", context)}


@lru_cache(1)
def _environment_files(number: int) -> Files:
    return _files("environment", _environment(number))


@lru_cache(1)
def _environment_digest(number: int) -> str:
    return str(encode_mapping(_environment(number)).id)


def _files(path: str, value: Any) -> dict[str, bytes]:
    """Return a mapping as files, as `capsulestore.model.mapping` has it: so deep that the ends are no mappings."""
    if path.count("/") < 3 and isinstance(value, dict):
        return {file: data for key, below in value.items() for file, data in _files(f"{path}/{key}", below).items()}
    return {f"{path}.json": canonical.dumps(value)}


def _environment(number: int) -> dict[str, Any]:
    """Return an environment: but for `CHANGED` packages, in turn, it is as the one before."""
    packages = {f"package-{package}": _package(package, number) for package in range(PACKAGES)}
    return {"python": {"rules": 1, "interpreter": _INTERPRETER, "packages": packages}}


def _package(package: int, environment: int) -> dict[str, Any]:
    """Return a package as the last environment that changed it has it."""
    release = environment - (environment - package // CHANGED) % (PACKAGES // CHANGED)
    content = hashlib.sha256(f"package {package}, release {release}".encode()).hexdigest()
    return {"content": f"sha256:{content}", "tags": ["py3-none-any"], "version": f"1.{max(0, release)}"}


def main() -> None:
    """Have a store hold so many capsules."""
    with Store.init(sys.argv[1]) as store:
        fill(store, *map(int, sys.argv[2:]))


if __name__ == "__main__":
    main()
