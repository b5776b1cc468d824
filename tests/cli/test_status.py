"""`capsule status`: in a few lines, whether the environment here is still that of the capsule added last."""

from __future__ import annotations

import pytest

FOUR, EIGHT = {"OMP_NUM_THREADS": "4"}, {"OMP_NUM_THREADS": "8"}


@pytest.fixture
def digest(capsule, store, project) -> str:
    for name in ("in.csv", "fit.csv"):
        (project / name).write_text("1")
    return capsule("add", "-m", "red \x1b[31m", "--input", "in.csv", "--output", "fit.csv", env=FOUR).line


def rows(done) -> dict[str, str]:
    """Return what is told, by the word that each line begins with."""
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in done.out.splitlines()}


def test_all_is_as_it_was(capsule, digest):
    done = capsule("status", env=FOUR)
    assert (done.status, done.err) == (0, "")
    assert rows(done) == {
        "capsule": rf"{digest[:12]}  red \x1b[31m",
        "environment": "identical",
        "files": "2 of 2 as recorded",
    }


def test_what_differs_is_told_in_short(capsule, digest, install, project):
    install("six==1.17.0")
    (project / "fit.csv").write_text("2")
    (project / "in.csv").unlink()
    done = capsule("status", env=EIGHT)
    assert done.status == 1
    told = rows(done)
    assert told["environment"] == "different: six 1.16.0 → 1.17.0"
    assert told["context"] == "differs: OMP_NUM_THREADS 4 → 8"
    assert told["files"].startswith("0 of 2 as recorded: ")
    assert "fit.csv changed" in told["files"]
    assert "in.csv missing" in told["files"]
    assert "\x1b" not in done.out


@pytest.mark.slow
def test_context_alone_or_a_file_that_is_not_here_is_no_difference(capsule, digest, project):
    (project / "in.csv").unlink()
    done = capsule("status", env=EIGHT)
    assert done.status == 0
    assert rows(done)["environment"] == "identical"
    assert rows(done)["context"] == "differs: OMP_NUM_THREADS 4 → 8"


def test_as_json_it_answers_as_verify_does(capsule, digest):
    answer = capsule("status", "--json", env=EIGHT).json
    assert answer == capsule("verify", "--json", env=EIGHT).json
    assert (answer["capsule_id"], answer["verdict"]) == (digest, "identical")


def test_many_differences_are_told_by_the_first_few(capsule, store, project):
    packages = ", ".join(f'"gone-{number}": {{"version": "1"}}' for number in range(9))
    (project / "e.json").write_text(f'{{"python": {{"rules": 1, "packages": {{{packages}}}}}}}')
    capsule("add", "--environment", "e.json", "-m", "of others")
    done = capsule("status")
    assert done.status == 1
    (line,) = [line for line in done.out.splitlines() if line.startswith("environment")]
    assert line.count("→") == 3
    assert line.rstrip().endswith("more")


@pytest.mark.slow
def test_one_layer_alone(capsule, digest):
    assert capsule("status", "--layer", "variables", env=EIGHT).status == 1
    assert capsule("status", "--layer", "python", env=EIGHT).status == 0


def test_what_is_wrong_ends_with_its_status(capsule, store):
    nothing = capsule("status")
    assert (nothing.status, nothing.out) == (3, "")
    assert "capsule add" in nothing.err
    for words, status in ((["@"], 2), (["--python", "nowhere/python"], 6)):
        assert capsule("status", *words).status == status, words
