"""What a digest names: a capsule, its environment, an environment."""

import json
import subprocess

import pytest
from capsule_servers import environment_of

from capsulestore.artifact_registry import get_capsule, register_capsule
from capsulestore.model.mapping import encode_mapping
from capsulestore.store import Store


@pytest.fixture(scope="module")
def capsule(post) -> str:
    return post("first fit", environment_of(numpy="2.1.0"), labels={"project": "tides"}).json["capsule_id"]


def test_a_capsule_is_answered_as_the_command_shows_it(server, served_store, capsule):
    shown = get_capsule(capsule, store=served_store)
    keys = ("capsule_id", "environment_digest", "layers", "manifest")
    assert server.get(f"/api/capsules/{capsule}").json == {key: shown[key] for key in keys}


def test_asked_by_its_digest_it_is_the_same_for_ever(server, capsule):
    found = server.get(f"/api/capsules/{capsule}")
    assert found.headers["etag"] == f'"{capsule}"'
    assert "immutable" in found.headers["cache-control"]


@pytest.mark.parametrize("name", ["@", "{0:.12}", "release/one"])
def test_asked_by_another_name_it_is_to_be_asked_again(server, served_store, capsule, name):
    with Store(str(served_store)) as store:
        store.tags.set("release/one", store.resolve_capsule(capsule))
    found = server.get(f"/api/capsules/{name.format(capsule)}")
    assert found.json["capsule_id"] == capsule
    assert found.headers["etag"] == f'"{capsule}"'
    assert found.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("wanted", ['"{}"', 'W/"{}"', '"another", "{}"', "*"])
def test_who_has_it_already_is_told_so(server, capsule, wanted):
    for path in (f"/api/capsules/{capsule}", "/api/capsules/@", f"/api/capsules/{capsule}/environment"):
        found = server.get(path, headers={"If-None-Match": wanted.format(capsule)})
        assert (found.status, found.body) == (304, b"")
        assert found.headers["etag"] == f'"{capsule}"'


def test_who_has_another_is_sent_it(server, capsule):
    assert server.get(f"/api/capsules/{capsule}", headers={"If-None-Match": '"another"'}).status == 200


@pytest.mark.parametrize("path", ["/api/capsules", "/api/capsules/@", "/api/capsules/@/environment", "/api/health"])
def test_head_is_answered_where_get_is_without_the_body(server, capsule, path):
    whole, head = server.get(path), server.ask("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert {**head.headers, "date": ""} == {**whole.headers, "date": ""}


def test_its_environment_is_fit_to_be_registered_again(server, served_store, capsule):
    surroundings = server.get(f"/api/capsules/{capsule}/environment").json
    again = register_capsule("again", environment_capture=surroundings, store=served_store)
    assert again["environment_digest"] == surroundings["environment_digest"]


def test_an_environment_is_answered_by_its_digest(server, capsule):
    environment = environment_of(numpy="2.1.0")
    digest = encode_mapping(environment).id
    found = server.get(f"/api/environments/{digest}")
    assert found.json["environment"] == environment
    assert found.json["environment_digest"] == str(digest)
    assert found.headers["etag"] == f'"{digest}"'
    assert server.get(f"/api/environments/{capsule}").status == 404


def test_a_prefix_of_more_than_one_is_told_with_the_candidates(server, post):
    # Of all titles `number N` these are the first two whose capsules begin alike.
    digests = sorted(post(f"number {number}").json["capsule_id"] for number in (7, 113))
    found = server.get(f"/api/capsules/{digests[0][:4]}")
    assert (found.status, found.error["code"]) == (409, "ambiguous_name")
    assert found.error["candidates"] == digests


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("0" * 64, 404, "unknown_name"),
        ("no/such/tag", 404, "unknown_name"),
        ("abc", 422, "malformed_name"),
        ("a%20b", 422, "malformed_name"),
        ("a%00b", 422, "malformed_name"),
        ("a%0ab", 422, "malformed_name"),
        ("%0a", 422, "malformed_name"),
        ("0" * 64 + "%0a", 422, "malformed_name"),
        ("", 422, "malformed_name"),
        ("../../../../etc/passwd", 404, "unknown_name"),
        ("..%2f..%2f..%2fconfig", 404, "unknown_name"),
        ("%2e%2e/capsulestore/tokens.json", 404, "unknown_name"),
        ("heads/main", 404, "unknown_name"),
        ("%ff%fe", 404, "unknown_name"),
    ],
)
def test_a_name_that_leads_nowhere_is_told(server, name, status, code):
    for below in ("", "/environment"):
        found = server.get(f"/api/capsules/{name}{below}")
        assert (found.status, found.error["code"]) == (status, code)


def test_what_is_repeated_of_a_request_is_short_and_one_line_of_text(server):
    assert server.get("/api/capsules/a%0ab%1b").error["message"] == "`a\\nb\\x1b` cannot be a name"
    for path in (
        "/api/capsules/" + "x" * 5000,
        "/api/capsules?" + "x" * 5000 + "=1",
        "/api/capsules?package=" + "x-" * 999,
    ):
        assert len(server.get(path).error["message"]) < 200


def test_hints_name_what_is_there_over_http(server, served_store, capsule):
    assert server.get("/api/capsules/0123456789ab").error["hint"] == "`GET /api/capsules` lists the capsules"
    assert "/api/capsules" in server.get("/api/capsules/").error["hint"]
    assert "environment_digest" in server.get("/api/environments/abc").error["hint"]
    away = served_store.with_name("away")
    served_store.rename(away)
    try:
        found = server.get("/api/health")
        assert (found.status, found.error["code"], found.error["hint"]) == (503, "no_store", None)
    finally:
        away.rename(served_store)


@pytest.mark.parametrize("path", ["/", "/api", "/api/nothing", "/etc/passwd", "/../config", "//api/capsules"])
def test_where_nothing_is_the_hint_names_what_is_there(server, path):
    found = server.get(path)
    assert (found.status, found.error["code"]) == (404, "not_found")
    assert "/openapi.json" in found.error["hint"]


def test_another_method_is_refused(server, token):
    found = server.ask("DELETE", "/api/capsules/@", token=token)
    assert (found.status, found.error["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/capsules", "GET, HEAD, POST"),
        ("/api/capsules/@", "GET, HEAD"),
        ("/api/capsules/@/environment-verify", "GET, HEAD, POST"),
        ("/api/health", "GET, HEAD"),
    ],
)
def test_a_path_says_by_which_methods_it_is_asked(server, token, path, methods):
    found = server.ask("OPTIONS", path, token=token)
    assert (found.status, found.headers["allow"]) == (405, methods)


@pytest.mark.parametrize("below", ["", "/environment", "/environment-verify"])
def test_a_parameter_that_is_not_known_is_refused_on_every_route(server, capsule, token, below):
    environment = server.get(f"/api/capsules/{capsule}").json["environment_digest"]
    paths = [f"/api/capsules/{capsule}{below}", f"/api/capsules/@{below}", f"/api/environments/{environment}"]
    for path in [*paths, "/api/health", "/api/compare/@...@"]:
        assert server.get(f"{path}?layers=python").status == 422
    assert server.ask("POST", "/api/capsules?dry_run=1", {}, token=token).error["code"] == "usage"


def test_what_the_server_answers_git_can_read(server, served_store, capsule):
    tree = subprocess.run(
        ["git", "-C", served_store, "cat-file", "-p", f"{capsule}:capsule.json"], capture_output=True, check=True
    )
    assert json.loads(tree.stdout) == server.get(f"/api/capsules/{capsule}").json["manifest"]
