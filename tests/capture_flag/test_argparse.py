"""`--capture-capsule` of a parser of argparse: what follows the parsing is recorded, however the program ends."""

import sys

import pytest

FIT = """
import argparse, os, sys, threading
from pathlib import Path
from capsulestore.post_process import add_capture_capsule_argument

parser = argparse.ArgumentParser()
parser.add_argument("data", nargs="*")
parser.add_argument("--out", type=Path, default="out")
parser.add_argument("--log", type=argparse.FileType("w"))
parser.set_defaults(call=print)
add_capture_capsule_argument(parser, inputs=["{data}"], outputs=["{out}/*.csv"])
parsed = parser.parse_args()
options = parsed[0] if isinstance(parsed, tuple) else parsed

def fit():
    Path(options.out).mkdir(exist_ok=True)
    Path(options.out, "fit.csv").write_text("1,2,3")
    print("fitted", options.capture_capsule)
    {end}

if __name__ == "__main__":
    fit()
"""


@pytest.fixture
def fit(script):
    """A script that ends in its own way."""
    return lambda end="": script(FIT.replace("{end}", end))


def test_with_the_flag_the_program_is_recorded(fit, project, told):
    (project / "data.csv").write_text("0")
    done = fit()("--capture-capsule", "--out", "found", "data.csv")
    assert (done.returncode, done.stdout) == (0, "fitted True\n")
    manifest = told(done)
    assert (manifest["title"], manifest["status"]) == ("fit.py", "completed")
    assert manifest["parameters"] == {"out": "found", "data": ["data.csv"], "log": None}
    assert [file["path"] for file in manifest["inputs"]] == ["data.csv"]
    assert [file["path"] for file in manifest["outputs"]] == ["found/fit.csv"]
    assert manifest["entry_point"] == "fit.py"
    assert manifest["command"][-4:] == ["--capture-capsule", "--out", "found", "data.csv"]


CAUGHT = """
    try: sys.exit(3)
    except SystemExit: print("caught")
"""
IN_A_THREAD = """
    thread = threading.Thread(target=sys.exit, args=(3,))
    thread.start()
    thread.join()
"""


@pytest.mark.parametrize(
    ("end", "status", "recorded", "exception"),
    [
        ("sys.exit()", 0, "completed", None),
        ("sys.exit(3)", 3, "failed", "SystemExit"),
        ("sys.exit('no')", 1, "failed", "SystemExit"),
        ("parser.error('no')", 2, "failed", "SystemExit"),
        ("raise ValueError('no')", 1, "failed", "ValueError"),
        ("raise KeyboardInterrupt", -2, "failed", "KeyboardInterrupt"),
        (CAUGHT, 0, "completed", None),
        (IN_A_THREAD, 0, "completed", None),
        ("os.fork() or sys.exit(3); os.wait()", 0, "completed", None),
        ("if not os.fork(): raise SystemExit(3)\n    os.wait()", 0, "completed", None),
        ("sys.last_value = ValueError('told by a debugger')", 0, "completed", None),
    ],
)
def test_the_program_ends_as_ever_and_the_capsule_says_how(end, status, recorded, exception, fit, told):
    without = fit(end)()
    done = fit(end)("--capture-capsule")
    assert (done.returncode, without.returncode) == (status, status)
    assert done.stdout == without.stdout.replace("False", "True")
    manifest = told(done)
    assert (manifest["status"], manifest["run"].get("exception")) == (recorded, exception)


@pytest.mark.parametrize(
    ("start", "exception"), [(["-m", "fit"], "SystemExit"), (["-c", "import fit; fit.fit()"], None)]
)
def test_it_is_recorded_whichever_way_it_is_started(start, exception, script, told):
    end = "sys.exit(4)" if exception else ""
    done = script(FIT.replace("{end}", end))("--capture-capsule", start=start)
    assert done.returncode == (4 if exception else 0)
    assert told(done)["run"].get("exception") == exception


def test_a_status_that_cannot_be_seen_is_told_and_taken_for_a_failure(fit, manifests):
    done = fit("raise SystemExit(0)")("--capture-capsule")
    assert done.returncode == 0
    assert "`raise SystemExit` hides its status" in done.stderr
    (manifest,) = manifests()
    assert manifest["status"] == "failed"


def test_what_has_been_written_by_the_end_is_recorded(fit, told):
    done = fit("import atexit; atexit.register(Path(options.out, 'late.csv').touch)")("--capture-capsule")
    assert [file["path"] for file in told(done)["outputs"]] == ["out/fit.csv", "out/late.csv"]


def test_a_second_parse_registers_no_second_capsule(fit, told):
    done = fit("parser.parse_args(); parser.parse_known_args()")("--capture-capsule")
    assert told(done)["status"] == "completed"


@pytest.mark.parametrize("parse", ["parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args"])
def test_every_way_to_parse_is_one(parse, script, told, project):
    (project / "a.csv").touch()
    text = FIT.replace("{end}", "").replace("parser.parse_args()", f"parser.{parse}()")
    done = script(text)("--capture-capsule", "a.csv", "--out", "found")
    assert (done.returncode, done.stdout) == (0, "fitted True\n")
    assert told(done)["parameters"] == {"data": ["a.csv"], "out": "found", "log": None}


def test_what_cannot_be_parsed_is_not_recorded(fit, manifests):
    assert fit()("--capture-capsule", "--frobnicate").returncode == 2
    assert manifests() == []


COMMANDS = """
import argparse
from capsulestore.post_process import add_capture_capsule_argument
{parsers}
options = parser.parse_args()
print(options.capture_capsule)
"""
OF_THE_WHOLE = """
parser = argparse.ArgumentParser()
add_capture_capsule_argument(parser, title="a whole")
parser.add_subparsers().add_parser("fit").add_argument("--n", type=int)
"""
OF_A_PART = """
parser = argparse.ArgumentParser()
part = parser.add_subparsers().add_parser("fit")
part.add_argument("--n", type=int)
add_capture_capsule_argument(part)
"""
OF_A_PARENT = """
parent = argparse.ArgumentParser(add_help=False)
add_capture_capsule_argument(parent)
parser = argparse.ArgumentParser(parents=[parent])
"""


@pytest.mark.parametrize(
    ("parsers", "arguments", "title"),
    [(OF_THE_WHOLE, ["--capture-capsule", "fit"], "a whole"), (OF_A_PART, ["fit", "--capture-capsule"], "fit.py fit")],
)
def test_a_command_of_several_is_recorded(parsers, arguments, title, script, told):
    done = script(COMMANDS.replace("{parsers}", parsers))(*arguments, "--n", "5")
    assert (done.returncode, done.stdout) == (0, "True\n")
    manifest = told(done)
    assert (manifest["title"], manifest["parameters"]) == (title, {"n": 5})


def test_a_flag_that_another_parser_has_taken_over_says_that_nothing_is_recorded(script, manifests):
    done = script(COMMANDS.replace("{parsers}", OF_A_PARENT))("--capture-capsule")
    assert (done.returncode, done.stdout) == (0, "True\n")
    assert "not recorded" in done.stderr
    assert manifests() == []


WORKERS = """
if __name__ == "__main__":
    import multiprocessing
    worker = multiprocessing.get_context("spawn").Process(target=print)
    worker.start()
    worker.join()
"""


def test_a_worker_that_parses_the_same_again_is_not_recorded(script, told):
    done = script(FIT.replace("{end}", "") + WORKERS)("--capture-capsule")
    assert (done.returncode, done.stdout) == (0, "fitted True\n\n")
    assert told(done)["status"] == "completed"


def test_without_a_store_it_is_a_warning(fit):
    done = fit("sys.exit(3)")("--capture-capsule")
    assert (done.returncode, done.stdout) == (3, "fitted True\n")
    (line,) = done.stderr.splitlines()
    assert line.startswith("fit.py: not recorded: no `.capsules`")


def test_a_store_that_goes_away_meanwhile_is_a_warning(fit, store):
    done = fit("import shutil; shutil.rmtree('.capsules')")("--capture-capsule")
    assert (done.returncode, done.stdout) == (0, "fitted True\n")
    assert "fit.py: not recorded: " in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_flag_nothing_is_captured_and_no_store_is_needed(fit):
    end = "print(sys.exit.__module__, *(name for name in sys.modules if name.startswith('capsulestore.')))"
    done = fit(end)()
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.split()) == {
        "fitted",
        "False",
        sys.exit.__module__,
        "capsulestore.post_process",
        "capsulestore.capture_flag",
        "capsulestore.capture_flag.of_argparse",
        "capsulestore.capture_flag.script",
    }
