"""Clients that are slow, dying, hostile or too many: each loses its connection, and none holds up another."""

from __future__ import annotations

import select
from contextlib import ExitStack
from queue import SimpleQueue

import pytest
from asgi_servers import PATIENCE, head, served
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from capsulestore.serving.limits import Limits

SHORT = 0.1
IMPATIENT = Limits(head_bytes=2**14, head_seconds=SHORT, kept_seconds=SHORT, idle_seconds=SHORT, connections=8)
ENDED: SimpleQueue[str] = SimpleQueue()
"""The path of each request whose coroutine has ended before all was said."""


async def count(request):
    try:
        return JSONResponse({"came": len(await request.body())})
    except ClientDisconnect:
        ENDED.put("/count")
        return JSONResponse({})


async def early(_):
    return JSONResponse({"read": "nothing"})


async def large(_):
    return JSONResponse({"large": "x" * 2**24})


async def zeros():
    while True:
        yield bytes(2**16)


class Endless(StreamingResponse):
    async def __call__(self, *request):
        try:
            await super().__call__(*request)
        finally:
            ENDED.put("/endless")


async def endless(_):
    return Endless(zeros())


ROUTES = [Route(f"/{answer.__name__}", answer, methods=["GET", "POST"]) for answer in (count, early, large, endless)]


@pytest.fixture(scope="module")
def impatient():
    with served(Starlette(routes=ROUTES), IMPATIENT) as server:
        yield server


@pytest.fixture(scope="module")
def patient():
    with served(Starlette(routes=ROUTES), Limits(head_bytes=2**14)) as server:
        yield server


def wait_for_reset(client):
    """Wait until the other side has put an end to a connection whose bytes are not taken."""
    poll = select.poll()
    poll.register(client.connection, 0)
    assert poll.poll(PATIENCE * 1000), "the connection was not ended"


def test_a_slow_loris_loses_its_connections_and_others_are_answered_meanwhile(impatient):
    with ExitStack() as stack:
        clients = [stack.enter_context(impatient.client()) for _ in range(5)]
        for client in clients:
            client.send(b"GET /count HTTP/1.1\r\nHost: local")
        assert impatient.get("/count") == (200, {"came": 0})
        assert [client.rest() for client in clients] == [b""] * 5


def test_a_head_that_comes_byte_by_byte_is_not_waited_for_longer(impatient):
    with impatient.client() as client:
        client.sends_until_it_cannot(b"G", pause=SHORT / 10)


def test_a_connection_on_which_nothing_is_asked_is_closed(impatient):
    with impatient.client() as client:
        assert client.rest() == b""


def test_a_connection_is_kept_for_some_time_after_an_answer(impatient):
    with impatient.client() as client:
        client.send(head("GET /count") * 2)
        assert [client.answer(), client.answer()] == [(200, {"came": 0})] * 2
        assert client.rest() == b""


def test_half_a_body_ends_the_request(impatient):
    with impatient.client() as client:
        client.send(head("POST /count", "Content-Length: 1000") + b"half")
        assert client.rest() == b""
        assert ENDED.get(timeout=PATIENCE) == "/count"


def test_a_client_that_goes_in_the_midst_of_a_body_ends_the_request(patient):
    with patient.client() as client:
        client.send(head("POST /count", "Content-Length: 1000") + b"half")
    assert ENDED.get(timeout=PATIENCE) == "/count"


def test_a_client_that_goes_in_the_midst_of_an_answer_ends_the_request(patient):
    with patient.client() as client:
        client.send(head("GET /endless"))
        assert client.connection.recv(100)
    assert ENDED.get(timeout=PATIENCE) == "/endless"


def test_a_client_that_takes_nothing_of_an_endless_answer_loses_it(impatient):
    with impatient.client() as client:
        client.send(head("GET /endless"))
        assert ENDED.get(timeout=PATIENCE) == "/endless"
        wait_for_reset(client)


def test_a_client_that_takes_nothing_of_an_answer_that_is_whole_loses_it(impatient):
    with impatient.client() as client:
        client.send(head("GET /large"))
        wait_for_reset(client)


def test_a_client_that_takes_all_gets_all(patient):
    with patient.client() as client:
        client.send(head("GET /large"))
        assert client.answer() == (200, {"large": "x" * 2**24})


def test_a_client_that_goes_on_sending_after_its_answer_is_cut_off(impatient):
    with impatient.client() as client:
        client.send(head("POST /early", "Content-Length: 1000000000000"))
        assert client.answer() == (200, {"read": "nothing"})
        client.sends_until_it_cannot(b"x", pause=SHORT / 10)


def test_a_body_is_not_awaited_before_it_was_asked_for(patient):
    with patient.client() as client:
        client.send(head("POST /count", "Content-Length: 4", "Expect: 100-continue"))
        assert client.connection.recv(2**16).startswith(b"HTTP/1.1 100 ")
        client.send(b"body")
        assert client.answer() == (200, {"came": 4})


TOO_LARGE = {
    "one header of 10 MB": b"X-Large: " + b"x" * 10_000_000,
    "10 MB of headers": b"X-Many: x\r\n" * 1_000_000,
    "one header beyond the limit": b"X-Large: " + b"x" * 2**15 + b"\r\n\r\n",
    "many headers beyond the limit": b"X-Many: x\r\n" * 2**12 + b"\r\n",
}


@pytest.mark.parametrize("headers", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_head_that_is_too_large_is_refused_before_it_is_whole(patient, headers):
    with patient.client() as client:
        client.send(b"GET /count HTTP/1.1\r\nHost: localhost\r\n")
        try:
            client.send(headers)
        except ConnectionError:
            pytest.fail("the connection ended before the client had read why")
        status, answer = client.answer()
        assert (status, answer["errors"][0]["code"]) == (431, "headers_too_large")
        assert client.rest() == b""


def test_a_head_of_nearly_as_much_as_may_be_is_taken(patient):
    assert patient.get("/count", "X-Large: " + "x" * (2**14 - 200)) == (200, {"came": 0})


NO_REQUESTS = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "no host": b"GET /count HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /count HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "two lengths": head("POST /count", "Content-Length: 3", "Content-Length: 4"),
    "a length that is no number": head("POST /count", "Content-Length: -1"),
    "a space before a colon": head("GET /count", "X : y"),
    "a folded line at the beginning": b"GET /count HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "a control character in the path": b"GET /count\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a length beside chunks": head("POST /count", "Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /count HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk without a size": head("POST /count", "Transfer-Encoding: chunked") + b"z\r\n",
}


@pytest.mark.parametrize("request_bytes", NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_what_is_no_request_is_told_so(patient, request_bytes):
    with patient.client() as client:
        client.send(request_bytes)
        status, answer = client.answer()
        assert (status, answer["errors"][0]["code"]) == (400, "bad_request")
        assert client.rest() == b""


def test_one_client_too_many_is_told_to_come_again():
    with served(Starlette(routes=ROUTES), Limits(connections=2)) as server, ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(3)]
        status, answer = clients[2].answer()
        assert (status, answer["errors"][0]["code"]) == (503, "too_many_connections")
        for client in clients[:2]:
            client.send(head("GET /count"))
            assert client.answer() == (200, {"came": 0})
        for client in clients[1:]:
            client.connection.close()
        while (answered := server.get("/count"))[0] == 503:
            pass
        assert answered == (200, {"came": 0})
