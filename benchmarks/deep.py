"""The command lines of deep verification, and of what hashes the same files and compares them with nothing."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path

from .commands import project, variables
from .environments import Environments
from .records import installed_files
from .whole_process import Command

__all__ = ["commands"]


def commands(made: Environments, scratch: Path) -> list[Command]:
    """Return the commands, in the order in which a round runs them and the page shows them."""
    return [
        *_verifying(made, made.target, scratch, "deep"),
        _hashing(made, scratch),
        *_verifying(made, made.larger, scratch, "deep-larger"),
    ]


def _verifying(made: Environments, environment: Path, scratch: Path, name: str) -> list[Command]:
    """Return the commands that verify an environment: knowing nothing, what capture keeps, and the files too."""
    again, captured, used = (scratch / f"{name}-{index}" for index in ("again", "captured", "used"))
    environ = variables(made, scratch) | {
        "VIRTUAL_ENV": str(environment),
        "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(again),
    }
    verified = project(scratch / name, made, environ)
    shutil.copytree(again, captured)

    def empty() -> None:
        shutil.rmtree(used, ignore_errors=True)

    def after_capture() -> None:
        empty()
        shutil.copytree(captured, used)

    files = len(_files(environment))
    verify = partial(
        Command,
        arguments=[str(made.capsule / "bin/capsule"), "verify", "--deep"],
        directory=verified,
        prints=f" {files} files compared, all as they were installed",
    )
    label = f"`capsule verify --deep`, {files:,} files"
    emptied = environ | {"XDG_CACHE_HOME": str(used)}
    return [
        verify(name=f"{name}-first", label=f"{label}, its index empty", environ=emptied, prepare=empty),
        verify(name=f"{name}-captured", label=f"{label}, after a capture", environ=emptied, prepare=after_capture),
        verify(name=f"{name}-again", label=f"{label}, again", environ=environ),
    ]


def _hashing(made: Environments, scratch: Path) -> Command:
    files = _files(made.target)
    processes = f"-P{len(os.sched_getaffinity(0))}"
    listed = scratch / "installed-files"
    listed.write_bytes(b"\0".join(map(os.fsencode, files)))
    xargs = shutil.which("xargs")
    return Command(
        name="deep-xargs",
        label=f"`xargs -0 {processes} sha256sum`, the same {len(files):,} files",
        arguments=[xargs or "xargs", "-0", "-a", str(listed), processes, "sha256sum"],
        environ=variables(made, scratch),
        directory=scratch,
        prints=str(files[-1]),
        missing="" if xargs else "there is no `xargs`",
    )


def _files(environment: Path) -> list[Path]:
    return [file.path for files in installed_files(environment).values() for file in files]
