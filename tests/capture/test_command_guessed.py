"""What is no Python program still starts one, most likely: which, and why that is only a guess."""

import sys

import pytest

from capsulestore.capture.command import started_by


@pytest.fixture
def here(tmp_path):
    """Interpreters at several places (never started), and programs that are no Python."""
    for name in ("venv/bin/python", "local/.venv/bin/python", "path/python", "path/python3", "only3/python3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(sys.executable)
    (tmp_path / "venv" / "bin" / "activate").touch()
    binary = tmp_path / "path" / "mpirun"
    binary.write_bytes(b"\x7fELF\0")
    scripts = {
        "path/rscript": "#!/no/such/R\n",
        "sh.sh": '#!/bin/sh\n# python is called below\necho "$HOME"; venv/bin/python "fit.py" # twice\n',
        "activates.sh": "set -e\nsource venv/bin/activate\npython fit.py\n",
        "none.sh": "#!/bin/sh -e\nexit 3\n",
        "nested.sh": "#!/usr/bin/env bash\ntime nice -n 3 \\\n  venv/bin/python fit.py\n",
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(text)
    for path in (binary, *(tmp_path / name for name in scripts)):
        path.chmod(0o755)
    (tmp_path / "plain.sh").write_text("venv/bin/python fit.py\n")
    return tmp_path


GUESSES = {
    "the first word that is one": ("mpirun -n 4 venv/bin/python fit.py", "venv", "`mpirun` is no Python program"),
    "also behind a wrapper": ("mpirun -n 4 nice python fit.py", "path", "`mpirun` is no Python program"),
    "one in a script's text": ("./sh.sh", "venv", "`./sh.sh` is a shell script"),
    "one behind wrappers in a script": ("./nested.sh", "venv", "`./nested.sh` is a shell script"),
    "an environment that a script activates": ("./activates.sh", "venv", "`./activates.sh` is a shell script"),
    "one in a script that a shell is given": ("sh -e plain.sh", "venv", "`sh` is no Python program"),
    "the first on PATH": ("./none.sh a b", "path", "`./none.sh` is a shell script"),
    "for another language too": ("rscript x.R", "path", "`rscript` is no Python program"),
    "behind a wrapper": ("nice ./none.sh", "path", "`./none.sh` is a shell script"),
}


@pytest.mark.parametrize(("command", "prefix", "reason"), GUESSES.values(), ids=GUESSES.keys())
def test_the_likeliest_interpreter_is_guessed(command, prefix, reason, here):
    environ = {"PATH": f"{here}/path:/usr/bin:/bin"}
    started = started_by(command.split(), environ=environ, directory=str(here))
    within = "python" if prefix == "path" else "bin/python"
    assert (started.guessed, started.target.python) == (True, str(here / prefix / within))
    assert started.reason == reason


def test_words_for_a_shell_are_read(here):
    words = ["sh", "-c", "cd /; exec venv/bin/python fit.py"]
    started = started_by(words, environ={"PATH": "/usr/bin:/bin"}, directory=str(here))
    assert (started.guessed, started.target.python) == (True, str(here / "venv/bin/python"))


def test_an_activated_environment_comes_before_one_here_and_that_before_path(here):
    environ = {"PATH": f"{here}/path:/usr/bin:/bin", "VIRTUAL_ENV": str(here / "venv")}
    directory = str(here / "local")
    assert started_by(["../none.sh"], environ=environ, directory=directory).target.python == f"{here}/venv/bin/python"
    del environ["VIRTUAL_ENV"]
    started = started_by(["../none.sh"], environ=environ, directory=directory)
    assert started.target.python == f"{here}/local/.venv/bin/python"


def test_a_broken_activated_environment_is_passed_over(here):
    environ = {"PATH": f"{here}/only3:/usr/bin:/bin", "VIRTUAL_ENV": str(here / "gone")}
    started = started_by(["./none.sh"], environ=environ, directory=str(here))
    assert started.target.python == f"{here}/only3/python3"


def test_where_there_is_no_python_there_is_no_target(here):
    started = started_by(["./none.sh"], environ={"PATH": "/none"}, directory=str(here))
    assert (started.target, started.guessed, started.reason) == (None, False, "`./none.sh` is a shell script")


@pytest.mark.parametrize("command", [[], ["env"], ["nice"]])
def test_no_command_at_all_is_guessed(command, here):
    started = started_by(command, environ={"PATH": f"{here}/path:/usr/bin:/bin"}, directory=str(here))
    assert started.guessed
    assert started.reason in {"there is no command", f"`{' '.join(command)}` runs no command"}


def test_a_first_line_too_long_for_the_kernel_is_a_shell_script(here):
    long = here / "long"
    long.write_text(f"#!{here}{'/' * 300}venv/bin/python\n")
    long.chmod(0o755)
    started = started_by(["./long"], environ={"PATH": f"{here}/path"}, directory=str(here))
    assert started.guessed


def test_scripts_that_start_each_other_end(here):
    for name, other in (("a", "b"), ("b", "a")):
        (here / name).write_text(f"#!{here}/{other}\n")
        (here / name).chmod(0o755)
    started = started_by(["./a"], environ={"PATH": f"{here}/path"}, directory=str(here))
    assert started.guessed
