"""What answers in place of a server of capsules: pages, proxies, redirects, nothing, and too much."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Callable

import pytest
from lying_peers import listening, serving

from capsulestore.client import Client
from capsulestore.errors import (
    AmbiguousName,
    CapsuleError,
    DamagedObject,
    InvalidValue,
    NoCapsuleStore,
    RemoteMisbehaved,
    RemoteRefused,
    RemoteUnreachable,
    UnknownName,
)
from capsulestore.model.digest import Digest
from capsulestore.recording.posting import Posting
from capsulestore.sync.http.api import HttpApi
from capsulestore.sync.limits import LIMITS

TOKEN = "capsule_" + "x" * 43


def answer(status: int, body: bytes = b"", kind: str = "application/json", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status} So", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more, "", ""]
    return "\r\n".join(lines).encode() + body


def told(status: int, code: str, message: str = "no", **more: object) -> bytes:
    return answer(status, json.dumps({"errors": [{"code": code, "message": message, "hint": None, **more}]}).encode())


def raised(said: bytes, ask: Callable[[Client], object] = Client.health, token: str | None = None) -> CapsuleError:
    with serving(lambda _, send: send(said)) as url, pytest.raises(CapsuleError) as error:
        ask(Client(url, token=token))
    return error.value


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (answer(200, b"<title>log in</title>", "text/html"), NoCapsuleStore, "but with `text/html`"),
        (answer(404, b"<title>no</title>", "text/html"), NoCapsuleStore, "no server of capsules at that address (404)"),
        (told(404, "not_found"), NoCapsuleStore, "no server of capsules at that address (404)"),
        (answer(502, b"<title>bad</title>", "text/html"), RemoteUnreachable, "`502 Bad Gateway`"),
        (answer(413, b"", "text/html"), RemoteRefused, "does not take so much at a time (413)"),
        (answer(401, b"", "text/html"), RemoteRefused, "asks for a token (401)"),
        (answer(200, b"[]"), RemoteMisbehaved, "no JSON object"),
        (answer(200, b'{"status": '), RemoteMisbehaved, "no JSON object"),
        (answer(200, b'{"a":' * 100_000), RemoteMisbehaved, "no JSON object"),
        (b"SSH-2.0-server\r\n", RemoteMisbehaved, "not answer as a web server"),
        (b"", RemoteUnreachable, "ended before"),
        (
            b"HTTP/1.1 200 So\r\nContent-Length: 9\r\nContent-Type: application/json\r\n\r\n{",
            RemoteUnreachable,
            "ended",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_server_of_capsules_is_told_in_plain_words(said, kind, words):
    error = raised(said)
    assert type(error) is kind
    assert words in error.message
    assert error.exit_code == 5


def test_an_error_of_the_servers_is_the_error_of_its_code():
    assert type(raised(told(404, "unknown_name", "nothing is called `x`"))) is UnknownName
    assert str(raised(told(422, "invalid_value", "labels: is no mapping"))) == "labels: is no mapping"
    assert type(raised(told(422, "invalid_value"))) is InvalidValue
    ambiguous = raised(told(409, "ambiguous_name", candidates=["a" * 64, "b" * 64]))
    assert isinstance(ambiguous, AmbiguousName)
    assert ambiguous.candidates == ("a" * 64, "b" * 64)


def test_of_an_error_in_the_store_there_is_said_whose_it_is():
    error = raised(told(503, "damaged_object", "the object is damaged"))
    assert type(error) is DamagedObject
    assert error.message.startswith("`http://127.0.0.1:")
    assert error.message.endswith(": the object is damaged")
    busy = raised(told(503, "overloaded", "come again"))
    assert (type(busy), busy.exit_code) == (RemoteUnreachable, 5)


def test_several_errors_are_told_together():
    errors = [{"code": "invalid_value", "message": message, "hint": None} for message in "abcde"]
    said = answer(422, json.dumps({"errors": errors}).encode())
    assert raised(said).message == "a; b; c; and 2 more"


@pytest.mark.parametrize("status", [401, 403])
def test_who_is_not_let_in_is_told_where_tokens_come_from(status):
    error = raised(told(status, "unauthorized", "that token was revoked"), token=TOKEN)
    assert type(error) is RemoteRefused
    assert "that token was revoked" in error.message
    assert error.hint == "`capsule token create NAME` on the server's machine makes one; it goes into `token=`"
    assert TOKEN not in f"{error}{error.hint}{error!r}"


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://login.invalid/?next=secret", "https://login.invalid"),
        ("/moved/api/health", "/moved`"),
        ("", "nowhere"),
    ],
)
def test_a_redirect_is_told_and_not_followed(location, shown):
    heads = []

    def redirect(head: bytes, send: Callable[[bytes], None]) -> None:
        heads.append(head)
        send(answer(302, b"", "text/html", *([f"Location: {location}"] if location else ["Location: mailto:x"])))

    with serving(redirect) as url, pytest.raises(RemoteRefused, match="not followed") as error:
        Client(url, token=TOKEN).health()
    assert shown in error.value.message
    assert "secret" not in error.value.message
    assert len(heads) == 1


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_without_an_end_ends_at_a_limit(status):
    def go_on(_: bytes, send: Callable[[bytes], None]) -> None:
        send(b"HTTP/1.1 %d So\r\nContent-Type: application/json\r\n\r\n[" % status)
        while True:
            send(b" " * 2**20)

    with serving(go_on) as url, pytest.raises(RemoteMisbehaved, match=r"more than \d+ MiB"):
        Client(url).health()


def test_a_refusal_is_read_also_where_it_comes_before_all_was_sent():
    said = told(401, "unauthorized", "who are you?")

    def refuse(connection: socket.socket) -> None:
        connection.recv(2**10)
        connection.sendall(said)
        # Of the rest nothing is read, until the other end goes.
        poll = select.poll()
        poll.register(connection, select.POLLRDHUP)
        poll.poll()

    large = Posting({"title": "x" * 2**24}, Digest("a" * 64), ())
    with listening(refuse) as port, pytest.raises(RemoteRefused, match="who are you"):
        large.register(HttpApi(f"http://127.0.0.1:{port}", None, {}, LIMITS, given_as="`token=`"))


def test_what_a_server_claims_to_have_registered_is_checked():
    environment = {"python": {"rules": 1}}

    def register(client: Client) -> object:
        return client.register("fit", environment_capture=environment)

    nothing = raised(answer(201, b"{}"), register)
    assert "which capsule" in nothing.message
    other = {"capsule_id": "a" * 64, "environment_digest": "b" * 64, "registered": True, "redacted": []}
    assert "another environment" in raised(answer(201, json.dumps(other).encode()), register).message


def test_a_list_that_leads_back_to_itself_ends():
    page = answer(200, json.dumps({"capsules": [], "next": "again"}).encode())
    assert "page of capsules" in raised(page, lambda client: list(client.capsules())).message


def test_who_waits_does_so_no_longer_than_was_said():
    with (
        serving(lambda _, send: None, hangs=True) as url,
        pytest.raises(RemoteUnreachable, match=r"nothing came from it for 0\.05 seconds"),
    ):
        Client(url, timeout=0.05).health()


def test_no_answer_at_all_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(RemoteUnreachable, match="no connection"):
        Client(f"http://127.0.0.1:{port}").health()
