"""Who is let in: by token, by scope, by the name that was called, and not by pages of other sites."""

from __future__ import annotations

from base64 import b64encode

import pytest
from asgi_servers import head, served
from shared_stores import register
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from capsulestore.serving.access.guard import Guard
from capsulestore.serving.access.rules import Access, needed_scope
from capsulestore.serving.access.tokens import Tokens

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


async def who(request):
    caller = request.state.caller
    return JSONResponse({"name": caller.name, "scope": caller.scope})


def guarded(access, store):
    guard = Middleware(Guard, access=access, store=str(store))
    return served(Starlette(routes=[Route("/{path:path}", who, methods=METHODS)], middleware=[guard]))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    directory = tmp_path_factory.mktemp("guarded")
    register(directory)
    return directory / ".capsules"


@pytest.fixture(scope="module")
def tokens(store):
    tokens = Tokens(str(store))
    made = {scope: tokens.create(f"may {scope}", scope) for scope in ("read", "write")}
    made["revoked"] = tokens.create("revoked", "write")
    tokens.revoke("revoked")
    return made | {"wrong": "capsule_" + "A" * 43}


@pytest.fixture(scope="module")
def local(store, tokens):
    with guarded(Access.on_loopback(str(store)), store) as server:
        yield server


@pytest.fixture(scope="module")
def reached(store, tokens):
    with guarded(Access.by_token(str(store), ["capsules.example.org"]), store) as server:
        yield server


def ask(server, asked, *headers):
    """Return the status, and who it was or the code of the error."""
    with server.client() as client:
        client.send(head(asked, "Content-Length: 0", *headers))
        status, answer = client.answer()
    return status, answer["name"] if status == 200 else answer["errors"][0]["code"]


NEEDED = {
    "GET /api/health": None,
    "HEAD /api/health": None,
    "GET /api/capsules": "read",
    "HEAD /api/capsules/x": "read",
    "POST /api/capsules": "write",
    "POST /api/capsules/x/environment-verify": "read",
    "PUT /api/capsules/x/environment-verify": "write",
    "POST /api/health": "write",
    "GET /git/info/refs?service=git-upload-pack": "read",
    "GET /git/info/refs?service=git-receive-pack": "write",
    "GET /git/info/refs?service=git%2Dreceive-pack": "write",
    "GET /git/info/refs?service=git-upload-pack&service=git-receive-pack": "write",
    "GET /git/info/refs": "read",
    "POST /git/git-upload-pack": "read",
    "POST /git/git-receive-pack": "write",
    "POST /git/git-receive-pack/": "write",
    "POST /git/anything": "write",
    "DELETE /api/capsules/x": "write",
    "OPTIONS /api/capsules": "write",
}


@pytest.mark.parametrize(("asked", "scope"), NEEDED.items(), ids=NEEDED)
def test_what_a_request_needs(asked, scope):
    method, _, target = asked.partition(" ")
    path, _, query = target.partition("?")
    assert needed_scope(method, path, query.encode()) == scope


def test_on_this_machine_reading_is_open_and_writing_is_not(local, tokens):
    assert ask(local, "GET /api/capsules") == (200, None)
    assert ask(local, "POST /api/capsules") == (401, "unauthorized")
    assert ask(local, "POST /api/capsules", f"Authorization: Bearer {tokens['read']}") == (403, "scope")
    assert ask(local, "POST /api/capsules", f"Authorization: bearer  {tokens['write']}") == (200, "may write")
    assert ask(local, "GET /api/capsules", f"Authorization: Bearer {tokens['read']}") == (200, "may read")


def test_from_other_machines_all_but_health_needs_a_token(reached, tokens):
    assert ask(reached, "GET /api/health") == (200, None)
    assert ask(reached, "GET /api/capsules") == (401, "unauthorized")
    assert ask(reached, "GET /openapi.json") == (401, "unauthorized")
    assert ask(reached, "GET /api/capsules", f"Authorization: Bearer {tokens['read']}") == (200, "may read")
    assert ask(reached, "GET /api/capsules", f"Authorization: Bearer {tokens['write']}") == (200, "may write")


WRONG = {
    "a wrong token": "Bearer {wrong}",
    "a revoked token": "Bearer {revoked}",
    "no token": "Bearer",
    "part of a token": "Bearer capsule_",
    "two tokens": "Bearer {read} {write}",
    "a token without its scheme": "{write}",
    "another scheme": "Digest {write}",
    "a password where only git sends one": "Basic {basic}",
    "two headers": "Bearer {write}\r\nAuthorization: Bearer {write}",
    "bytes that are no text": "Bearer \xff\xfe",
}


@pytest.mark.parametrize("authorization", WRONG.values(), ids=WRONG)
def test_a_token_that_counts_for_nothing_lets_nobody_in_anywhere(local, tokens, authorization):
    basic = b64encode(f"ada:{tokens['write']}".encode()).decode()
    header = f"Authorization: {authorization.format(**tokens, basic=basic)}"
    for asked in ("GET /api/capsules", "POST /api/capsules"):
        assert ask(local, asked, header) == (401, "unauthorized")
    assert ask(local, "GET /api/health", header) == (200, None)


def test_who_has_no_token_that_will_do_is_told_how_one_is_made_that_does(reached, tokens):
    made = {"GET /api/capsules": "create NAME` makes it", "POST /api/capsules": "create NAME --scope write` makes it"}
    for asked, hint in made.items():
        for headers in ((), (f"Authorization: Bearer {tokens['wrong']}",)):
            with reached.client() as client:
                client.send(head(asked, "Content-Length: 0", *headers))
                assert client.answer()[1]["errors"][0]["hint"].endswith(hint)


def test_git_sends_its_token_as_a_password(local, tokens):
    for user in ("ada", "", "a:b"):
        basic = b64encode(f"{user}:{tokens['write']}".encode()).decode()
        expected = (200, "may write") if user != "a:b" else (401, "unauthorized")
        assert ask(local, "POST /git/git-receive-pack", f"Authorization: Basic {basic}") == expected
    assert ask(local, "POST /git/git-receive-pack", "Authorization: Basic !") == (401, "unauthorized")
    with local.client() as client:
        client.send(head("POST /git/git-receive-pack", "Content-Length: 0"))
        assert b"\r\nwww-authenticate: Basic realm=" in client.connection.recv(2**16)


HOSTS = {
    "localhost": 200,
    "LOCALHOST.:8000": 200,
    "127.0.0.1:8000": 200,
    "[::1]:8000": 200,
    "192.0.2.7": 200,
    "capsules.example.org": 200,
    "Capsules.Example.org:443": 200,
    "other.example.org": 421,
    "capsules.example.org.evil.example": 421,
    "localhost.evil.example": 421,
    "127.0.0.1.evil.example": 421,
    "": 421,
    ":8000": 421,
    "[evil.example]": 421,
    "user@localhost": 421,
}


@pytest.mark.parametrize(("host", "status"), HOSTS.items(), ids=HOSTS)
def test_only_a_name_that_is_ours_is_answered(reached, host, status):
    with reached.client() as client:
        client.send(f"GET /api/health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert client.answer()[0] == status


@pytest.mark.parametrize(
    ("url", "status"),
    [("http://localhost/api/health", 200), ("http://evil.example/api/health", 421), ("http:///api/health", 421)],
)
def test_of_a_whole_url_the_host_counts(reached, url, status):
    with reached.client() as client:
        client.send(head(f"GET {url}"))
        assert client.answer()[0] == status


ORIGINS = {
    "http://localhost": 200,
    "https://localhost": 200,
    "http://localhost:80": 200,
    "http://localhost:8000": 403,
    "http://evil.example": 403,
    "null": 403,
    "": 403,
    "file://": 403,
    "http://localhost.evil.example": 403,
}


@pytest.mark.parametrize(("origin", "status"), ORIGINS.items(), ids=ORIGINS)
def test_a_page_of_another_site_may_ask_for_nothing(local, origin, status):
    assert ask(local, "GET /api/capsules", f"Origin: {origin}")[0] == status


def test_what_a_page_of_another_site_makes_a_browser_ask_for_without_its_origin_is_refused_too(local):
    for site, status in {"cross-site": 403, "same-site": 200, "same-origin": 200, "none": 200}.items():
        assert ask(local, "GET /api/capsules", f"Sec-Fetch-Site: {site}")[0] == status


def test_a_path_with_a_control_character_in_it_is_refused_before_anything_looks_for_what_it_names(local):
    for name in ("a%0ab", "%00", "a%1b[31m", "%7f", "%C2%85", "." * 60_000 + "%0a"):
        assert ask(local, f"GET /api/compare/{name}/b") == (422, "malformed_name")
    assert ask(local, "GET /api/compare/a%C2%A0b") == (200, None)


def test_where_the_tokens_cannot_be_read_nobody_is_let_in_by_one(tmp_path):
    register(tmp_path)
    store = tmp_path / ".capsules"
    text = Tokens(str(store)).create("ada", "write")
    with guarded(Access.on_loopback(str(store)), store) as server:
        (store / "capsulestore" / "tokens.json").write_text("{")
        with server.client() as client:
            client.send(head("GET /api/capsules", f"Authorization: Bearer {text}"))
            status, answer = client.answer()
        assert (status, answer["errors"][0]["code"]) == (503, "store_unreadable")
        assert str(tmp_path) not in str(answer)
        assert ask(server, "GET /api/capsules") == (200, None)
        (store / "capsulestore" / "tokens.json").unlink()
        assert ask(server, "GET /api/capsules", f"Authorization: Bearer {text}") == (401, "unauthorized")
