"""What `--json` answers with: keys that programs rely on, only ever added to."""

from __future__ import annotations

import pytest


@pytest.fixture
def digest(capsule, store):
    return capsule("add", "-m", "first").line


def test_init_answers_with_the_store(capsule, project):
    assert capsule("init", "--json").json == {"store": str(project / ".capsules")}


def test_capture_answers_with_the_whole_environment(capsule, project):
    answer = capsule("capture", "--json").json
    assert answer.keys() == {"environment_digest", "layers", "states", "environment", "context", "target", "findings"}
    assert answer["environment"]["python"]["packages"]["six"]["version"] == "1.16.0"
    assert answer["layers"].keys() == answer["environment"].keys() == {"python"}


def test_add_answers_with_digests_and_whether_it_was_new(capsule, store):
    first, second = (capsule("add", "--json").json for _ in range(2))
    assert first.keys() == {"capsule_id", "environment_digest", "registered"}
    assert first["registered"] is True
    assert second == first | {"registered": False}


def test_show_answers_with_all_of_a_capsule(capsule, digest):
    answer = capsule("show", digest, "--json").json
    assert answer.keys() >= {
        "kind",
        "capsule_id",
        "environment_digest",
        "layers",
        "manifest",
        "context",
        "tags",
        "statements",
        "registrations",
    }
    assert (answer["kind"], answer["capsule_id"]) == ("capsule", digest)
    assert answer["manifest"]["environment_digest"] == answer["environment_digest"]
    (registration,) = answer["registrations"]
    assert registration["title"] == "first"


def test_show_answers_with_an_environment_a_layer_and_an_entry(capsule, digest):
    whole = capsule("show", digest, "--json").json
    environment = capsule("show", whole["environment_digest"], "--json").json
    assert environment.keys() == {"kind", "environment_digest", "layers", "environment"}
    assert environment["kind"] == "environment"
    layer = capsule("show", f"{digest}:python", "--json").json
    assert (layer["kind"], layer["digest"]) == ("layer", whole["layers"]["python"])
    assert layer["value"] == environment["environment"]["python"]
    entry = capsule("show", "@:python/packages/six", "--json").json
    assert (entry["kind"], entry["value"]["version"]) == ("entry", "1.16.0")
    assert capsule("show", "@:context/python/rules", "--json").json["value"] == 1


def test_verify_answers_with_a_verdict_and_its_reasons(capsule, digest, install):
    assert capsule("verify", "--json").json["match"] is True
    install("six==1.17.0")
    done = capsule("verify", "--json")
    answer = done.json
    assert answer.keys() == {
        "capsule_id",
        "match",
        "verdict",
        "captured_digest",
        "current_digest",
        "layers",
        "changes",
        "context_changes",
        "code",
        "files",
        "reasons",
        "failures",
        "target",
    }
    assert (done.status, answer["match"], answer["verdict"]) == (1, False, "different")
    (layer,) = answer["layers"]
    assert layer.keys() == {"layer", "captured", "current", "match"}
    (change,) = answer["changes"]
    assert change.keys() == {"layer", "collection", "entry", "change", "a", "b", "fields"}
    assert (change["layer"], change["collection"], change["entry"]) == ("python", "packages", "six")
    assert (change["change"], change["a"]["version"], change["b"]["version"]) == ("changed", "1.16.0", "1.17.0")
    assert change["fields"] == ["content", "version"]
    assert answer["reasons"] == ["python/packages: six 1.16.0 → 1.17.0"]


def test_diff_answers_with_both_digests_and_an_item_for_each_entry(capsule, digest, install):
    first = capsule("show", "--json").json["environment_digest"]
    install("idna==3.7")
    second = capsule("add", "-m", "second", "--json").json["environment_digest"]
    done = capsule("diff", digest, "@", "--json")
    assert done.status == 1
    assert done.json.keys() == {"a", "b", "identical", "changes", "unseen"}
    assert (done.json["a"], done.json["b"], done.json["identical"]) == (first, second, False)
    assert [change["entry"] for change in done.json["changes"]] == ["idna"]
    assert capsule("diff", first, digest, "--json").json["identical"] is True


def test_an_error_is_one_json_object_on_stderr(capsule, store):
    import json  # noqa: PLC0415

    hint = "a name is a digest, four or more of its digits, a tag, or @"
    for arguments in (("show", "nobody", "--json"), ("--json", "show", "nobody")):
        done = capsule(*arguments)
        assert (done.status, done.out) == (3, "")
        assert json.loads(done.err) == {
            "error": {"code": "unknown_name", "message": "nothing is called `nobody`", "hint": hint}
        }
