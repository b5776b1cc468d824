"""I7: no secret enters a store that a run's command line, or the code that it ran, holds."""

import json
import shlex
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def under_version_control(workshop: Any) -> None:
    """Make the project a git work tree with a changed file and an untracked one."""
    for command in (["init", "-q"], ["add", "fit.py"], ["commit", "-qm", "fit"]):
        (workshop.project / "fit.py").write_text("x = 1\n")
        workshop.git(workshop.project, "-c", "user.name=Ann", "-c", "user.email=ann@example.org", *command)


def a_command_line(workshop: Any) -> list[list[str]]:
    words = [shlex.split(form) for form in workshop.type("run")]
    return [["run", "--", "true", *line] for line in words]


def variables_of_a_command(workshop: Any) -> list[list[str]]:
    return [["run", "--", "env", workshop.plant("env", "TOKEN={S}"), workshop.plant("a url", "X=h://a:{S}@h/"), "true"]]


def a_title_and_a_parameter(workshop: Any) -> list[list[str]]:
    title, parameter = workshop.plant("-m", "fit --token {S}"), workshop.plant("--param", "password={S}")
    return [["run", "-m", title, "--param", parameter, "--", "true"]]


def the_url_of_a_remote(workshop: Any) -> list[list[str]]:
    under_version_control(workshop)
    for name, url in (
        ("origin", "https://{S}@example.org/x.git"),
        ("other", "https://ann:{S}@example.org/x.git?a={S}"),
    ):
        workshop.git(workshop.project, "remote", "add", name, workshop.plant(name, url))
    url = workshop.plant("a url to push to", "https://ann:{S}@example.org/x.git")
    workshop.git(workshop.project, "remote", "set-url", "--push", "origin", url)
    return [["run", "--", "true"]]


def a_change_that_is_not_committed(workshop: Any) -> list[list[str]]:
    under_version_control(workshop)
    text = 'URL = "https://ann:{S}@example.org"\nHEADERS = {{"X-Api-Key": "{S}"}}\nHF = "hf_{S}{S}"\n'
    (workshop.project / "fit.py").write_text(workshop.plant("a tracked file", text))
    (workshop.project / "new.py").write_text(workshop.plant("an untracked file", text))
    return [["run", "--", sys.executable, "fit.py"]]


RUNS = {
    "a command line": a_command_line,
    "variables of a command": variables_of_a_command,
    "a title and a parameter": a_title_and_a_parameter,
    "the url of a remote": the_url_of_a_remote,
    "a change that is not committed": a_change_that_is_not_committed,
}
"""What `capsule run` meets: each plants secrets and returns the commands to run, of which each tells of them."""


@pytest.mark.slow
@pytest.mark.parametrize("plant", RUNS.values(), ids=RUNS)
def test_i7_no_secret_of_a_run_enters_a_store(plant, workshop):
    for command in plant(workshop):
        workshop.run(*command)
        assert "credential" in workshop.told()
    assert workshop.planted
    assert workshop.found() == {}


UNKNOWN = {
    "an entry point that is a url": (2, ".venv/bin/python", "https://ann:{S}@example.org/x.py"),
    "the reason of an unknown layer": (0, "env PATH=/nowhere", "DB_PASSWORD={S}"),
}


@pytest.mark.parametrize(("status", "program", "form"), UNKNOWN.values(), ids=UNKNOWN)
def test_i7_no_secret_in_what_is_no_program_enters_a_store(status, program, form, workshop):
    workshop.run("run", "--", *program.split(), workshop.plant("a word", form), status=status)
    assert "credential" in workshop.told()
    # Python says which file is missing, and `env` what is set: that is theirs to say.
    assert workshop.found().get("a word", set()) <= {"stdout", "stderr"}


def test_i7_no_secret_enters_an_entry_point(workshop):
    url = workshop.plant("a url", "https://ann:{S}@example.org/x.py")
    script = workshop.project / url
    script.parent.mkdir(parents=True)
    script.write_text("x = 1\n")
    workshop.run("run", "--", ".venv/bin/python", url)
    (entry,) = json.loads(workshop.run("log", "--json"))
    manifest = json.loads(workshop.run("show", "--json", entry["capsule_id"]))["manifest"]
    assert manifest["entry_point"] == "https:/example.org/x.py"


def test_i7_no_secret_of_an_output_that_is_a_url_enters_a_store(workshop):
    workshop.run("run", "--output", workshop.plant("--output", "https://ann:{S}@example.org/fit.csv"), "--", "true")
    assert workshop.found() == {}
