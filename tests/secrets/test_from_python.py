"""I7: no secret enters a store that a program hands over, in whichever argument."""

import json
import logging
import shlex

import pytest

from capsulestore.artifact_registry import get_capsule, register_capsule, verify_capsule
from capsulestore.errors import InvalidValue
from capsulestore.runtime_capture import compute_environment_digest

pytestmark = pytest.mark.slow

HAND_MADE = {"python": {"rules": 1, "packages": {"numpy": {"version": "2.1.0"}}}}


@pytest.fixture
def register(workshop, caplog, monkeypatch):
    """Register a capsule in the workshop's store; what is answered and logged is looked through too."""
    monkeypatch.chdir(workshop.project)

    def register(title="a capsule", **given):
        caplog.clear()
        with caplog.at_level(logging.DEBUG):
            answer = register_capsule(title, **{"environment_capture": HAND_MADE, **given})
        workshop.said.append((json.dumps([answer, get_capsule("@")]), caplog.text))
        return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]

    return register


def test_control_a_secret_that_is_no_secrets_form_is_found(register, workshop):
    register(title=workshop.plant("a title", "fit {S}"))
    assert {"an object", "stdout", "git log"} <= workshop.found()["a title"]


@pytest.mark.slow
def test_i7_no_secret_in_a_text_enters_a_store(register, workshop, not_recorded):
    for title, description, entry_point in zip(*map(workshop.type, ("title", "text", "entry point")), strict=True):
        told = register(title, description=description, entry_point=entry_point)
        assert told == [not_recorded.format("title, description, entry_point")]
    assert workshop.found() == {}


def test_i7_no_secret_in_a_command_a_parameter_or_a_label_enters_a_store(register, workshop, not_recorded):
    told = register(
        command=shlex.split(workshop.plant("a command", "fit --password {S}")),
        parameters={
            "texts": workshop.type("parameters"),
            "words": [shlex.split(form) for form in workshop.type("words")],
            "password": workshop.plant("a password"),
            "n": {"token": (workshop.plant("a tuple"), {workshop.plant("a set")})},
            workshop.plant("a key", "https://ann:{S}@example.org/x"): 1,
        },
        labels={"texts": workshop.type("labels"), "api_key": workshop.plant("bytes").encode()},
    )
    assert workshop.found() == {}
    assert not_recorded.format("command, parameters, labels") in told


def test_i7_no_secret_in_a_context_that_is_handed_over_enters_a_store(register, workshop, not_recorded):
    url = workshop.plant("a context", "https://ann:{S}@example.org/x?token=1")
    context = {"python": {"rules": 1, "sources": {"numpy": {"url": url, "others": [url]}}}}
    document = {"environment_digest": compute_environment_digest(HAND_MADE), "environment": HAND_MADE}
    assert register(environment_capture=document | {"context": context}) == [not_recorded.format("context")]
    sources = get_capsule("@")["context"]["python"]["sources"]
    assert sources == {"numpy": {"url": "https://example.org/x", "others": ["https://example.org/x"]}}
    assert workshop.found() == {}


def test_i7_an_environment_with_a_secret_in_a_url_is_refused_without_telling_it(register, workshop):
    url = workshop.plant("an environment", "https://ann:{S}@example.org/x")
    for entry, path in (({"urls": [url]}, "numpy/urls[0]"), ({url: 1}, "numpy")):
        environment = {"python": {"packages": {"numpy": entry}}}
        with pytest.raises(InvalidValue) as caught:
            register(environment_capture=environment)
        reason = "looks like a credential, or a url with a user, a query or a fragment, which no store takes"
        assert caught.value.message == f"python/packages/{path}: {reason}"
        workshop.said.append((caught.value.message, ""))
    assert workshop.found() == {}


def test_i7_of_variables_that_are_handed_over_those_on_the_list_alone_are_kept(register, workshop):
    process = {
        "OMP_NUM_THREADS": "4",
        "PASSWORD": workshop.plant("a variable"),
        "AWS_SECRET": workshop.plant("another"),
    }
    context = {"variables": {"rules": 1, "process": process}}
    environment = {"environment": HAND_MADE, "environment_digest": compute_environment_digest(HAND_MADE)}
    register(environment_capture={**environment, "context": context})
    assert get_capsule("@")["context"]["variables"]["process"] == {"OMP_NUM_THREADS": "4"}
    assert workshop.found() == {}


def test_i7_an_environment_with_a_token_is_refused(register, workshop):
    packages = {"numpy": {"version": "2.1.0", "note": workshop.plant("a note", "ghp_{S}{S}")}}
    with pytest.raises(InvalidValue) as caught:
        register(environment_capture={"python": {"rules": 1, "packages": packages}})
    assert caught.value.path == ("python", "packages", "numpy", "note")
    assert workshop.found() == {}


def test_i7_a_verification_keeps_no_secret_of_the_environment_here(register, workshop, monkeypatch):
    register()
    monkeypatch.setenv("PIP_INDEX_URL", workshop.plant("a variable", "https://ann:{S}@example.org/simple"))
    monkeypatch.setenv("API_TOKEN", workshop.plant("a token"))
    answer = verify_capsule("@", python=".venv", record=True, strict=True)
    workshop.said.append((json.dumps([answer, get_capsule("@")]), ""))
    assert answer["verdict"] == "different"
    assert workshop.found() == {}
