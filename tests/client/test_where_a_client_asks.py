"""Where a client asks, and who is told the token: addresses, proxies, paths; what is imported for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from lying_peers import serving
from web_proxies import proxying

from capsulestore.client import Client
from capsulestore.errors import CapsuleError, NoCapsuleStore, RemoteRefused, UsageError

TOKEN = "capsule_" + "x" * 43
ELSEWHERE = "http://capsules.invalid"


def answer(status: int, body: bytes) -> bytes:
    return (
        b"HTTP/1.1 %d So\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body
    )


def test_a_token_goes_to_this_machine_and_not_where_others_can_read_it(monkeypatch):
    heads = []

    def listen(head: bytes, send: Callable[[bytes], None]) -> None:
        heads.append(head)
        send(answer(401, b"{}"))

    with serving(listen) as url:
        with pytest.raises(RemoteRefused):
            Client(url, token=TOKEN).health()
        monkeypatch.setenv("http_proxy", url)
        with pytest.raises(RemoteRefused, match="where others can read it") as error:
            Client(ELSEWHERE, token=TOKEN).health()
    here, there = heads
    assert f"Authorization: Bearer {TOKEN}".encode() in here
    assert b"GET http://capsules.invalid/api/health HTTP/1.1" in there
    assert b"Authorization" not in there
    assert error.value.hint == "use an `https://` address"


def test_a_proxy_is_used_as_for_any_remote(monkeypatch):
    said = answer(200, b'{"status": "ok"}')
    with serving(lambda _, send: send(said)) as url, proxying() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        assert Client(url).health() == {"status": "ok"}
    assert len(proxy.heads) == 1


def test_the_path_of_a_proxy_stands_before_ours_and_a_name_is_no_way_out_of_it():
    heads = []

    def listen(head: bytes, send: Callable[[bytes], None]) -> None:
        heads.append(head.partition(b" HTTP/")[0].decode())
        send(answer(200, b'{"capsules": [], "next": null}'))

    with serving(listen) as url:
        client = Client(f"{url}/")
        client.capsule("paper/first&?#%ü")
        list(client.capsules(packages=["numpy<2"], labels={"a": "b=c", "d": None}, title="x y", since="2026-01-01"))
        client.compare("@", "paper")
    assert heads == [
        "GET /store.git/api/capsules/paper/first%26%3F%23%25%C3%BC",
        "GET /store.git/api/capsules?package=numpy%3C2&label=a%3Db%3Dc&label=d&title=x%20y&since=2026-01-01",
        "GET /store.git/api/compare/@...paper",
    ]
    for name in ("", "..", "a/../b", "a//b", "./a"):
        with pytest.raises(CapsuleError, match="cannot be a name"):
            client.capsule(name)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "capsules.example.org",
        "localhost:8000",
        "ftp://capsules.example.org",
        "http://",
        "https://ada@capsules.example.org",
        "https://ada:secret@capsules.example.org",
        "https://capsules.example.org/?token=secret",
        "https://capsules.example.org:99999",
        "file:///capsules",
        "http://capsules.example.org/\n",
    ],
)
def test_what_is_no_address_of_a_server_is_a_mistake_that_repeats_no_password(url):
    with pytest.raises(UsageError) as error:
        Client(url)
    assert "secret" not in str(error.value)
    assert "`capsule serve`" in error.value.hint


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX: y", "ü"])
def test_what_no_token_can_be_is_refused_before_it_is_sent(token):
    with pytest.raises(UsageError, match="token"):
        Client("http://127.0.0.1:8000", token=token)


def test_the_address_of_the_repository_is_told_from_the_servers():
    said = answer(404, b'{"errors": [{"code": "not_found", "message": "there is nothing here", "hint": null}]}')
    with serving(lambda _, send: send(said)) as url:
        server = url.removesuffix("/store.git")
        with pytest.raises(NoCapsuleStore) as error:
            Client(f"{server}/git").health()
        assert error.value.hint == f"`/git` is for git: leave out `/git`, as in `{server}`"


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_is_longer_than_nothing(timeout):
    with pytest.raises(UsageError, match="timeout"):
        Client("http://127.0.0.1:8000", timeout=timeout)


def test_a_token_is_in_nothing_that_is_printed():
    client = Client("https://capsules.example.org/team/", token=TOKEN)
    assert repr(client) == "Client('https://capsules.example.org/team')"
    assert TOKEN not in repr(vars(client))


@pytest.fixture
def imported_by() -> Callable[[str], set[str]]:
    def run(statement: str) -> set[str]:
        program = f"{statement}; import sys; print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    return run


def test_who_imports_the_client_imports_nothing_of_a_server(imported_by):
    assert not {"fastapi", "starlette", "uvicorn", "pydantic"} & imported_by("import capsulestore.client")
    assert "http.client" not in imported_by("import capsulestore.client")
