"""`python -m capsulestore.post_process`: the results of an analysis, told, and a capsule of them if asked for."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from capsulestore_cli.post_process import command

pytestmark = pytest.mark.slow

START = [sys.executable, "-m", "capsulestore.post_process"]
FIT = hashlib.sha256(b"1,2,3").hexdigest()
STRANGE = "a\x1b]0;b\n" + os.fsdecode(b"\xff")


@pytest.fixture
def results(project):
    """Results of an analysis, in a project without a store."""
    (project / "out").mkdir()
    (project / "out" / "fit.csv").write_text("1,2,3")
    return project / "out"


@pytest.fixture
def post_process(results, project, forked):
    def run(*arguments, cwd=project, env=os.environ):
        done = forked([os.fspath(argument) for argument in arguments], cwd, env, program="post_process")
        assert "Traceback" not in done.err
        return done

    return run


@pytest.fixture
def manifest(capsule, store):
    return lambda: capsule("show", "--json", "@").json["manifest"]


def say(results, **said):
    (results / "metadata.json").write_text(json.dumps(said))


def test_without_the_flag_the_results_are_told_and_no_store_is_needed(post_process, project):
    done = post_process("out")
    assert (done.status, done.err) == (0, "")
    assert done.out == f"out/fit.csv  {FIT[:12]}  5 bytes\n1 file, 5 bytes\n"
    assert sorted(path.name for path in project.iterdir()) == [".venv", "out"]


def test_what_the_analysis_says_of_itself_is_told(post_process, results):
    say(results, title="first fit", parameters={"alpha": 1}, mood="good", colour="red")
    done = post_process("out")
    assert done.out.splitlines()[2:] == [
        f"2 files, {5 + (results / 'metadata.json').stat().st_size} bytes",
        "out/metadata.json:",
        "  title       first fit",
        '  parameters  {"alpha":1}',
    ]
    assert done.err == "note: `out/metadata.json`: a capsule has no place for `mood`, `colour`\n"


def test_with_json_the_answer_is_one_document(post_process, results):
    say(results, mood="good")
    done = post_process("out/fit.csv", "--metadata", "out/metadata.json", "--json")
    assert json.loads(done.out) == {
        "files": [{"path": "out/fit.csv", "sha256": FIT, "size": 5}],
        "bytes": 5,
        "metadata": {"mood": "good"},
    }


def test_with_the_flag_a_capsule_is_registered_with_the_files_as_outputs(post_process, manifest):
    done = post_process("out", "--capture-capsule", "-m", "first fit", "--param", "alpha=1", "--label", "sample=A")
    assert re.fullmatch(r"capsule [0-9a-f]{64}", done.out.splitlines()[-1])
    said = manifest()
    assert (said["title"], said["parameters"], said["labels"]) == ("first fit", {"alpha": "1"}, {"sample": "A"})
    assert said["outputs"] == [{"path": "out/fit.csv", "sha256": FIT, "size": 5}]
    assert said["target"] == {"python": sys.executable, "chosen_by": "running"}


def test_the_same_results_are_the_same_capsule(post_process, store):
    first = json.loads(post_process("out", "--capture-capsule", "--json").out)
    again = post_process("out", "--capture-capsule", "--json")
    assert set(first) == {"files", "bytes", "metadata", "capsule_id", "environment_digest", "registered"}
    assert (first["registered"], json.loads(again.out)) == (True, first | {"registered": False})
    assert "registered before" in again.err


def test_another_interpreter_may_be_named(post_process, capsule, store):
    done = json.loads(post_process("out", "--capture-capsule", "--python", ".venv", "--json").out)
    assert done["environment_digest"] == capsule("capture", "--json").json["environment_digest"]


def test_paths_are_the_stores_wherever_it_is_called(post_process, results, store):
    done = post_process(".", "--capture-capsule", "--json", cwd=results)
    assert [file["path"] for file in json.loads(done.out)["files"]] == ["out/fit.csv"]


def test_the_metadata_goes_into_the_capsule_and_the_command_line_wins(post_process, results, capsule, manifest):
    parent = capsule("add").line
    say(
        results,
        title="said",
        description="to see",
        parameters={"alpha": 1, "beta": 2, "password": "hunter2"},
        command=["fit", "--fast"],
        entry_point="fit.py",
        parents=["@"],
        status="failed",
        mood="good",
    )
    done = post_process("out", "--capture-capsule", "-m", "given", "--param-json", "alpha=3")
    assert "parameters: held what looks like credentials" in done.err
    said = manifest()
    assert (said["title"], said["description"], said["status"]) == ("given", "to see", "failed")
    assert (said["parameters"]["alpha"], said["parameters"]["beta"]) == (3, 2)
    assert (said["command"], said["entry_point"], said["parents"]) == (["fit", "--fast"], "fit.py", [parent])
    assert "hunter2" not in str(said)
    assert "mood" not in said


def test_what_would_be_registered_is_asked_for_without_the_flag(post_process):
    done = post_process("out", "-m", "first fit")
    assert (done.status, done.err) == (0, "note: nothing is registered without `--capture-capsule`\n")


WRONG = {
    "no results": ([], 2, "missing argument `RESULTS...`.*hint: see `python -m capsulestore.post_process --help`"),
    "a misspelt option": (["out", "--metdata", "x"], 2, "no option `--metdata`.*hint: did you mean `--metadata`"),
    "a parameter without a value": (["out", "--param", "alpha"], 2, "KEY=VALUE"),
    "nothing there": (["nowhere"], 6, "cannot read `nowhere`"),
    "nothing there, of a strange name": ([STRANGE], 6, r"cannot read `a\\x1b\]0;b\\n"),
    "an empty directory": (["empty"], 6, "no file in the directory `empty`"),
    "malformed metadata": (["bad"], 6, "`bad/metadata.json`: title: expected a text hint: "),
    "malformed metadata that is named": (["out", "--metadata", "bad/metadata.json"], 6, "title: expected a text"),
    "no such metadata": (["out", "--metadata", "nowhere.json"], 6, "cannot read `nowhere.json`"),
    "no such parent": (["out", "--parent", "nobody"], 3, "nobody"),
    "no such store": (["out", "--store", "nowhere"], 3, "no store at .*hint: .*capsule init"),
    "no such interpreter": (["out", "--python", "nowhere"], 6, "no interpreter at `nowhere`"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_one_clear_error_and_nothing_is_registered(what, post_process, project, capsule, store):
    (project / "empty").mkdir()
    (project / "bad").mkdir()
    say(project / "bad", title=1)
    arguments, status, said = WRONG[what]
    done = post_process(*arguments, "--capture-capsule")
    assert (done.status, done.out) == (status, "")
    assert re.match(f"error: .*{said}", done.err.replace("\n", " ")), done.err
    assert len(done.err.splitlines()) <= 2
    error = json.loads(post_process(*arguments, "--capture-capsule", "--json").err)["error"]
    assert set(error) == {"code", "message", "hint"}
    assert capsule("log").out == ""


def test_without_a_store_nothing_is_registered(post_process):
    done = post_process("out", "--capture-capsule")
    assert (done.status, done.out) == (3, "")
    assert "hint: make one with `capsule init`" in done.err


def test_what_could_harm_a_terminal_is_escaped(post_process, results):
    (results / STRANGE).touch()
    (results / "metadata.json").write_text(json.dumps({"title": "\x1b[31m"}))
    done = post_process("out")
    assert "out/a\\x1b]0;b\\n\\xff" in done.out
    assert "\x1b" not in done.out + done.err
    assert json.loads(post_process("out", "--json").out)["files"][0]["path"] == "out/a\x1b]0;b\n\\xff"


def test_a_closed_pipe_is_told_by_the_status_alone(project, results):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*START, "out"], cwd=project, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_is_an_error(project, results):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*START, "out"], cwd=project, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 6
    assert b"No space left" in done.stderr


def test_ctrl_c_ends_it_at_once(project, results, store):
    with (results / "large").open("w") as large:
        large.truncate(2**36)
    arguments = [*START, "out", "--capture-capsule"]
    process = subprocess.Popen(arguments, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while str(results / "large") not in opened_by(process.pid):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.communicate() == (b"", b"")
    assert process.returncode == 130


def opened_by(process):
    found = []
    with suppress(OSError):
        for link in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                found.append(str(link.readlink()))
    return found


def test_the_help_begins_with_examples_that_parse(post_process):
    done = post_process("--help")
    assert done.out.index("Examples:") < done.out.index("Usage: python -m capsulestore.post_process")
    for line, _ in command.examples:
        assert line in done.out
        command.make_context("post_process", line.split()[3:])
