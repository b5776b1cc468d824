"""Bodies that are no JSON, too large, too deep, or say something twice."""

import gzip
import json
import socket

import pytest
from capsule_servers import environment_of, serving

from capsulestore.serving.limits import Limits

ENVIRONMENT = json.dumps(environment_of(numpy="2.1.0"))
LIMITS = Limits(body_bytes=2**20, body_values=5000, body_prose=2000)


@pytest.fixture(scope="module")
def server(served_store):
    with serving(served_store, limits=LIMITS, git=False) as server:
        yield server


@pytest.fixture(params=["/api/capsules", "/api/capsules/@/environment-verify"])
def send(request, server, post, token):
    """Send bytes to each route that takes a body; `@` is a capsule there."""
    assert post("there").status in {200, 201}

    def send(body, **headers):
        return server.ask("POST", request.param, body, token=token, headers=headers)

    return send


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{}{}", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": -Infinity}', "not JSON"),
        (b'{"a": 1e999}', "no JSON number"),
        (b'{"a": 9007199254740992}', "beyond"),
        (b'{"a": %s}' % (b"9" * 5000), "a number of 5000 digits"),
        (b'{"a": "\\ud800"}', "lone surrogate"),
        (b'{"title": "x", "title": "y"}', "'title' is there twice"),
        (b'{"python": {"a": 1, "\\u0061": 2}}', "'a' is there twice"),
        (b"[" * 100 + b"]" * 100, "mapping"),
        (b"[" * 200 + b"]" * 200, "128 levels deep"),
        (b"[" * 4000, "128 levels deep"),
        (b'{"a":' * 4000 + b"1" + b"}" * 4000, "128 levels deep"),
        (b'{"a": [' + b"1," * 5001 + b"1]}", "more than 5000 values"),
        (b'{"a": ' + b"[" * 300_000 + b"]" * 300_000 + b"}", "more than 5000 values"),
    ],
    ids=range(19),
)
def test_what_is_no_plain_json_is_refused_with_the_reason(send, body, reason):
    found = send(body)
    assert (found.status, found.error["code"]) == (422, "invalid_value")
    assert reason in found.error["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=x"])
def test_another_type_is_refused(send, kind):
    found = send(ENVIRONMENT.encode(), **{"Content-Type": kind})
    assert (found.status, found.error["code"]) == (415, "media_type")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
def test_what_is_compressed_is_refused_and_not_unpacked(send, encoding):
    found = send(gzip.compress(b"0" * 2**20), **{"Content-Encoding": encoding})
    assert (found.status, found.error["code"]) == (415, "media_type")


def test_a_type_with_its_character_set_is_taken(send):
    assert send(ENVIRONMENT.encode(), **{"Content-Type": "application/json; charset=UTF-8"}).status in {200, 422}


def test_a_body_that_is_too_large_is_refused(send):
    found = send(b" " * (2**20 + 1))
    assert (found.status, found.error["code"]) == (413, "too_large")


def talk(server, head, *parts):
    """Send a request piece by piece, and return the beginning of the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode())
        for part in parts:
            connection.sendall(part)
        return connection.recv(2**16)


HEAD = "POST /api/capsules HTTP/1.1\nHost: localhost\nAuthorization: Bearer {}\nContent-Type: application/json\n"


def test_what_says_that_it_is_too_large_is_refused_before_it_is_sent(server, token):
    answer = talk(server, HEAD.format(token) + "Content-Length: 99999999999\n\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_what_turns_out_to_be_too_large_is_refused(server, token):
    chunk = b"10000\r\n" + b" " * 2**16 + b"\r\n"
    answer = talk(server, HEAD.format(token) + "Transfer-Encoding: chunked\n\n", *[chunk] * 17)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_client_that_dies_in_the_middle_leaves_nothing(server, token):
    before = server.get("/api/capsules").json
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall((HEAD.format(token) + "Content-Length: 1000\n\n{").replace("\n", "\r\n").encode())
    assert server.get("/api/capsules").json == before


def test_texts_that_would_take_long_to_look_through_are_refused(send):
    found = send(b'{"a": "%s", "%s": 1}' % (b"a word " * 150, b"and more " * 150))
    assert (found.status, found.error["code"]) == (422, "invalid_value")
    assert "2000 characters" in found.error["message"]


def test_all_bodies_together_have_a_limit_and_room_again_when_they_are_answered(served_store, token):
    body = b" " * 3000
    with serving(served_store, limits=Limits(bodies_bytes=4000), git=False) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as slow:
            head = f"POST /api/capsules HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            head += "Content-Type: application/json\r\nContent-Length: 3001\r\nExpect: 100-continue\r\n\r\n"
            slow.sendall(head.encode())
            assert slow.recv(100).startswith(b"HTTP/1.1 100")
            slow.sendall(body)
            # What was sent first may come in later.
            asked = (server.ask("POST", "/api/capsules", body, token=token) for _ in range(100))
            assert next(answer for answer in asked if answer.status != 422).headers["retry-after"] == "5"
            slow.sendall(b" ")
            assert slow.recv(100).startswith(b"HTTP/1.1 422")
        assert server.ask("POST", "/api/capsules", body, token=token).status == 422
