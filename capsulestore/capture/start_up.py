"""Which files an interpreter's answer rests on: what its start-up read, and where it looked for more."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from capsulestore.capture.files import read_up_to
from capsulestore.capture.interpreter import Interpreter
from capsulestore.capture.watch import noticed, noticed_metadata_names, noticed_more_than_files, noticed_names

__all__ = ["notice_answer", "notice_start"]

_LOADER: Final = ("/etc/ld.so.cache", "/etc/ld.so.preload")
_LOOKS_AT_NO_FILE: Final = re.compile(
    rb"import (?:_virtualenv"
    rb"|__editable___\w+_finder\b[^;]*; *__editable___\w+_finder\.install\(\)"
    rb"|os; var = 'SETUPTOOLS_USE_DISTUTILS'.*"
    rb"|sys, types, os; *has_mfs = .*"
    rb"|_distutils_hack.*"
    rb"|coverage; *coverage\.process_startup\(\)"
    rb"|sys; exec\('import os\\n\\nif os\.getenv\(\"COVERAGE_PROCESS_START\"\).*)\s*$"
)
"""The lines of virtualenv; of setuptools' editables, namespaces and distutils; of coverage, started by variables."""
_DEBIANS: Final = (
    b"try: import apport_python_hook except ImportError: pass else: apport_python_hook.install()",
    b"",
)
"""What Debian and Ubuntu have in their `sitecustomize.py`, less comments and with single spaces."""
_SITE_CODE: Final = ("sitecustomize", "usercustomize")
_MAX_PTH_BYTES: Final = 2**20


def notice_start(python: str, environ: Mapping[str, str]) -> None:
    """Notice what is known to matter before `python` is started with these variables."""
    noticed(python)
    _notice_configuration(python)
    for path in _LOADER:
        noticed(path)
    # Where a library is looked for in vain today, there may be one tomorrow.
    if libraries := environ.get("LD_LIBRARY_PATH"):
        for entry in libraries.replace(";", ":").split(":"):
            noticed(entry or os.curdir)


def notice_answer(python: str, interpreter: Interpreter, rests_on: list[str], *, complained: bool) -> None:
    """Notice what else the answer rests on, which `rests_on` names in part: modules loaded and libraries mapped.

    What it rests on cannot be told where start-up complained, which modules do that fail to load; where a file is gone
    by now, or lies in an archive; and where what was started stands in for an interpreter that it chose by rules of its
    own, as shims do.
    """
    if complained or not all(map(os.path.exists, rests_on)) or _stands_in(python, interpreter.executable):
        noticed_more_than_files()
    if any(os.path.basename(path).startswith(_SITE_CODE) and not _is_debians(path) for path in rests_on):
        noticed_more_than_files()
    _notice_configuration(interpreter.executable)
    for path in rests_on:
        noticed(path)
    for directory in {os.path.dirname(path) for path in rests_on if ".so" in os.path.basename(path)}:
        noticed(directory)
    installed_into = {*interpreter.site_directories, interpreter.user_site}
    for directory in filter(None, {*interpreter.path, *installed_into}):
        (noticed_names if directory in installed_into else noticed_metadata_names)(directory)
        try:
            names = os.listdir(directory)
        except (OSError, ValueError):
            # It may be an archive.
            noticed(directory)
            continue
        for name in names:
            if name.endswith(".pth"):
                _notice_pth(directory, name)
    _notice_what_would_come_first(interpreter, rests_on)


def _notice_configuration(python: str) -> None:
    """Notice `pyvenv.cfg`, beside the interpreter or one directory up (PEP 405), also where there is none."""
    directory = os.path.dirname(python)
    for above in (directory, os.path.dirname(directory)):
        noticed(os.path.join(above, "pyvenv.cfg"))


def _notice_pth(directory: str, name: str) -> None:
    """Notice a `.pth` file, and what it would add to the path if it were there (documentation of `site`).

    What it runs may look at any file, but for what is known to look at none.
    """
    with suppress(OSError):
        for line in read_up_to(os.path.join(directory, name), _MAX_PTH_BYTES).splitlines():
            if line.startswith((b"import ", b"import\t")) and not _LOOKS_AT_NO_FILE.match(line):
                noticed_more_than_files()
            if line.strip() and not line.startswith((b"#", b"import ", b"import\t")):
                noticed_metadata_names(os.path.join(directory, os.fsdecode(line.rstrip())))


def _notice_what_would_come_first(interpreter: Interpreter, modules: Iterable[str]) -> None:
    """Notice that no directory of the path has a module of a name that start-up loaded from a later one."""
    directories = [directory for directory in interpreter.path if os.path.isdir(directory)]
    endings = (".py", ".pyc", f"{os.sep}__init__.py", *interpreter.extension_suffixes)
    for module in modules:
        holders = [directory for directory in directories if module.startswith(os.path.join(directory, ""))]
        if holders:
            holder = max(holders, key=len)
            stem = module[len(holder) :].strip(os.sep).partition(os.sep)[0].partition(".")[0]
            for directory in directories[: directories.index(holder)]:
                for ending in endings:
                    noticed(os.path.join(directory, stem + ending))


def _is_debians(path: str) -> bool:
    """Whether site code is what the distribution ships, which looks at no file."""
    try:
        lines = [line.strip() for line in read_up_to(path, _MAX_PTH_BYTES).splitlines()]
    except OSError:
        return False
    return b" ".join(line for line in lines if line and not line.startswith(b"#")) in _DEBIANS


def _stands_in(python: str, executable: str) -> bool:
    try:
        with open(python, "rb") as file:
            return file.read(2) == b"#!" or not os.path.samestat(os.fstat(file.fileno()), os.stat(executable))
    except (OSError, ValueError):
        return True
