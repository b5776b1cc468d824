"""A command that never starts is an error with env(1)'s status: compared with env itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = [sys.executable, str(Path(__file__).with_name("execute_command.py"))]


@pytest.fixture
def here(tmp_path):
    files = {
        "text": "echo no first line, argument $1\n",
        "empty": "",
        "lost": "#!/no/such/interpreter\n",
        "endless": "#!" + "/x" * 200 + "\n",
        "unrunnable": "#!/bin/sh\n",
        "bin/twice": "#!/bin/sh\n",
        "later/twice": "#!/bin/sh\necho the later\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o644 if name in {"unrunnable", "bin/twice"} else 0o755)
    (tmp_path / "foreign").write_bytes(b"\x7fELF\0\0 of another machine")
    (tmp_path / "foreign").chmod(0o755)
    return tmp_path


def run(*command, cwd, **env):
    return subprocess.run(command, cwd=cwd, env=os.environ | env, capture_output=True, check=False)


CASES = {
    "no such command": ("no-such-command", 127, "cannot start `no-such-command`: No such file or directory"),
    "no such file": ("./none", 127, "cannot start `./none`: No such file or directory"),
    "an empty name": ("", 127, "cannot start ``: No such file or directory"),
    "a directory": ("./bin", 126, "cannot start `./bin`: Permission denied"),
    "a file that is not executable": ("./unrunnable", 126, "cannot start `./unrunnable`: Permission denied"),
    "below a file": ("./text/x", 126, "cannot start `./text/x`: Not a directory"),
    "an interpreter that is not there": (
        "./lost",
        127,
        "cannot start `./lost`: No such file or directory"
        " (`./lost` is there, but the interpreter that it names is not)",
    ),
    "bytes that are no UTF-8": (b"\xff", 127, r"cannot start `\udcff`: No such file or directory"),
}


@pytest.mark.parametrize(("command", "status", "message"), CASES.values(), ids=CASES.keys())
def test_a_command_that_cannot_start_has_the_status_of_env(command, status, message, here):
    done = run(*RUN, command, cwd=here)
    assert (done.returncode, done.stderr.decode()) == (status, f"{message}\n")
    assert run("env", command, cwd=here).returncode == status


def test_a_program_for_another_machine_is_not_taken_for_a_script(here):
    done = run(*RUN, "./foreign", cwd=here)
    assert (done.returncode, done.stderr) == (126, b"cannot start `./foreign`: Exec format error\n")


@pytest.mark.parametrize("command", [["./text", "7"], ["./empty"]])
def test_a_text_without_a_first_line_for_the_kernel_is_run_by_the_shell(command, here):
    ours = run(*RUN, *command, cwd=here)
    assert (ours.returncode, ours.stdout) == (0, run("env", *command, cwd=here).stdout)


def test_more_arguments_than_the_system_takes_are_an_error():
    told = """if True:
        import os
        from capsulestore.errors import NotStarted
        from capsulestore.recording.execution import execute
        try:
            execute(["true", *["x" * 100_000] * 100], environ=os.environ)
        except NotStarted as error:
            print(error, error.exit_code)
    """
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout == "cannot start `true`: Argument list too long 126\n"


def test_no_command_is_a_wrong_command_line(here):
    done = run(*RUN, cwd=here)
    assert (done.returncode, done.stderr) == (2, b"no command to run\n")


def test_a_directory_that_is_not_there_is_told(here):
    done = run(*RUN, "true", cwd=here, DIRECTORY_OF_COMMAND="nowhere")
    assert (done.returncode, done.stderr) == (126, b"cannot start `true` in `nowhere`: No such file or directory\n")


def test_path_is_searched_as_execvp_does(here):
    path = f"{here}/none:{here}/text:{here}/bin:{here}/later"
    assert run(*RUN, "twice", cwd=here, PATH=path).stdout == b"the later\n"
    only = run(*RUN, "twice", cwd=here, PATH=f"{here}/none:{here}/bin")
    assert (only.returncode, only.stderr) == (126, b"cannot start `twice`: Permission denied\n")


@pytest.mark.parametrize("path", ["", ":/none", "/none:", "/none::/other", "."])
def test_an_empty_entry_of_path_is_the_working_directory(path, here):
    done = run(*RUN, "text", cwd=here, PATH=path)
    assert (done.returncode, done.stdout) == (0, b"no first line, argument\n")
