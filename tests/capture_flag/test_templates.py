"""Paths in terms of a script's parameters."""

import sys
from glob import glob
from pathlib import Path

import pytest

from capsulestore.capture_flag.templates import filled, value_of


@pytest.mark.parametrize(
    ("template", "parameters", "paths"),
    [
        ("fit.csv", {}, ["fit.csv"]),
        ("{out}", {"out": "a"}, ["a"]),
        ("{out}/*.csv", {"out": Path("a")}, ["a/*.csv"]),
        ("{out}/{out}.csv", {"out": ["a", "b"]}, ["a/a.csv", "b/b.csv"]),
        ("{out}/{name}.csv", {"out": ("a", "b"), "name": [1, 2]}, ["a/1.csv", "a/2.csv", "b/1.csv", "b/2.csv"]),
        ("{out}", {"out": [["a", "b"], ["c", "a"]]}, ["a", "b", "c"]),
        ("{out}", {"out": b"\xff"}, ["\udcff"]),
        ("{out}/x", {"out": "{name}", "name": "b"}, ["{name}/x"]),
        ("{}/{ out}/{a.b}", {"out": "a"}, ["{}/{ out}/{a.b}"]),
    ],
)
def test_a_name_in_braces_stands_for_the_value_of_that_parameter(template, parameters, paths):
    assert filled([template], parameters) == (paths, [])


@pytest.mark.parametrize("value", [None, [], (), "", "-", sys.__stdout__])
def test_a_parameter_that_names_no_file_gives_no_path(value):
    assert filled(["{out}/*.csv", "{out}"], {"out": value}) == ([], [])


def test_a_name_that_is_no_parameter_is_told_and_the_others_hold():
    paths, problems = filled(["{uot}/*.csv", "{out}"], {"out": "a"})
    assert paths == ["a"]
    assert problems == ["`{uot}/*.csv`: the script has no parameter `uot`"]


def test_what_a_pattern_would_take_for_one_in_a_value_stands_for_itself(tmp_path):
    for name in ("a[1]", "a1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "fit.csv").touch()
    ((pattern,), _) = filled(["{out}/*.csv"], {"out": tmp_path / "a[1]"})
    assert glob(pattern) == [str(tmp_path / "a[1]" / "fit.csv")]
    assert filled(["{out}/fit.csv"], {"out": "a[1]"})[0] == ["a[1]/fit.csv"]


def test_an_open_file_is_known_by_its_name(tmp_path):
    with (tmp_path / "fit.csv").open("w") as file:
        assert value_of(file) == str(tmp_path / "fit.csv")
        assert filled(["{out}"], {"out": file})[0] == [str(tmp_path / "fit.csv")]
    assert value_of(Path("fit.csv")) == Path("fit.csv")
