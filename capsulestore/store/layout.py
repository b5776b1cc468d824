"""The directory of a store: made, recognised, found.

A store is a bare git repository in the SHA-256 object format (git's documentation, `gitrepository-layout`), made here
without git. Its config carries one key of ours, `capsulestore.schema`.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
from typing import TYPE_CHECKING, Final

from capsulestore.errors import NoStore, StoreUnreadable, StoreUnwritable
from capsulestore.store.durable import replace_file, sync_directory, unwritable

if TYPE_CHECKING:
    from dulwich.config import ConfigFile

__all__ = ["DIRECTORY", "SCHEMA", "check", "check_writable", "find", "make", "named"]

DIRECTORY: Final = ".capsules"
SCHEMA: Final = 1
"""The schema of stores that this release makes, and the newest that it reads."""

_SCHEMA_KEY: Final = "capsulestore.schema"
_CONFIG: Final = f"""\
[core]
\trepositoryformatversion = 1
\tfilemode = true
\tbare = true
[extensions]
\tobjectformat = sha256
[gc]
\tauto = 0
[receive]
\tautogc = false
\tfsckObjects = true
\tdenyDeletes = true
[capsulestore]
\tschema = {SCHEMA}
"""
_REMOTES: Final = rb'(?:\[remote "[^"\\\n]+"\]\n(?:\t(?:url|pushurl|fetch) = [^"\\#;\n]*\n)*)*'
"""Sections of remotes, as git and `capsulestore.sync.remotes` append them, with no sign that would need a parser."""
_PLAIN_BYTES: Final = 2**16
_FILES: Final = {
    "HEAD": "ref: refs/heads/main\n",
    "config": _CONFIG,
    # Lets git find the repository from inside where `safe.bareRepository` is `explicit`, and keeps `git clean -fdx`
    # in a surrounding work tree away from it.
    ".git": "gitdir: .\n",
}
_DIRECTORIES: Final = (
    "objects/info",
    "objects/pack",
    "refs/capsules",
    "refs/heads",
    "refs/tags",
    "capsulestore",
)


def make(path: str) -> None:
    """Make a store at `path`, durable when this returns; a store that is there already is left as it is.

    It appears whole or not at all. Raise `StoreUnreadable` where something else is there, `StoreUnwritable`.
    """
    if os.path.lexists(path) and not _is_empty_directory(path):
        check(path)
        return
    parent = os.path.dirname(os.path.abspath(path))
    with unwritable(path, doing="make", hint=None):
        os.makedirs(parent, exist_ok=True)
        draft = os.path.join(parent, f"{os.path.basename(path)}.{os.urandom(8).hex()}.new")
        try:
            os.mkdir(draft)
            for name in _DIRECTORIES:
                os.makedirs(os.path.join(draft, name))
            for name, text in _FILES.items():
                replace_file(os.path.join(draft, name), text.encode())
            for directory, _, _ in os.walk(draft, topdown=False):
                sync_directory(directory)
            _move(draft, path)
            sync_directory(parent)
        except BaseException:
            from shutil import rmtree  # noqa: PLC0415

            rmtree(draft, ignore_errors=True)
            raise
    check(path)


def check(path: str) -> None:
    """Raise `NoStore` or `StoreUnreadable` where `path` is not a store that this release reads and writes."""
    try:
        os.stat(os.path.join(path, "objects"))
        if _is_as_made(os.path.join(path, "config")):
            return
        config = _parsed(os.path.join(path, "config"))
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.lexists(path):
            raise NoStore(f"no store at `{path}`", hint="make one with `capsule init`") from None
        raise StoreUnreadable(f"`{path}` is not a store", hint="name another with `--store DIR`") from None
    except OSError as error:
        raise StoreUnreadable(f"cannot read the store `{path}`: {error.strerror}") from None
    except ValueError as error:
        raise StoreUnreadable(f"the store's file `{path}/config` is damaged: {error}") from None
    schema = _value(config, "capsulestore", "schema")
    storage = _value(config, "extensions", "refstorage")
    sha256 = _value(config, "extensions", "objectformat").lower() == "sha256"
    if not sha256 or not schema:
        hint = "name another with `--store DIR`, or make one elsewhere with `capsule init DIR`"
        if sha256:
            command = f"git -C {shlex.quote(path)} config {_SCHEMA_KEY} {SCHEMA}"
            hint = f"a copy of a store that git made becomes one with `{command}`"
        raise StoreUnreadable(f"`{path}` is a git repository, but not a store of capsules", hint=hint)
    if storage not in {"", "files"}:
        raise StoreUnreadable(f"the store `{path}` keeps its refs as `{storage}`, which this release cannot read")
    if not schema.isascii() or not schema.isdigit() or int(schema) > SCHEMA:
        raise StoreUnreadable(
            f"the store `{path}` has schema {schema}; this release reads up to {SCHEMA}",
            hint="upgrade with `pip install -U capsulestore`",
        )


def check_writable(path: str) -> None:
    """Raise `StoreUnwritable` where adding to the store would be refused: by permission, or a read-only file system."""
    for name in (".", "objects", *_DIRECTORIES):
        directory = os.path.join(path, name)
        if os.path.isdir(directory) and not os.access(directory, os.W_OK | os.X_OK):
            raise StoreUnwritable(f"cannot write to the store `{path}`", hint=f"`{directory}` may not be written")


def _is_as_made(config: str) -> bool:
    """Whether a store's config is the one that `make` wrote, and remotes; that needs no parser to be understood."""
    made = _CONFIG.encode()
    with open(config, "rb") as file:
        found = file.read(_PLAIN_BYTES + 1)
    if not found.startswith(made) or len(found) > _PLAIN_BYTES:
        return False
    return found == made or re.fullmatch(_REMOTES, found[len(made) :]) is not None


def _parsed(config: str) -> ConfigFile:
    from dulwich.config import ConfigFile  # noqa: PLC0415

    return ConfigFile.from_path(config)


def named(path: str) -> str:
    """Return the store that a path names: itself or, for a directory that only holds one, its `.capsules`."""
    inside = os.path.join(path, DIRECTORY)
    return inside if os.path.isdir(inside) and not os.path.exists(os.path.join(path, "config")) else path


def find(start: str) -> str:
    """Return the nearest `.capsules` at or above a directory; raise `NoStore` where there is none."""
    directory = os.path.abspath(start)
    while True:
        candidate = os.path.join(directory, DIRECTORY)
        if os.path.isdir(candidate):
            return candidate
        parent = os.path.dirname(directory)
        if parent == directory:
            raise NoStore(f"no `{DIRECTORY}` in `{start}` or above it", hint="make one with `capsule init`")
        directory = parent


def _value(config: ConfigFile, section: str, key: str) -> str:
    try:
        value = config.get((section.encode(),), key.encode())
    except KeyError:
        return ""
    return value.decode("utf-8", "replace")


def _move(draft: str, path: str) -> None:
    try:
        os.rename(draft, path)
    except OSError as error:
        # Another process made it first: theirs is as good.
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        from shutil import rmtree  # noqa: PLC0415

        rmtree(draft)


def _is_empty_directory(path: str) -> bool:
    try:
        return not os.listdir(path)
    except OSError:
        return False
