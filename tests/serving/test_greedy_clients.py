"""How much of a client is taken at once, how much is sent ahead of it, and how long it may talk after its answer."""

from __future__ import annotations

import select
from contextlib import suppress

import pytest
from asgi_servers import PATIENCE, head, served
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from capsulestore.serving.limits import Limits

PIECE = bytes(2**16)
MADE: list[int] = []
"""The size of each piece that was made of an endless answer."""


async def pieces(request):
    sizes = [len(piece) async for piece in request.stream()]
    return JSONResponse({"came": sum(sizes), "largest": max(sizes)})


async def early(_):
    return JSONResponse({"read": "nothing"})


async def endless(_):
    async def zeros():
        while True:
            MADE.append(len(PIECE))
            yield PIECE

    return StreamingResponse(zeros())


ROUTES = [Route(f"/{answer.__name__}", answer, methods=["GET", "POST"]) for answer in (pieces, early, endless)]


@pytest.mark.slow
def test_who_was_answered_early_is_not_waited_for_as_long_as_who_is_awaited():
    with served(Starlette(routes=ROUTES), Limits(idle_seconds=10 * PATIENCE)) as server, server.client() as client:
        client.send(head("POST /early", "Content-Length: 1000") + b"x")
        assert client.answer() == (200, {"read": "nothing"})
        assert client.rest() == b""


def test_of_what_a_client_sends_little_is_taken_at_once():
    size = 2**22
    with served(Starlette(routes=ROUTES)) as server, server.client() as client:
        client.send(head("POST /pieces", f"Content-Length: {size}") + bytes(size))
        status, answer = client.answer()
    assert (status, answer["came"]) == (200, size)
    assert answer["largest"] < 2**17


def test_little_is_sent_ahead_of_what_a_client_takes():
    with served(Starlette(routes=ROUTES), Limits(idle_seconds=0.1)) as server, server.client() as client:
        client.send(head("GET /endless"))
        ended = select.poll()
        ended.register(client.connection, 0)
        assert ended.poll(PATIENCE * 1000), "the connection was not ended"
        taken = 0
        client.connection.settimeout(0)
        with suppress(BlockingIOError, ConnectionError):
            while data := client.connection.recv(2**20):
                taken += len(data)
    assert sum(MADE) - taken < 2**20
