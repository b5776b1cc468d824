"""What every answer has in its headers, whoever gives it."""

from __future__ import annotations

from asgi_servers import head, served
from starlette.applications import Starlette


async def wrong(*_):
    raise RuntimeError("as nobody thought")


def test_every_answer_is_to_be_taken_for_what_it_says_it_is():
    app = Starlette()
    app.mount("/wrong", wrong)
    with served(app) as server, server.client() as client:
        client.send(head("GET /nothing") + head("GET /wrong/") + b"nothing\r\n\r\n")
        came = client.rest().lower()
    assert [came.count(status) for status in (b" 404 ", b" 500 ", b" 400 ")] == [1, 1, 1]
    assert came.count(b"\r\nx-content-type-options: nosniff\r\n") == 3
