"""Real notebooks in a real kernel, and real cells in IPython's own shell, beside a store of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from nbclient import NotebookClient

from capsulestore.store import Store

KERNEL = "here"
Execute = Callable[..., Any]


class Ran(NamedTuple):
    """A cell that ran in a shell: whether it went well, by which exception not, and what it wrote."""

    success: bool
    error: str | None
    result: str
    out: str
    err: str


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same_user: None) -> Path:
    """A directory with an empty store; nothing of the user's reaches into its kernels."""
    kernel = tmp_path / "jupyter" / "kernels" / KERNEL
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": KERNEL, "language": "python"}))
    for name in ("FORCE_COLOR", "JPY_SESSION_NAME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "project").mkdir()
    Store.init(str(tmp_path / "project")).close()
    return tmp_path / "project"


@pytest.fixture
def notebook(project: Path) -> Execute:
    """Execute a notebook of these cells in a kernel that starts in the project, and return its cells as it is then."""

    def execute(*sources: str, **options: Any) -> Any:
        written = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        resources = {"metadata": {"path": str(project)}}
        options = {"timeout": 120, "allow_errors": False, **options}
        NotebookClient(written, kernel_name=KERNEL, resources=resources, **options).execute()
        return written.cells

    return execute


@pytest.fixture(scope="session")
def shells() -> Iterator[subprocess.Popen[str]]:
    """`run_cells.py`, which starts no shell without being asked."""
    command = [sys.executable, "-W", "error", str(Path(__file__).with_name("run_cells.py"))]
    # The other variables come with each shell.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    streams = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    with subprocess.Popen(command, env=environ, text=True, **streams) as process:
        yield process


@pytest.fixture
def shell(project: Path, shells: subprocess.Popen[str]) -> Callable[..., list[Ran]]:
    """Run cells one after the other in a shell of IPython's in a process of its own, and tell what each did."""

    def run(*cells: str, cwd: Path = project) -> list[Ran]:
        job = {"cells": cells, "directory": str(cwd), "environ": dict(os.environ)}
        print(json.dumps(job), file=shells.stdin, flush=True)
        status, out, err = json.loads(shells.stdout.readline())
        assert status == 0, err
        return [Ran(**ran) for ran in json.loads(out)]

    return run


def written(cell: Any, name: str) -> str:
    """Return what a cell of an executed notebook wrote to a stream."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == name)


def digest_in(text: str) -> str:
    """Return the digest in the only line that tells of a capsule."""
    (line,) = (line for line in text.splitlines() if line.startswith("capsule "))
    digest = line.removeprefix("capsule ")
    assert len(digest) == 64
    return digest
