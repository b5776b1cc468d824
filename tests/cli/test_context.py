"""Context: recorded beside the environment, told beside the verdict, and counted where that is asked for."""

from __future__ import annotations

import json

import pytest

CONTEXT_LAYERS = {"system", "variables", "host"}
FOUR, EIGHT = {"OMP_NUM_THREADS": "4"}, {"OMP_NUM_THREADS": "8"}
TOLD = "context: OMP_NUM_THREADS 4 → 8"
CHANGE = {
    "layer": "variables",
    "collection": "process",
    "entry": "OMP_NUM_THREADS",
    "change": "changed",
    "a": "4",
    "b": "8",
    "fields": [],
}


@pytest.fixture
def added(capsule, store) -> str:
    """A capsule that was recorded with four threads."""
    return capsule("add", "-m", "with four threads", env=FOUR).line


@pytest.fixture
def add_document(capsule, project):
    """Register what was captured here after a change to it: `add_document(change, title)`."""

    def add_document(change, title: str) -> str:
        document = capsule("capture", "--json", env=FOUR).json
        document = change(document) or document
        (project / "environment.json").write_text(json.dumps(document))
        return capsule("add", "--environment", "environment.json", "-m", title).line

    return add_document


def matches(answer: dict) -> dict:
    return {layer["layer"]: layer["match"] for layer in answer["layers"]}


def test_add_records_the_context_beside_the_environment(capsule, added):
    answer = capsule("show", "--json").json
    assert answer["environment"].keys() == {"python"}
    assert answer["context"].keys() >= CONTEXT_LAYERS
    assert answer["context"]["variables"]["process"]["OMP_NUM_THREADS"] == "4"
    assert answer["context"]["host"]["kernel"]["name"] == "Linux"
    assert all(layer["rules"] == 1 for layer in answer["context"].values())
    states = answer["manifest"]["layers"]
    assert {name: states[name] for name in CONTEXT_LAYERS} == dict.fromkeys(CONTEXT_LAYERS, states["python"])
    assert capsule("show", "@:context/variables/process/OMP_NUM_THREADS", "--json").json["value"] == "4"
    assert "OMP_NUM_THREADS=4" in capsule("show").out


def test_what_differs_in_the_context_is_told_beside_the_verdict(capsule, added):
    done = capsule("verify", env=EIGHT)
    assert done.status == 0
    assert done.out.startswith("identical to ")
    assert f"  {TOLD}\n" in done.out
    same = capsule("verify", env=FOUR)
    assert (same.status, "context" in same.out) == (0, False)
    answer = capsule("verify", "--json", env=EIGHT).json
    assert (answer["match"], answer["verdict"], answer["changes"]) == (True, "identical", [])
    assert answer["context_changes"] == [CHANGE]
    assert answer["reasons"] == [TOLD]
    assert matches(answer) == {"python": True}


@pytest.mark.parametrize(
    ("options", "layers"),
    [
        (["--strict"], {"python": True, "system": True, "variables": False}),
        (["--layer", "variables"], {"variables": False}),
    ],
    ids=" ".join,
)
def test_it_counts_where_that_is_asked_for(capsule, added, options, layers):
    done = capsule("verify", *options, "--json", env=EIGHT)
    assert done.status == 1
    answer = done.json
    assert (answer["match"], answer["verdict"]) == (False, "different")
    assert (answer["changes"], answer["context_changes"]) == ([CHANGE], [])
    assert matches(answer) == layers
    text = capsule("verify", *options, env=EIGHT)
    assert (text.status, text.out.startswith("different")) == (1, True)
    assert "    OMP_NUM_THREADS  4 → 8\n" in text.out


def test_other_layers_say_nothing_of_it(capsule, added):
    for layer in ("python", "host"):
        answer = capsule("verify", "--layer", layer, "--json", env=EIGHT).json
        assert (answer["verdict"], matches(answer)) == ("identical", {layer: True})
        assert answer["context_changes"] == answer["changes"] == answer["reasons"] == []


@pytest.mark.slow
def test_a_package_that_differs_outweighs_what_differs_beside(capsule, added, install):
    install("six==1.17.0")
    done = capsule("verify", "--json", env=EIGHT)
    assert (done.status, done.json["verdict"]) == (1, "different")
    assert [change["entry"] for change in done.json["changes"]] == ["six"]
    assert done.json["context_changes"] == [CHANGE]
    assert done.json["reasons"][1:] == [TOLD]


@pytest.mark.parametrize("how", ["a bare mapping", pytest.param("one layer", marks=pytest.mark.slow)])
def test_context_that_was_not_recorded_is_not_comparable_where_it_is_to_count(capsule, store, add_document, how):
    if how == "one layer":
        capsule("add", "--layer", "python")
    else:
        add_document(lambda document: document["environment"], "a bare mapping")
    done = capsule("verify", "--strict", "--json", env=EIGHT)
    assert (done.status, done.json["verdict"]) == (1, "not comparable")
    assert matches(done.json) == {"python": True, "system": None, "variables": None}
    assert done.json["reasons"] == [
        "system: not looked at when it was captured",
        "variables: not looked at when it was captured",
    ]
    assert done.json["context_changes"] == []
    done = capsule("verify", "--strict", env=EIGHT)
    assert done.out.startswith("not comparable")
    assert "variables: not looked at when it was captured" in done.out


@pytest.mark.parametrize("rules", [99, pytest.param(None, marks=pytest.mark.slow)], ids=["a number", "none"])
def test_context_by_rules_that_are_unknown_leaves_the_verdict_and_is_told(capsule, store, add_document, rules):
    def of_other_rules(document):
        document["context"]["system"] = {"rules": rules, "os": {"id": "debian"}}
        if rules is None:
            del document["context"]["system"]["rules"]

    add_document(of_other_rules, "by other rules")
    reason = "this release does not know rules 99" if rules == 99 else "it says no rules to capture it by"
    done = capsule("verify", "--json", env=FOUR)
    assert (done.status, done.json["verdict"]) == (0, "identical")
    assert done.json["reasons"] == [f"context: system cannot be seen now ({reason})"]
    assert done.json["context_changes"] == []
    strict = capsule("verify", "--strict", "--json", env=FOUR)
    assert (strict.status, strict.json["verdict"]) == (1, "not comparable")
    assert strict.json["reasons"] == [f"system: cannot be seen now ({reason})"]


@pytest.mark.slow
def test_a_layer_of_context_that_is_unknown_is_kept_and_makes_no_difference(capsule, store, add_document):
    def with_a_layer(document):
        document["context"]["site"] = {"rules": 1, "modules": {"gcc": "12"}}

    add_document(with_a_layer, "with a layer of its own")
    assert capsule("show", "@:context/site/modules/gcc", "--json").json["value"] == "12"
    assert capsule("verify", "--strict", env=FOUR).status == 0


def test_diff_compares_layers_of_context_where_they_are_named(capsule, added, store):
    second = capsule("add", "-m", "with eight", env=EIGHT).line
    done = capsule("diff", added, second, "--layer", "variables", "--json")
    assert done.status == 1
    assert done.json.keys() == {"a", "b", "identical", "changes", "unseen"}
    assert (done.json["identical"], done.json["changes"]) == (False, [CHANGE])
    text = capsule("diff", added, second, "--layer", "variables")
    assert text.out.splitlines() == ["variables/process", "  OMP_NUM_THREADS  4 → 8"]
    assert capsule("diff", added, second, "--layer", "system", "--layer", "python").status == 0
    here = capsule("diff", added, "--layer", "variables", "--json", env=EIGHT)
    assert (here.status, here.json["changes"]) == (1, [CHANGE])


def test_diff_says_which_side_has_no_context(capsule, added, store, project):
    (project / "bare.json").write_text('{"python": {"rules": 1}}')
    capsule("add", "--environment", "bare.json", "-m", "bare")
    done = capsule("diff", added, "@", "--layer", "system")
    assert (done.status, done.out) == (3, "")
    assert "`@` has no " in done.err


@pytest.mark.slow
def test_packages_of_the_system_that_differ_are_told_by_name_or_by_number(capsule, store, add_document):
    def without(count):
        def change(document):
            for manager in document["context"]["system"].get("packages", {}).values():
                for name in sorted(manager)[:count]:
                    manager[name] = "0"

        return change

    if "packages" not in capsule("capture", "--json").json["context"]["system"]:
        pytest.skip("no package manager of the system is known here")
    add_document(without(1), "one")
    assert "context: OS package " in capsule("verify", env=FOUR).out
    add_document(without(12), "twelve")
    done = capsule("verify", env=FOUR)
    assert (done.status, "context: 12 OS packages\n" in done.out) == (0, True)
    strict = capsule("verify", "--strict", "--json", env=FOUR)
    assert (strict.status, strict.json["verdict"]) == (1, "different")
    (change,) = strict.json["changes"]
    assert (change["layer"], change["collection"], len(change["fields"])) == ("system", "packages", 12)


def test_strict_counts_beside_the_layers_that_are_named(capsule, added):
    done = capsule("verify", "--strict", "--layer", "python", "--json", env=EIGHT)
    assert (done.status, done.json["verdict"]) == (1, "different")
    assert matches(done.json) == {"python": True, "system": True, "variables": False}


def test_what_was_not_seen_whole_is_no_difference(capsule, store, project):
    """As with a package manager at work: what is missing then is no change."""
    capsule("add", env={"TZ": "x" * 40_000, **FOUR})
    manifest = capsule("show", "--json").json["manifest"]
    assert "TZ" in manifest["layers"]["variables"]["unknown"]
    done = capsule("verify", "--json", env={"TZ": "UTC", **EIGHT})
    assert (done.status, done.json["verdict"], done.json["context_changes"]) == (0, "identical", [])
    assert any("variables was not seen whole" in reason for reason in done.json["reasons"])
    strict = capsule("verify", "--strict", "--json", env={"TZ": "UTC", **EIGHT})
    assert (strict.status, strict.json["verdict"]) == (1, "not comparable")


def test_diff_of_a_layer_that_one_side_never_had_is_no_difference_but_an_error(capsule, added, store):
    lean = capsule("add", "--layer", "python", "-m", "lean").line
    done = capsule("diff", lean, added, "--layer", "system")
    assert (done.status, done.out) == (3, "")
    assert "was not looked at" in done.err
