"""The server itself: where it listens, how it ends, what it says of requests, and what it does not."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import asynccontextmanager
from queue import SimpleQueue

import anyio
import pytest
from asgi_servers import PATIENCE, head, served
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from capsulestore.errors import CapsuleError
from capsulestore.serving.access.rules import Caller
from capsulestore.serving.http.listening import listening
from capsulestore.serving.limits import Limits

TOKEN = "capsule_" + "Ab3_" * 10 + "Ab8"
LINE = re.compile(r"\S+Z (?P<said>.*) [0-9.]+ms (?P<name>.*)")


class Waiting:
    """An answer that begins, and ends when it is told to."""

    def __init__(self):
        self.begun = SimpleQueue()
        self.end = threading.Event()

    async def answer(self, _):
        self.begun.put(True)
        await anyio.to_thread.run_sync(self.end.wait)
        return JSONResponse({"finished": True})


async def fine(request):
    request.state.caller = Caller("Ada Lovelace", "read")
    return JSONResponse({"fine": True})


async def place(request):
    return JSONResponse({"path": request.url.path, "query": request.url.query, "host": request.headers["host"]})


async def wrong(*_):
    raise RuntimeError(f"as nobody thought \x1b[31m of {TOKEN}")


async def half(_):
    async def stream():
        yield b"half"
        raise RuntimeError("as nobody thought")

    return StreamingResponse(stream())


async def endless(_):
    await anyio.sleep_forever()


def application(waiting=None, lifespan=None):
    answers = {"/fine": fine, "/half": half, "/endless": endless, "/waiting": (waiting or Waiting()).answer}
    answers |= {"/": place, "/place": place}
    routes = [Route(path, answer) for path, answer in answers.items()]
    within = Starlette(routes=routes, lifespan=lifespan)

    async def application(scope, receive, send):
        await (wrong if scope.get("path") == "/wrong" else within)(scope, receive, send)

    return application


@pytest.fixture(scope="module")
def server():
    with served(application()) as server:
        yield server


HOSTS = {
    "127.0.0.1": ("http://127.0.0.1:{}", True),
    "localhost": ("http://localhost:{}", True),
    "127.1": ("http://127.1:{}", True),
    "0.0.0.0": ("http://127.0.0.1:{}", False),
    "0": ("http://127.0.0.1:{}", False),
    "::1": ("http://[::1]:{}", True),
    "::": ("http://[::1]:{}", False),
}


@pytest.mark.parametrize(("host", "expected"), HOSTS.items(), ids=HOSTS)
def test_it_listens_where_it_is_told_and_knows_whether_others_reach_it(host, expected):
    if ":" in host and not _has_ipv6():
        with pytest.raises(CapsuleError, match="cannot listen on"):
            listening(host, 0).__enter__()
        return
    with listening(host, 0) as bound:
        url, is_loopback = expected
        assert (bound.url, bound.is_loopback) == (url.format(bound.port), is_loopback)
        bound.listen()
        with socket.create_connection((host, bound.port)):
            pass


def _has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_over_ipv6_it_answers_as_over_any():
    with served(application(), host="::1" if _has_ipv6() else "127.0.0.2") as server:
        assert server.get("/fine") == (200, {"fine": True})


def test_a_port_that_is_taken_is_told(server):
    with pytest.raises(CapsuleError, match=f"port {server.port}: Address already in use") as raised:
        listening("127.0.0.1", server.port).__enter__()
    assert "--port" in raised.value.hint


@pytest.mark.parametrize("host", ["nowhere.invalid", "", "a b", "x" * 300, "192.0.2.1", "2001:db8::1"])
def test_a_host_that_is_not_this_machine_is_told(host):
    with pytest.raises(CapsuleError, match="cannot listen on") as raised:
        listening(host, 0).__enter__()
    assert raised.value.exit_code == 6


def test_what_was_begun_is_finished_when_it_is_asked_to_end():
    waiting = Waiting()
    with served(application(waiting)) as server, server.client() as client, server.client() as idle:
        client.send(head("GET /waiting"))
        waiting.begun.get(timeout=PATIENCE)
        server.server.stop()
        assert idle.rest() == b""
        with pytest.raises(ConnectionError):
            server.client()
        waiting.end.set()
        assert client.answer() == (200, {"finished": True})
        assert client.rest() == b""
        server.thread.join(PATIENCE)
        assert not server.thread.is_alive()
    assert server.lines[0] == "finishing what was begun (1); a second signal ends it at once"


def test_what_does_not_end_is_not_waited_for_longer():
    with served(application(), Limits(shutdown_seconds=0.1)) as server, server.client() as client:
        client.send(head("GET /endless") + head("GET /fine"))
        assert server.get("/fine")[0] == 200
        server.server.stop()
        client.rest()
        server.thread.join(PATIENCE)
        assert not server.thread.is_alive()


def said(server):
    """Return the last line of the log without its time and how long it took."""
    match = LINE.fullmatch(server.lines[-1])
    assert match, server.lines
    return f"{match['said']} ({match['name']})"


ODD_PATHS = {
    "/fine": "GET /fine 200 13 (Ada Lovelace)",
    f"/fine?token={TOKEN}": "GET /fine 200 13 (Ada Lovelace)",
    f"/{TOKEN}": "GET /redacted 404 9 (-)",
    f"/%63{TOKEN[1:]}": "GET /redacted 404 9 (-)",
    "/a%0AGET%20/b%1b[31m": "GET /a\\x0aGET\\x20/b\\x1b[31m 404 9 (-)",
    "/fig/%C3%BC-1\\": "GET /fig/ü-1\\x5c 404 9 (-)",
    "/%FF%E2%80%AE%C2%85%C2%A0": "GET /\\ufffd\\u202e\\x85\\xa0 404 9 (-)",
    "/" + "x" * 2000: f"GET /{'x' * 999}... 404 9 (-)",
}


@pytest.mark.parametrize(("target", "line"), ODD_PATHS.items(), ids=range(len(ODD_PATHS)))
def test_a_request_is_told_in_one_line_without_anything_secret(server, target, line):
    with server.client() as client:
        client.send(head(f"GET {target}", f"Authorization: Bearer {TOKEN}", "Connection: close"))
        client.rest()
    assert said(server) == line


WHOLE_URLS = {
    "http://127.0.0.1:8060/place?a=b?c": {"path": "/place", "query": "a=b?c", "host": "127.0.0.1:8060"},
    "HTTPS://[::1]/place": {"path": "/place", "query": "", "host": "[::1]"},
    "http://example.org?a=b": {"path": "/", "query": "a=b", "host": "example.org"},
    "/place?at=http://evil.example/": {"path": "/place", "query": "at=http://evil.example/", "host": "localhost"},
}


@pytest.mark.parametrize(("target", "understood"), WHOLE_URLS.items(), ids=WHOLE_URLS)
def test_who_asks_by_a_whole_url_asks_for_its_path_at_its_host(server, target, understood):
    with server.client() as client:
        client.send(head(f"GET {target}") + head(f"GET {target}", "Connection: close"))
        assert [client.answer(), client.answer()] == [(200, understood)] * 2
        client.rest()
    assert said(server).startswith(f"GET {understood['path']} 200")


def test_of_an_answer_to_head_no_bytes_are_told(server):
    with server.client() as client:
        client.send(head("HEAD /fine", "Connection: close"))
        assert client.rest().endswith(b"\r\n\r\n")
    assert said(server) == "HEAD /fine 200 0 (Ada Lovelace)"


def test_what_goes_wrong_unexpectedly_is_logged_once_and_no_client_told(server, capfd):
    before = len(server.lines)
    with server.client() as client:
        client.send(head("GET /wrong", "Connection: close"))
        status, answer = client.answer()
        client.rest()
    assert (status, answer["errors"][0]["code"]) == (500, "internal")
    logged = server.lines[before:]
    assert logged[0] == "Traceback (most recent call last):"
    assert logged[-2] == "RuntimeError: as nobody thought \\x1b[31m of redacted"
    assert logged.count(logged[-2]) == 1
    assert said(server).startswith("GET /wrong 500 ")
    assert "nobody thought" not in str(answer)
    assert capfd.readouterr() == ("", "")


def test_an_answer_that_breaks_off_ends_the_connection(server, capfd):
    with server.client() as client:
        client.send(head("GET /half"))
        assert client.rest().endswith(b"half\r\n")
    assert server.lines[-2] == "RuntimeError: as nobody thought"
    assert capfd.readouterr() == ("", "")


def test_an_application_that_does_not_start_is_told_with_the_reason(capfd):
    @asynccontextmanager
    async def lifespan(_):
        raise RuntimeError("as nobody thought")
        yield

    with pytest.raises(CapsuleError, match="could not start"), served(application(lifespan=lifespan)):
        pass
    assert capfd.readouterr() == ("", "")
