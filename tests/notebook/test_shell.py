"""The magics in IPython's own shell: what they leave as it is, what they tell, and what they refuse."""

from __future__ import annotations

import subprocess
import sys

import pytest

from capsulestore.artifact_registry import get_capsule, list_capsules
from capsulestore.model.capsule import decode_files
from capsulestore.store import Store

from .conftest import digest_in

pytestmark = pytest.mark.slow

LOAD = "%load_ext capsulestore"


def manifest_of(text, project):
    return get_capsule(digest_in(text), store=project)["manifest"]


def files_of(text, project):
    with Store(str(project)) as store:
        files = store.capsule(store.resolve(digest_in(text)).digest).files
        return decode_files(files, store.read) if files else {}


@pytest.mark.parametrize("unload", ["%unload_ext capsulestore", "%%capsule fit\n%unload_ext capsulestore"])
def test_a_shell_without_the_magics_is_as_it_was_before(shell, unload):
    everything = (
        "ip = get_ipython()\n"
        "import json\n"
        "json.dumps([[*map(str, ip.input_transformer_manager.line_transforms)],"
        " {name: [*map(str, found)] for name, found in ip.events.callbacks.items()},"
        " [sorted(ip.magics_manager.magics[kind]) for kind in ('line', 'cell')]])"
    )
    before, _, loaded, _, after = shell(everything, LOAD, everything, unload, everything)
    assert before.result == after.result
    assert before.result != loaded.result


@pytest.mark.parametrize(
    "again",
    [
        "%load_ext capsulestore",
        "%reload_ext capsulestore",
        "import capsulestore; capsulestore.load_ipython_extension(get_ipython())",
    ],
)
def test_loaded_again_a_cell_is_recorded_once(shell, project, again):
    _, _, cell = shell(LOAD, again, "%%capsule fit\n1")
    assert cell.success
    assert manifest_of(cell.out, project)["title"] == "fit"
    assert len(list_capsules(store=project)) == 1


@pytest.mark.parametrize("within", ["%load_ext capsulestore", "%reload_ext capsulestore", "%unload_ext capsulestore"])
def test_a_cell_that_loads_or_unloads_the_magics_is_recorded_to_its_end(shell, project, within):
    cell = f"%%capsule fit --output late.txt\n{within}\nopen('late.txt', 'w').close()\n1 / 0"
    _, ran = shell(LOAD, cell)
    assert (ran.success, ran.error, ran.err) == (False, "ZeroDivisionError", "")
    manifest = manifest_of(ran.out, project)
    assert (manifest["title"], manifest["status"]) == ("fit", "failed")
    assert [file["path"] for file in manifest["outputs"]] == ["late.txt"]


def test_history_and_numbers_are_those_of_a_cell_that_is_not_recorded(shell):
    cell = "%%capsule fit\n1 + 1"
    _, ran, history, numbers = shell(LOAD, cell, "%history -n 2", "len(In), Out[2], _2, _i2")
    assert ran.result == "2"
    assert history.out == f"   2:\n{cell}\n"
    assert numbers.result == str((5, 2, 2, cell))


def test_what_runs_a_cell_within_a_cell_is_recorded_as_the_cell_that_says_so(shell, project):
    _, captured, told, nested = shell(
        LOAD,
        "%%capture kept\n%%capsule inner\nprint('seen')",
        "print(kept.stdout)",
        "%%capsule outer\nget_ipython().run_cell('1 + 1')\nget_ipython().run_cell('')\n'last'",
    )
    assert captured.out == ""
    assert told.out.startswith("seen\ncapsule ")
    assert manifest_of(told.out, project)["title"] == "inner"
    assert nested.out.splitlines()[-1].startswith("capsule ")
    assert manifest_of(nested.out, project)["title"] == "outer"


def test_future_imports_may_stand_first(shell):
    _, cell = shell(
        LOAD,
        "%%capsule\n'''Why.'''\nfrom __future__ import annotations\ndef f(x: Missing): ...\nf.__annotations__",
    )
    assert cell.result == "{'x': 'Missing'}"


def test_the_cell_and_what_it_calls_can_add_to_the_recording(shell, project):
    _, cell = shell(
        LOAD,
        "%%capsule fit --param alpha={2 * 3}\n"
        "from capsulestore.agent import current\n"
        "_capsule.parameters['beta'] = 7\n"
        "current() is _capsule",
    )
    assert cell.result == "True"
    assert manifest_of(cell.out, project)["parameters"] == {"alpha": "6", "beta": 7}


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%%capsule --nonsense\n1", "error: no option `--nonsense`\nhint: there are"),
        ("%%capsule it's mine\n1", "error: a quotation in `it's mine` does not close\nhint: "),
        ("%%capsule --param alpha\n1", "error: `--param alpha` is no KEY=VALUE\nhint: write `--param KEY=VALUE`"),
        ("%%capsule one\n%%capsule two\n1", "error: the cell is being recorded already\nhint: "),
        ("%capsule fit", "error: `%capsule` has no `fit`\nhint: there are `verify`, `show` and `log`"),
        ("%capsule", "error: `%capsule` alone does nothing\nhint: "),
        ("%%capsule fit --strict --input missing.csv\n1", "missing.csv`: No such file or directory"),
        ("%%capsule fit --strict --parent nonsense\n1", "error: nothing is called `nonsense`\nhint: "),
    ],
)
def test_what_cannot_be_is_told_in_a_line_and_a_hint_and_stops(shell, cell, told):
    _, ran = shell(LOAD, cell)
    assert not ran.success
    assert ran.error == "Stopped"
    assert told in ran.out + ran.err
    assert "Traceback" not in ran.out + ran.err


def test_what_keeps_a_cell_from_being_recorded_is_told_and_the_cell_runs(shell, tmp_path):
    _, cell, strict = shell(LOAD, "%%capsule fit\n1 + 1", "%%capsule fit --strict\nran = True", cwd=tmp_path)
    assert (cell.success, cell.result, cell.out) == (True, "2", "Out[2]: 2\n")
    assert cell.err.startswith("warning: not recorded: no `.capsules`")
    assert cell.err.endswith("hint: make one with `capsule init`\n")
    assert len(cell.err.splitlines()) == 2
    assert (strict.success, strict.error) == (False, "Stopped")


def test_what_keeps_it_from_being_recorded_at_its_end_is_told_and_raised_where_that_was_asked_for(shell, project):
    away = "import shutil\nshutil.move('.capsules', 'elsewhere')\n'done'"
    back = "shutil.move('elsewhere', '.capsules')"
    _, told, _, raised, _, well = shell(
        LOAD, f"%%capsule fit\n{away}", back, f"%%capsule fit --strict\n{away}", back, "%%capsule fit\n1"
    )
    assert (told.success, told.result) == (True, "'done'")
    assert told.err.startswith("warning: not recorded: ")
    assert (raised.success, raised.error, raised.result) == (False, "Stopped", "'done'")
    assert raised.out.splitlines()[-1].startswith(("error: ", "hint: "))
    assert [found["capsule_id"] for found in list_capsules(store=project)] == [digest_in(well.out)]


def test_what_could_not_be_seen_is_told_beside_the_capsule(shell):
    _, cell = shell(LOAD, "%%capsule fit --output missing.csv\n1")
    assert cell.success
    assert "missing.csv`: no such output" in cell.err
    assert cell.err.startswith("note: ")
    digest_in(cell.out)


@pytest.mark.parametrize(
    "cell",
    [
        "%%capsule fit\ntoken = 'c0rrect-horse-battery'",
        "%%capsule fit\n%env API_KEY=c0rrect-horse-battery",
        "%%capsule fit --param password=c0rrect-horse-battery\n1",
        "%%capsule\n%%bash\nexport PASSWORD=c0rrect-horse-battery",
    ],
)
def test_a_cell_with_what_looks_like_a_secret_is_recorded_without_its_text(shell, project, cell):
    _, ran = shell(LOAD, cell)
    assert "so `cell.py` is not kept" in ran.err
    assert "cell.py" not in files_of(ran.out, project)
    manifest = manifest_of(ran.out, project)
    assert "c0rrect" not in str(manifest)
    assert manifest["cell"]["size"] == len(cell)


def test_verify_prints_what_the_command_prints_for_this_interpreter(shell, project):
    _, _, same, by_name, unknown = shell(
        LOAD, "%%capsule fit\n1", "%capsule verify", "%capsule verify @", "%capsule verify nonsense"
    )
    command = [sys.executable, "-m", "capsulestore_cli", "verify", "--python", sys.executable]
    printed = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    assert same.out == by_name.out == printed.stdout
    assert unknown.success
    assert unknown.err.startswith("error: nothing is called `nonsense`\nhint: ")


def test_log_and_show_are_the_commands(shell):
    _, cell, log, show = shell(LOAD, "%%capsule fit\n1", "%capsule log", "%capsule show")
    assert digest_in(cell.out)[:12] in log.out
    assert digest_in(cell.out) in show.out


def test_a_program_that_was_made_from_a_notebook_records_too(shell, project):
    _, well, badly = shell(
        LOAD,
        "get_ipython().run_cell_magic('capsule', 'fit', '# a comment\\nx = 2\\n')",
        "get_ipython().run_cell_magic('capsule', '', '# badly\\n1 / 0\\n')",
    )
    assert manifest_of(well.out, project)["title"] == "fit"
    assert (badly.success, badly.error) == (False, "ZeroDivisionError")
    manifest = manifest_of(badly.out, project)
    assert (manifest["title"], manifest["status"]) == ("badly", "failed")
