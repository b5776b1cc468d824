"""I7: no secret enters a store that people type in a title, a parameter or a label."""

import json
import shlex

import pytest

pytestmark = pytest.mark.slow


def test_control_a_secret_that_is_stored_is_found_wherever_it_is(workshop):
    title, parameter = workshop.plant("a title", "fit {S}"), workshop.plant("a parameter", "x={S}")
    workshop.run("add", "-m", title, "--param", parameter, env={"TZ": workshop.plant("a variable")})
    (workshop.home / ".cache" / "capsulestore").mkdir(parents=True, exist_ok=True)
    (workshop.home / ".cache" / "capsulestore" / "kept").write_text(workshop.plant("the cache"))
    (workshop.project / ".capsules" / "kept").write_text(workshop.plant("a file"))
    found = workshop.found()
    assert found["a title"] == {
        *("an object", "a loose object", "git log", "capsule log", "capsule show", ".capsules/capsulestore")
    }
    assert found["a parameter"] == found["a variable"] == {"an object", "capsule show"}
    assert found["the cache"] == {"the cache"}
    assert found["a file"] == {".capsules/kept"}
    workshop.run("capture", "--json", env={"TZ": workshop.planted["a variable"]})
    assert "stdout" in workshop.found()["a variable"]


@pytest.mark.slow
def test_i7_no_secret_in_a_title_enters_a_store(workshop, not_recorded):
    for title in workshop.type("title"):
        workshop.run("add", "-m", title, "--layer", "python")
        assert not_recorded.format("title") in workshop.told()
    assert workshop.found() == {}


@pytest.mark.parametrize(("option", "key"), [("--param", "parameters"), ("--label", "labels")])
def test_i7_no_secret_in_a_parameter_or_label_enters_a_store(option, key, workshop, not_recorded):
    given = [f"x{number}={text}" for number, text in enumerate(workshop.type(option))]
    given += [workshop.plant("a name", "db_password={S}"), workshop.plant("a list", 'x=["--password", "{S}"]')]
    workshop.run("add", *(word for text in given for word in (option, text)))
    assert not_recorded.format(key) in workshop.told()
    assert workshop.found() == {}


def test_i7_no_secret_in_a_parameter_as_json_enters_a_store(workshop, not_recorded):
    forms = workshop.type("--param-json")
    lists = [shlex.split(form) for form in workshop.type("a list")]
    names = {"password": [workshop.plant("a list of passwords")], "n": {"token": {"x": workshop.plant("a mapping")}}}
    keys = {workshop.plant("a key", "https://ann:{S}@example.org/x"): 1}
    given = [f"{name}={json.dumps(value)}" for name, value in zip("abcd", (forms, lists, names, keys), strict=True)]
    workshop.run("add", *(word for text in given for word in ("--param-json", text)))
    assert not_recorded.format("parameters") in workshop.told()
    assert workshop.found() == {}
