"""`--capture-capsule` of a parser of argparse: what follows the parsing is recorded, to the program's end."""

import sys

import pytest

from .conftest import FIT

pytestmark = pytest.mark.slow


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


@pytest.mark.parametrize(
    ("start", "exception"), [(["-m", "fit"], "SystemExit"), (["-c", "import fit; fit.fit()"], None)]
)
def test_it_is_recorded_whichever_way_it_is_started(start, exception, script, told):
    end = "sys.exit(4)" if exception else ""
    done = script(FIT.replace("{end}", end))("--capture-capsule", start=start)
    assert done.returncode == (4 if exception else 0)
    assert told(done)["run"].get("exception") == exception


def test_what_has_been_written_by_the_end_is_recorded(fit, told):
    done = fit("import atexit; atexit.register(Path(options.out, 'late.csv').touch)")("--capture-capsule")
    assert [file["path"] for file in told(done)["outputs"]] == ["out/fit.csv", "out/late.csv"]


AGAIN = """
    parser.parse_args({again!r})
    print("parsed")
"""


def test_a_second_parse_with_the_flag_is_told_and_registers_no_second_capsule(fit, manifests):
    done = fit(AGAIN.format(again=["--capture-capsule", "--out", "other"]))("--capture-capsule")
    assert (done.returncode, done.stdout) == (0, "fitted True\nparsed\n")
    assert "fit.py: not recorded once more" in done.stderr
    assert [manifest["parameters"]["out"] for manifest in manifests()] == ["out"]


def test_a_second_parse_without_the_flag_is_nothing_to_tell(fit, told):
    done = fit(AGAIN.format(again=["--out", "other"]))("--capture-capsule")
    assert told(done)["parameters"]["out"] == "out"


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


RUNNER = """
import multiprocessing, runpy
runpy.run_path("fit.py", run_name="__main__")
"""


def test_a_program_that_another_runs_is_recorded_though_multiprocessing_was_imported_before(fit, script, project, told):
    fit()
    done = script(RUNNER, "runner.py")("--capture-capsule")
    assert (done.returncode, done.stdout) == (0, "fitted True\n")
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
