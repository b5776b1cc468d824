"""What one client asks for holds up nobody else, however much or little of it there is."""

import json
import select
import socket
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack

import pytest
from capsule_servers import environment_of, serving

from capsulestore.serving.limits import Limits
from capsulestore.serving.memory import Memory
from capsulestore.store.queue import queue

HEAD = "POST /api/capsules{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HEAD += "Authorization: Bearer {}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n"


def begin(server, path, token, length=3001):
    """Send the head of a request and 3,000 bytes of its body; return the connection."""
    slow = socket.create_connection(("127.0.0.1", server.port))
    slow.sendall(HEAD.format(path, token, length).encode())
    assert slow.recv(100).startswith(b"HTTP/1.1 100")
    slow.sendall(b" " * 3000)
    return slow


def test_a_body_that_comes_too_slowly_is_not_waited_for(served_store, token):
    limits = Limits(idle_seconds=0.5, slowest_bytes_per_second=10**9)
    with serving(served_store, limits=limits, git=False) as server, begin(server, "", token, 10**6) as slow:
        # Never idle, and never done.
        while not select.select([slow], [], [], 0.05)[0]:
            slow.sendall(b" ")
        assert slow.recv(100).startswith(b"HTTP/1.1 408")


def test_who_has_environments_compared_does_not_keep_others_from_registering(served_store, token, post):
    capsule = post("compared").json["capsule_id"]
    with serving(served_store, limits=Limits(bodies_bytes=4000), git=False) as server, ExitStack() as slow:
        slow.enter_context(begin(server, f"/{capsule}/environment-verify", token))
        # What was sent first may come in later.
        asked = (server.ask("POST", f"/api/capsules/{capsule}/environment-verify", b" " * 3000) for _ in range(100))
        assert any(answer.status == 503 for answer in asked)
        body = json.dumps({"title": "meanwhile", "environment_capture": environment_of(numpy="2.1.0")}).encode()
        assert server.ask("POST", "/api/capsules", body, token=token).status == 201


def test_only_so_many_wait_and_health_is_told_all_the_same(served_store, token):
    limits = Limits(writers=1, waiting=1)
    body = json.dumps({"title": "in a row", "environment_capture": environment_of(numpy="2.1.0")}).encode()
    with serving(served_store, limits=limits, git=False) as server, ThreadPoolExecutor(3) as clients:
        with queue(str(served_store / "capsulestore" / "lock")):
            # One is at it, one waits, and one is told to come again.
            asked = [clients.submit(server.ask, "POST", "/api/capsules", body, token=token) for _ in range(3)]
            (refused,), others = wait(asked, return_when=FIRST_COMPLETED)
            assert refused.result().error["code"] == "too_busy"
            assert server.get("/api/health").status == 200
        assert {one.result().status for one in others} <= {200, 201}


def test_what_a_client_sends_is_counted_where_it_is_kept():
    memory = Memory[bool](10_000)
    for number in range(20):
        memory.keep(f"{number:04000}", True)
    assert [number for number in range(20) if memory.get(f"{number:04000}")] == [18, 19]


@pytest.mark.parametrize("package", ["numpy>0." + "1" * 5000, "numpy;" + "(" * 20_000])
def test_a_query_that_takes_python_to_its_limits_is_refused(server, package):
    assert server.get(f"/api/capsules?package={package}").status == 422


def test_a_version_that_python_cannot_read_is_no_version(server, post):
    assert post("long", environment_of(numpy="1" * 5000)).status == 201
    assert server.get("/api/capsules?package=numpy<2").status == 200


def test_no_title_holds_a_nul(server, post):
    assert post("nothing at all").status == 201
    assert server.get("/api/capsules?title=%00nothing").json["capsules"] == []
