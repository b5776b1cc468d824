"""A client and a real server: what is registered there, found again, and told of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from capsulestore.artifact_registry import get_capsule, register_capsule, verify_capsule
from capsulestore.client import Client
from capsulestore.errors import (
    FileProblem,
    InvalidValue,
    MalformedName,
    RemoteRefused,
    UnknownName,
    UsageError,
)
from capsulestore.runtime_capture import compute_environment_digest
from capsulestore.store import Store

SAID = {
    "description": "a line\nand another",
    "command": ["python", "fit.py", "ü"],
    "entry_point": "fit.py",
    "parameters": {"alpha": 0.5, "n": 3, "x": None, "large": 1e20, "nested": {"a": [1.0, -0.0]}},
    "labels": {"project": "tides"},
    "inputs": ["data"],
    "outputs": ["*.csv"],
    "status": "completed",
}


@pytest.fixture
def here(project) -> Iterator[Store]:
    """A store in the working directory, which registers the same as the server does."""
    with Store.init(str(project)) as store:
        yield store


def test_what_is_registered_there_is_the_capsule_that_it_would_be_here(client, server, here, captured):
    there = client.register("first fit", environment_capture=captured, **SAID)
    assert there == register_capsule("first fit", environment_capture=captured, **SAID)
    assert there["registered"] is True
    assert client.register("first fit", environment_capture=captured, **SAID) == there | {"registered": False}
    assert get_capsule(there["capsule_id"], store=server.store)["registrations"][0]["author"] == "ada <>"


@pytest.mark.parametrize(
    "kept", [["environment_digest", "environment"], ["environment_digest", "environment", "states"]]
)
def test_a_part_of_a_capture_is_the_same_there_and_here(kept, client, here, captured):
    part = {key: captured[key] for key in kept}
    assert client.register("part", environment_capture=part) == register_capsule("part", environment_capture=part)


def test_a_bare_environment_is_the_same_there_and_here(client, here, elsewhere):
    there = client.register("bare", environment_capture=elsewhere)
    assert there == register_capsule("bare", environment_capture=elsewhere)
    assert there["environment_digest"] == compute_environment_digest(elsewhere)


def test_without_an_environment_the_running_one_is_captured(client, project, captured):
    recorded = client.register("running", layers=["python", "variables"])
    assert recorded["environment_digest"] == captured["environment_digest"]


def test_parents_are_names_there(client, server, elsewhere, project):
    parent = client.register("a parent", environment_capture=elsewhere)["capsule_id"]
    with Store(server.store) as store:
        store.tags.set("paper/first", store.resolve_capsule(parent))
    child = client.register("a child", environment_capture=elsewhere, parents=["paper/first", parent[:12]])
    assert client.capsule(child["capsule_id"])["manifest"]["parents"] == [parent]
    assert client.capsule("paper/first")["capsule_id"] == parent
    with pytest.raises(UnknownName, match="nowhere"):
        client.register("an orphan", environment_capture=elsewhere, parents=["nowhere"])


def test_what_looks_like_credentials_never_leaves(client, elsewhere, project, caplog):
    document = {
        "environment_digest": compute_environment_digest(elsewhere),
        "environment": elsewhere,
        "context": {"conda": {"channels": {"a": "https://ada:secret@conda.example.org/t/a1b2"}}},
    }
    with caplog.at_level(logging.WARNING, "capsulestore"):
        recorded = client.register("keys", environment_capture=document, parameters={"password": "secret"})
    assert "parameters, context: held what looks like credentials" in caplog.text
    assert "secret" not in json.dumps([client.capsule(recorded["capsule_id"]), client.environment("@")])


def test_a_capsule_is_found_by_what_is_said_of_it(client, elsewhere, project):
    fit = client.register("found again", environment_capture=elsewhere, labels={"kind": "fit", "site": "a"})
    other = client.register("found too", environment_capture=elsewhere, labels={"kind": "fit"})

    def found(**said: object) -> list[str]:
        return [capsule["title"] for capsule in client.capsules(title="FOUND", **said)]

    assert found() == ["found too", "found again"]
    assert found(labels={"kind": "fit", "site": None}) == ["found again"]
    assert found(packages=["numpy<2"], environment=fit["environment_digest"]) == found()
    assert found(packages=["numpy>=2"]) == found(until="2001-01-01") == []
    assert found(since=datetime.now(UTC) - timedelta(hours=1)) == found()
    assert found(limit=1) == ["found too"]
    assert found(limit=0) == []
    assert other["environment_digest"] == fit["environment_digest"]


def test_a_list_goes_on_over_pages_and_each_capsule_is_on_it_once(client, elsewhere, project, server):
    with Store(server.store) as store:
        before = len(store.index.capsules())
    for number in range(3):
        client.register(f"page {number}", environment_capture=elsewhere)
    with client:
        listed = [capsule["capsule_id"] for capsule in client.capsules()]
        assert len(set(listed)) == len(listed) == before + 3
        assert [capsule["capsule_id"] for capsule in client.capsules(limit=2)] == listed[:2]


def test_verifying_answers_what_it_answers_on_the_servers_machine(client, server, captured, elsewhere, project):
    capsule_id = client.register("verified", environment_capture=captured, outputs=["fit.csv"])["capsule_id"]
    answer = client.verify(capsule_id, layers=["python"])
    assert answer == verify_capsule(capsule_id, layers=["python"], store=server.store) | {"target": answer["target"]}
    assert (answer["verdict"], answer["files"]) == ("identical", [{"path": "fit.csv", "state": "missing"}])
    assert client.verify(capsule_id, captured)["verdict"] == "identical"
    sent = client.verify(capsule_id, elsewhere)
    assert (sent["verdict"], sent["target"]) == ("different", None)
    assert sent["current_digest"] == compute_environment_digest(elsewhere)


def test_an_environment_comes_back_as_it_went(client, captured, project):
    capsule_id = client.register("there and back", environment_capture=captured)["capsule_id"]
    document = client.environment(capsule_id)
    assert document["environment"] == captured["environment"]
    assert client.register("there and back", environment_capture=document)["capsule_id"] == capsule_id


def test_two_are_compared(client, captured, elsewhere, project):
    a = client.register("a", environment_capture=elsewhere)["capsule_id"]
    b = client.register("b", environment_capture=captured)["capsule_id"]
    answer = client.compare(a, b)
    assert answer["identical"] is False
    assert {"numpy", "pytest"} <= {change["entry"] for change in answer["changes"]}


def test_its_health_is_told_to_whoever_asks(server):
    assert Client(f"{server.url}/").health()["status"] == "ok"


def test_who_has_no_token_may_read_here_and_not_register(server, client, elsewhere, project):
    nobody = Client(server.url)
    assert next(nobody.capsules())
    with pytest.raises(RemoteRefused, match="token") as error:
        nobody.register("no", environment_capture=elsewhere)
    assert "`capsule token create NAME --scope write`" in error.value.hint
    assert error.value.hint.endswith("`token=`")
    with pytest.raises(RemoteRefused, match="403"):
        Client(server.url, token=server.token("reader", "read")).register("no", environment_capture=elsewhere)
    with pytest.raises(RemoteRefused, match="401"):
        list(Client(server.url, token="capsule_" + "x" * 43).capsules())


def test_names_that_lead_nowhere_are_the_errors_that_they_are_here(client):
    with pytest.raises(UnknownName):
        client.capsule("f" * 64)
    with pytest.raises(UnknownName, match="nothing is called"):
        client.verify("nothing/of/the/kind")
    with pytest.raises(MalformedName):
        client.capsule("a:b~c")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"title": ""}, UsageError),
        ({"title": "x", "outputs": ["absent.csv"]}, FileProblem),
        ({"title": "x", "outputs": "fit.csv"}, UsageError),
        ({"title": "x", "environment_capture": {"python": 3}}, InvalidValue),
        ({"title": "x", "environment_capture": {}}, InvalidValue),
        ({"title": "x", "environment_capture": {"python": {"rules": float("nan")}}}, InvalidValue),
        ({"title": "x", "python": "python3"}, UsageError),
    ],
)
def test_what_makes_no_sense_is_the_error_that_it_is_here(said, error, client, here, elsewhere):
    said = {"environment_capture": elsewhere} | said
    with pytest.raises(error) as there:
        client.register(**said)
    with pytest.raises(error) as locally:
        register_capsule(**said)
    assert there.value.message == locally.value.message


@pytest.mark.parametrize(
    "said",
    [
        {"packages": "numpy"},
        {"limit": -1},
        {"limit": "3"},
        {"labels": ["team"]},
        {"labels": "team"},
        {"title": ["fit"]},
        {"environment": 3},
        {"since": 2026},
    ],
    ids=str,
)
def test_a_filter_of_the_wrong_kind_is_a_mistake_before_anything_is_asked(said, client):
    with pytest.raises(UsageError):
        client.capsules(**said)


def test_what_only_the_server_can_tell_is_the_same_kind_of_mistake(client, here, elsewhere):
    for register in (client.register, register_capsule):
        with pytest.raises(InvalidValue, match="status"):
            register("x", environment_capture=elsewhere, status="done")


def test_a_filter_that_the_server_does_not_understand_is_a_mistake_too(client):
    for said in ({"packages": ["numpy<<2"]}, {"since": "yesterday"}):
        with pytest.raises((InvalidValue, UsageError)):
            list(client.capsules(**said))
