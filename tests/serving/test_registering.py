"""Registering what was captured elsewhere."""

import subprocess
from urllib.parse import urljoin

import pytest
from capsule_servers import environment_of

from capsulestore.artifact_registry import get_capsule, register_capsule
from capsulestore.model.mapping import encode_mapping
from capsulestore.store import Store

ENVIRONMENT = environment_of(numpy="2.1.0")
DOCUMENT = {
    "environment_digest": str(encode_mapping(ENVIRONMENT).id),
    "environment": ENVIRONMENT,
    "context": {"variables": {"rules": 1, "process": {"LANG": "C.UTF-8"}}},
    "states": {"python": "captured", "conda": "none", "variables": "captured"},
    "layers": {"python": "passed over"},
}
SECRET = "ghp_" + "a1B2" * 9


def test_a_new_capsule_is_created_and_a_known_one_is_not(server, post):
    first, second = post("twice"), post("twice")
    assert (first.status, first.json["registered"]) == (201, True)
    assert (second.status, second.json["registered"]) == (200, False)
    assert first.headers["location"] == second.headers["location"] == f"capsules/{first.json['capsule_id']}"
    assert server.get(urljoin("/api/capsules", first.headers["location"])).json["manifest"]["title"] == "twice"


def test_the_same_facts_are_the_same_capsule_as_registered_from_python(post, tmp_path):
    facts = {
        "description": "a try",
        "command": ["python", "fit.py"],
        "entry_point": "fit.py",
        "parameters": {"alpha": 0.1, "deep": {"list": [1, None, True]}},
        "labels": {"project": "tides"},
        "status": "completed",
    }
    (tmp_path / "b.csv").write_text("2")
    (tmp_path / "a.csv").write_text("1")
    with Store.init(str(tmp_path)) as store:
        files = [str(tmp_path / name) for name in ("b.csv", "a.csv")]
        here = register_capsule("fit", environment_capture=DOCUMENT, outputs=files, store=store, **facts)
        outputs = get_capsule(here["capsule_id"], store=store)["manifest"]["outputs"]
    answer = post("fit", DOCUMENT, outputs=[*reversed(outputs)], **facts).json
    assert answer == here | {"redacted": []}


def test_who_registers_is_the_tokens_name(server, served_store, token):
    body = {"title": "by a machine", "environment_capture": ENVIRONMENT}
    found = server.ask("POST", "/api/capsules", body, token=server.token("laptop of Ada"))
    with Store(str(served_store)) as store:
        digest = store.resolve_capsule(found.json["capsule_id"])
        assert store.index.registered(digest).author == "laptop of Ada <>"


def test_what_is_acknowledged_is_in_the_store_and_git_finds_it_sound(served_store, post):
    digest = post("durable", environment_of(durable="1")).json["capsule_id"]
    with Store(str(served_store)) as store:
        assert store.resolve_capsule("@").hex == digest
    fsck = subprocess.run(["git", "-C", served_store, "fsck", "--strict"], capture_output=True, text=True, check=False)
    assert (fsck.returncode, fsck.stdout) == (0, "")


def test_parents_are_names_of_capsules_here(server, served_store, post):
    parent = post("parent").json["capsule_id"]
    child = post("child", parents=[parent[:16], parent]).json["capsule_id"]
    assert server.get(f"/api/capsules/{child}").json["manifest"]["parents"] == [parent]
    for name, status in (("0" * 64, 404), ("no-such-tag", 404), ("!", 404), ("a b", 422)):
        assert post("orphan", parents=[name]).status == status


def test_secrets_are_not_recorded_and_it_is_said_where_they_were(server, served_store, post):
    typed = {
        "description": f"token {SECRET}",
        "command": ["curl", "--header", f"Authorization: Bearer {SECRET}"],
        "entry_point": f"https://user:{SECRET}@example.org/fit.py",
        "parameters": {"api_key": SECRET},
        "labels": {"note": f"password={SECRET}"},
        "outputs": [{"path": f"https://u:{SECRET}@example.org/out.csv", "sha256": "a" * 64, "size": 1}],
    }
    document = DOCUMENT | {"context": {"python": {"rules": 1, "sources": {"x": {"url": f"https://u:{SECRET}@h/x"}}}}}
    answer = post(f"fit of {SECRET}", document, **typed).json
    assert {*answer["redacted"]} == {"title", "context", *typed}
    log = subprocess.run(["git", "-C", served_store, "log", "-p", "main"], capture_output=True, text=True, check=True)
    assert SECRET not in log.stdout
    for part in ("", "/environment"):
        assert SECRET.encode() not in server.get(f"/api/capsules/{answer['capsule_id']}{part}").body


def test_a_secret_in_an_environment_is_refused_with_its_path(post):
    found = post("secret", {"python": {"packages": {"x": {"url": f"https://u:{SECRET}@example.org"}}}})
    assert (found.status, found.error["code"]) == (422, "invalid_value")
    assert found.error["message"].startswith("environment_capture/python/packages/x/url: ")
    assert SECRET not in found.body.decode()


def test_a_digest_is_never_trusted(post):
    found = post("lie", DOCUMENT | {"environment_digest": "0" * 64})
    assert found.status == 422
    assert found.error["message"].startswith("environment_capture/environment_digest: ")


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "  "},
        {"title": 1},
        {"title": None},
        {"environment_capture": {}},
        {"environment_capture": []},
        {"environment_capture": {"python": 1}},
        {"environment_capture": {"python": {"": 1}}},
        {"environment_capture": {"python": {"packages": {"x" * 251: {}}}}},
        {"environment_capture": DOCUMENT | {"states": {"python": "seen"}}},
        {"command": "python fit.py"},
        {"command": [1]},
        {"parameters": []},
        {"status": "done"},
        {"inputs": ["a.csv"]},
        {"inputs": [{"path": "a", "sha256": "A" * 64, "size": 1}]},
        {"inputs": [{"path": "a", "sha256": "a" * 64, "size": -1}]},
        {"inputs": [{"path": "a", "sha256": "a" * 64, "size": 1.5}]},
        {"inputs": [{"path": "a\0b", "sha256": "a" * 64, "size": 1}]},
        {"inputs": [{"path": "a", "sha256": "a" * 64, "size": 1, "more": 1}]},
        {"store": "/elsewhere"},
    ],
    ids=str,
)
def test_what_is_no_capsule_is_refused_and_nothing_is_registered(server, post, wrong):
    before = server.get("/api/capsules").json
    found = post(**({"title": "wrong"} | wrong))
    assert found.status == 422
    assert found.error["message"]
    assert server.get("/api/capsules").json == before
