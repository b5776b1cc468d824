"""`capsule run`: the command runs as ever, and what was seen of it is a capsule, whatever it came to."""

import hashlib
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from uv import find_uv_bin

PYTHON = ".venv/bin/python"


@pytest.fixture
def run(capsule, store):
    """Run a command in the project with `capsule run`, and return what it did."""

    def start(*words, **surroundings):
        return capsule("run", *words, **surroundings)

    return start


@pytest.fixture
def shown(capsule):
    def show(*path):
        found = capsule("show", "--json", "@").json
        for key in path:
            found = found[key]
        return found

    return show


def git(directory: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=directory, check=True, capture_output=True)


def test_streams_are_the_commands_own_and_the_digest_goes_to_stderr(run, shown):
    done = run(PYTHON, "-c", "print(input().upper())", text="hello\n")
    assert (done.status, done.out) == (0, "HELLO\n")
    assert done.err.splitlines()[-1] == f"capsule {shown('capsule_id')}"


def test_the_capsule_says_what_ran_where_and_how_it_ended(run, shown, project):
    (project / "fit.py").write_text("open('fit.csv', 'w').write('1')\n")
    (project / "data.csv").write_text("0")
    words = ["-m", "first fit", "--param", "alpha=1", "--input", "data.csv", "--output", "*.csv"]
    assert run(*words, PYTHON, "fit.py", "--fast").status == 0
    manifest = shown("manifest")
    assert (manifest["title"], manifest["parameters"]) == ("first fit", {"alpha": "1"})
    assert (manifest["command"], manifest["entry_point"]) == ([PYTHON, "fit.py", "--fast"], "fit.py")
    assert (manifest["status"], manifest["working_directory"]) == ("completed", ".")
    assert manifest["run"]["exit_code"] == 0
    assert manifest["run"]["started_at"] < manifest["run"]["finished_at"]
    assert manifest["run"]["environment_changed"] is False
    assert manifest["target"] == {"python": PYTHON, "chosen_by": "command"}
    assert [file["path"] for file in manifest["inputs"]] == ["data.csv"]
    assert [file["path"] for file in manifest["outputs"]] == ["data.csv", "fit.csv"]


def test_an_input_is_digested_before_the_command_and_an_output_after(run, shown, project):
    (project / "both.csv").write_text("before")
    assert run("--input", "both.csv", "--output", "both.csv", "sh", "-c", "printf after > both.csv").status == 0
    manifest = shown("manifest")
    digests = [manifest[kind][0]["sha256"] for kind in ("inputs", "outputs")]
    assert digests == [hashlib.sha256(text).hexdigest() for text in (b"before", b"after")]


@pytest.mark.parametrize(("program", "status"), [("exit 7", 7), ("kill -9 $$", 137)])
def test_a_command_that_fails_keeps_its_status_and_is_registered_as_failed(program, status, run, shown):
    assert run("sh", "-c", program).status == status
    assert shown("manifest", "status") == "failed"
    assert shown("manifest", "run", "exit_code") == status


def test_a_command_that_an_interrupt_ended_ends_us_so_that_a_shell_ends_its_loop(run, shown):
    assert (
        run(PYTHON, "-c", "import os, signal; signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), 2)").status == -2
    )
    assert shown("manifest", "run", "exit_code") == 128 + signal.SIGINT


@pytest.mark.parametrize(("command", "status"), [("./nowhere", 127), ("./data.csv", 126)])
def test_a_command_that_cannot_be_started_registers_nothing(command, status, run, capsule, project):
    (project / "data.csv").touch()
    done = run(command)
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith(f"error: cannot start `{command}`")
    assert capsule("log").out == ""


def test_what_is_wrong_before_the_command_keeps_it_from_starting(run, project):
    for words in (["--input", "nowhere.csv"], ["--layer", "julia"], ["--parent", "nobody"], ["--digest-file", "no/f"]):
        assert run(*words, "touch", "ran").status in {2, 3, 6}
    assert not (project / "ran").exists()


def test_an_output_that_is_not_there_is_told_and_loses_no_run(run, shown):
    done = run("--output", "out/*.png", "--output", "fit.csv", "true")
    assert done.status == 0
    assert "`out/*.png`: no such output" in done.err
    assert "`fit.csv`: no such output" in done.err
    assert "outputs" not in shown("manifest")


def test_the_digest_file_holds_the_digest_of_this_run_or_is_not_there(run, shown, project):
    assert run("--digest-file", "digest", "true").status == 0
    assert (project / "digest").read_text() == f"{shown('capsule_id')}\n"
    assert run("--digest-file", "digest", "./nowhere").status == 127
    assert not (project / "digest").exists()


def test_a_working_directory_that_the_command_removes_loses_no_run(run, capsule, project, store):
    (project / "below").mkdir()
    done = run("sh", "-c", 'rmdir "$PWD"; exit 3', cwd=project / "below")
    assert done.status == 3, done.err
    assert capsule("show", "--json", "@").json["manifest"]["working_directory"] == "below"


def test_a_store_that_the_command_removes_is_an_error_and_is_not_made_anew_by_half(run, project):
    done = run("rm", "-rf", ".capsules")
    assert done.status == 125
    assert "no store" in done.err
    assert not (project / ".capsules").exists()


def test_a_store_that_may_not_be_written_is_told_before(project, store, bound_by_permissions):
    (store / "objects").chmod(0o500)
    command = [*bound_by_permissions, sys.executable, "-m", "capsulestore_cli", "run", "touch", "ran"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert not (project / "ran").exists()


def test_an_environment_that_changes_meanwhile_is_recorded_as_it_was_before(run, shown, capsule):
    before = capsule("capture", "--json", "--python", PYTHON).json["environment_digest"]
    done = run("--python", PYTHON, "sh", "-c", "rm -r .venv/lib/python*/site-packages/six-*")
    assert done.status == 0
    assert "the environment changed while the command ran" in done.err
    assert shown("manifest", "run", "environment_changed") is True
    assert shown("environment_digest") == before


def test_without_an_interpreter_the_run_is_recorded_and_the_layer_unknown(run, shown, capsule, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "true").symlink_to(shutil.which("true"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    capsule("init", cwd=elsewhere)
    done = capsule("run", "true", cwd=elsewhere, env={"PATH": str(tmp_path / "bin")})
    assert done.status == 0
    assert "the environment is not recorded" in done.err
    manifest = capsule("show", "--json", "@", cwd=elsewhere).json["manifest"]
    assert "unknown" in manifest["layers"]["python"]
    verified = capsule("verify", "--python", sys.executable, cwd=elsewhere)
    assert (verified.status, verified.out.split("\n")[0].split()[:2]) == (1, ["not", "comparable"])


def test_the_variables_that_the_command_line_gives_are_the_commands(run, shown):
    assert run("env", "OMP_NUM_THREADS=3", PYTHON, "-c", "pass").status == 0
    assert shown("context", "variables", "process", "OMP_NUM_THREADS") == "3"


def test_a_guess_is_said_to_be_one_then_and_when_it_is_verified(run, shown, capsule, project):
    (project / "all.sh").write_text(f"#!/bin/sh\n{PYTHON} -c pass\n")
    (project / "all.sh").chmod(0o755)
    done = run("./all.sh")
    assert "which is guessed: `./all.sh` is a shell script" in done.err
    assert shown("manifest", "target") == {"python": PYTHON, "chosen_by": "guessed"}
    assert "was guessed" in capsule("verify").err


def test_code_that_changes_is_told_beside_an_identical_environment(run, capsule, project):
    (project / "fit.py").write_text("import model\n")
    (project / "model.py").write_text("x = 1\n")
    (project / "all.sh").write_text(f"{PYTHON} fit.py\n")
    for command in ([PYTHON, "fit.py"], ["sh", "all.sh"]):
        assert run(*command).status == 0
        assert capsule("verify").status == 0
    (project / "all.sh").write_text(f"{PYTHON} -O fit.py\n")
    verified = capsule("verify")
    assert (verified.status, verified.out.split()[0]) == (1, "identical")
    assert "code: file `all.sh`: is not what was recorded" in verified.out
    assert run(PYTHON, "fit.py").status == 0
    (project / "model.py").write_text("x = 2\n")
    assert "code: path `.`" in capsule("verify").out
    assert "code" in capsule("status").out


def test_of_uncommitted_code_the_patch_is_kept_and_committing_it_changes_nothing(run, capsule, project, shown):
    git(project, "init", "-q")
    (project / "fit.py").write_text("x = 1\n")
    git(project, "add", "fit.py")
    git(project, "commit", "-q", "-m", "one")
    (project / "fit.py").write_text("x = 2\n")
    done = run(PYTHON, "fit.py")
    assert "its commit is on no remote" in done.err
    assert shown("files") == ["code/work tree/changes.patch"]
    git(project, "commit", "-q", "-a", "-m", "two")
    assert capsule("verify").status == 0
    (project / "fit.py").write_text("x = 3\n")
    assert capsule("verify").status == 1


def test_output_that_git_tracks_is_no_code(run, capsule, project):
    git(project, "init", "-q")
    (project / "out").mkdir()
    (project / "out/fit.csv").write_text("1\n")
    git(project, "add", "out")
    git(project, "commit", "-q", "-m", "one")
    assert run("--output", "out", "sh", "-c", "rm -r out; mkdir out; echo 2 > out/fit.csv").status == 0
    assert capsule("verify").status == 0


@pytest.mark.slow
def test_behind_uv_run_it_is_the_environment_that_uv_makes(run, shown, project, tmp_path):
    (project / "pyproject.toml").write_text('[project]\nname = "fit"\nversion = "1"\nrequires-python = ">=3.11"\n')
    (project / "fit.py").write_text("import sys; print(sys.prefix)\n")
    shutil.rmtree(project / ".venv")
    done = run(find_uv_bin(), "run", "fit.py", env={"UV_OFFLINE": "1", "UV_PYTHON": sys.executable})
    assert (done.status, done.out) == (0, f"{project}/.venv\n"), done.err
    assert shown("manifest", "target", "chosen_by") == "uv run"
    assert "six" not in shown("environment", "python", "packages")


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_comes_while_the_run_is_recorded_waits_until_it_is(sent, project, capsule, store):
    words = ["run", "--output", "large", "sh", "-c", "truncate -s 512M large; echo done"]
    process = subprocess.Popen(
        [sys.executable, "-m", "capsulestore_cli", *words], cwd=project, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "done\n"
        # The command is reaped in no time; what is then recorded has half a gigabyte to digest.
        while Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text():
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(sent)
        assert process.wait() in {-sent, 0}
    assert capsule("log").out.count("\n") == 1
