"""What is declared is told by name alone, as glob would match it if it were there; glob is the judge."""

import os
from glob import glob

import pytest

from capsulestore.capture.code.declared import Declared, recorded_declared

FILES = ["a.csv", "b.txt", ".hidden.csv", "results/a.csv", "results/deep/b.csv", "results/.x/c.csv", "r[1]/a.csv"]
PATTERNS = [
    *("*.csv", "results/*", "results/*.csv", "results/**/*.csv", "**/*.csv", "**/deep/*", "results/**", ".*.csv"),
    *("results/.x/*", "res?lts/a.csv", "[ab].*", "[!a].txt", "r[[]1]/*", "results/../*.csv", "./*.txt", "**/.x/*"),
]


@pytest.fixture(params=["plain", "wi[t]h *"])
def top(request, tmp_path):
    """A directory of files, whatever it is called."""
    for file in FILES:
        path = tmp_path.resolve() / request.param / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path.resolve() / request.param


def held(declared, top):
    return {file for file in FILES if declared.holds(os.fsencode(top / file))}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_holds_what_glob_finds_and_all_below_it(top, monkeypatch, pattern):
    monkeypatch.chdir(top)
    found = [os.path.normpath(path) for path in glob(pattern, recursive=True)]
    assert found
    expected = {file for file in FILES if any(file == path or file.startswith(f"{path}/") for path in found)}
    if pattern == "results/**":
        expected = {file for file in FILES if file.startswith("results/")}
    assert held(Declared.of([pattern], str(top)), top) == expected


@pytest.mark.parametrize("given", ["results", "a.csv", "r[1]/a.csv", "r[1]", *PATTERNS])
def test_what_is_recorded_holds_the_same(top, given):
    for directory, typed in ((top, given), (top / "results", f"../{given}"), (top, str(top / given))):
        if typed.startswith("/") and "*" in str(top):
            continue  # typed whole, the directory's name is a pattern too
        for root in (top, top.parent, top / "results"):
            recorded = recorded_declared([typed], str(directory), str(root))
            assert held(Declared.of(recorded, str(root)), top) == held(Declared.of([given], str(top)), top)


def test_a_link_is_declared_by_its_name_and_by_where_it_leads(top):
    (top / "link").symlink_to("results")
    for given in ("link", "link/*.csv"):
        assert "results/a.csv" in held(Declared.of([given], str(top)), top)


def test_nothing_declared_holds_nothing(top):
    assert held(Declared.of([], str(top)), top) == set()
    assert recorded_declared([], str(top), str(top)) == []
