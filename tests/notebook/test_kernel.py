"""Notebooks as Jupyter executes them, in a kernel of the interpreter that runs the tests."""

from __future__ import annotations

import hashlib

import pytest
from jupyter_client.manager import KernelManager
from nbclient.exceptions import CellExecutionError

from capsulestore.artifact_registry import get_capsule, list_capsules
from capsulestore.model.capsule import decode_files
from capsulestore.store import Store

from .conftest import KERNEL, digest_in, written

pytestmark = pytest.mark.slow

LOAD = "%load_ext capsulestore"


def manifest_of(digest, project):
    return get_capsule(digest, store=project)["manifest"]


def test_a_cell_becomes_a_capsule_and_shows_what_it_shows_anyway_and_one_line(notebook, project):
    (project / "data.csv").write_text("1,2\n")
    source = (
        "%%capsule fit --input data.csv --output '*.txt' --param alpha=0.1 --label team='a b'\n"
        "from pathlib import Path\n"
        "print(Path('result.txt').write_text(Path('data.csv').read_text()))\n"
        "6 * 7"
    )
    _, fit, after = notebook(LOAD, source, "_capsule.capsule_id, Out[2], _2")
    digest = digest_in(written(fit, "stdout"))
    assert written(fit, "stdout") == f"4\ncapsule {digest}\n"
    assert written(fit, "stderr") == ""
    (result,) = (output for output in fit.outputs if output.output_type == "execute_result")
    assert (result.data["text/plain"], result.execution_count) == ("42", 2)
    assert after.outputs[0].data["text/plain"] == f"('{digest}', 42, 42)"

    manifest = manifest_of(digest, project)
    assert manifest["title"] == "fit"
    assert manifest["status"] == "completed"
    assert manifest["parameters"] == {"alpha": "0.1"}
    assert manifest["labels"] == {"team": "a b"}
    assert [file["path"] for file in manifest["inputs"]] == ["data.csv"]
    assert [file["path"] for file in manifest["outputs"]] == ["result.txt"]
    assert manifest["cell"] == {"sha256": hashlib.sha256(source.encode()).hexdigest(), "size": len(source)}
    assert "ipykernel" in manifest["loaded"]
    assert "click" not in manifest["loaded"]
    assert "entry_point" not in manifest
    with Store(str(project)) as store:
        files = decode_files(store.capsule(store.resolve(digest).digest).files, store.read)
    assert files["cell.py"] == source.encode()


def test_a_cell_that_raises_stops_the_notebook_and_is_registered_as_failed(notebook, project):
    with pytest.raises(CellExecutionError) as caught:
        notebook(LOAD, "%%capsule fit\nraise ValueError('no such column')", "%%capsule never\n1")
    assert (caught.value.ename, caught.value.evalue) == ("ValueError", "no such column")
    (only,) = list_capsules(store=project)
    manifest = manifest_of(only["capsule_id"], project)
    assert (manifest["title"], manifest["status"]) == ("fit", "failed")
    assert manifest["run"]["exception"] == "ValueError"


def test_its_traceback_is_shown_once_and_has_the_lines_of_the_cell(notebook):
    _, plain, recorded = notebook(
        "%load_ext capsulestore\n%colors NoColor",
        "# a line\n1 / 0",
        "%%capsule fit\n1 / 0",
        allow_errors=True,
    )
    (error,) = (output for output in recorded.outputs if output.output_type == "error")
    (usual,) = (output for output in plain.outputs if output.output_type == "error")
    assert (error.ename, error.evalue) == (usual.ename, usual.evalue)
    assert "----> 2 1 / 0" in "\n".join(error.traceback)
    assert "capsulestore" not in "\n".join(error.traceback)


def test_wrong_options_stop_the_notebook_before_the_cell_with_a_line_and_a_hint(notebook, project):
    _, cell, after = notebook(LOAD, "%%capsule fit --ouput x\nran = 1", "'ran' in globals()", allow_errors=True)
    (error,) = cell.outputs
    assert error.output_type == "error"
    assert error.traceback == ["error: no option `--ouput`", "hint: did you mean `--output`?"]
    assert after.outputs[0].data["text/plain"] == "False"
    assert list_capsules(store=project) == []


def test_cells_that_await_time_themselves_and_change_the_directory(notebook, project):
    _, _, awaiting, timed, inside, away, after = notebook(
        LOAD,
        LOAD,
        "%%capsule\n# waits\nimport asyncio\nawait asyncio.sleep(0)\n'awaited'",
        "%%capsule timed\n%%time\nsum([1, 2])",
        "%%time\n%%capsule inside\nsum([1, 2, 3])",
        "%%capsule away --output here.txt\n%mkdir below\n%cd -q below\nopen('../here.txt', 'w').close()",
        "import os; os.path.basename(os.getcwd())",
    )
    results = [
        [output.data["text/plain"] for output in cell.outputs if output.output_type == "execute_result"]
        for cell in (awaiting, timed, inside, after)
    ]
    assert results == [["'awaited'"], ["3"], ["6"], ["'below'"]]
    assert "Wall time" in written(timed, "stdout")
    assert "Wall time" in written(inside, "stdout")
    manifests = [manifest_of(digest_in(written(cell, "stdout")), project) for cell in (awaiting, timed, inside, away)]
    assert [manifest["title"] for manifest in manifests] == ["waits", "timed", "inside", "away"]
    assert manifests[-1]["working_directory"] == "."
    assert [file["path"] for file in manifests[-1]["outputs"]] == ["here.txt"]


@pytest.mark.slow
def test_a_notebook_that_is_run_twice_is_recorded_twice_and_verifies_as_identical(notebook, project):
    cells = (LOAD, "%%capsule fit\nx = 1", "%capsule verify")
    first, second = (notebook(*cells) for _ in range(2))
    digests = [digest_in(written(run[1], "stdout")) for run in (first, second)]
    assert len(set(digests)) == 2
    one, other = (manifest_of(digest, project) for digest in digests)
    assert one["cell"] == other["cell"]
    assert one["environment_digest"] == other["environment_digest"]
    assert written(second[2], "stdout").startswith(f"identical to {one['environment_digest']}")
    assert written(second[2], "stderr") == ""


@pytest.mark.slow
def test_the_notebooks_file_is_the_entry_point_where_the_front_end_tells_it(notebook, project, monkeypatch):
    (project / "analysis.ipynb").write_text("{}")
    monkeypatch.setenv("JPY_SESSION_NAME", str(project / "analysis.ipynb"))
    jupyter = notebook(LOAD, "%%capsule fit\n1")[1]
    assert manifest_of(digest_in(written(jupyter, "stdout")), project)["entry_point"] == "analysis.ipynb"

    monkeypatch.setenv("JPY_SESSION_NAME", "a console without a file")
    code = notebook(
        LOAD, "%%capsule fit\n1", f"__vsc_ipynb_file__ = {str(project / 'analysis.ipynb')!r}", "%%capsule\n2"
    )
    manifests = [manifest_of(digest_in(written(code[number], "stdout")), project) for number in (1, 3)]
    assert [manifest.get("entry_point") for manifest in manifests] == [None, "analysis.ipynb"]


@pytest.mark.parametrize(
    "waiting",
    [
        "import signal; print('waiting', flush=True); signal.pause()",
        # A kernel whose loop has nothing at all to do does not notice, with us or without.
        "import asyncio; print('waiting', flush=True)\nwhile True: await asyncio.sleep(0.01)",
    ],
    ids=["in a call", "in an await"],
)
def test_an_interrupted_cell_is_registered_as_failed(project, waiting):
    manager = KernelManager(kernel_name=KERNEL)
    manager.start_kernel(cwd=str(project))
    try:
        client = manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=60)

        def interrupt(message):
            if message["msg_type"] == "stream" and "waiting" in message["content"]["text"]:
                manager.interrupt_kernel()

        assert client.execute_interactive(LOAD, timeout=60)["content"]["status"] == "ok"
        code = f"%%capsule waits\n{waiting}"
        reply = client.execute_interactive(code, timeout=60, output_hook=interrupt)
        client.stop_channels()
    finally:
        manager.shutdown_kernel(now=True)
    assert reply["content"]["status"] == "error"
    (only,) = list_capsules(store=project)
    manifest = manifest_of(only["capsule_id"], project)
    assert manifest["status"] == "failed"
    assert manifest["run"]["exception"] == reply["content"]["ename"]
    assert manifest["run"]["exception"] in {"KeyboardInterrupt", "CancelledError"}
