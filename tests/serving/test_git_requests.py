"""What is asked of git over HTTP: who asks for something wrong is told so in a line of plain text, with 4xx or 503."""

import gzip
import http.client
import re
import shutil
import socket
from urllib.parse import urlsplit

import pytest
from git_peers import make_bare, run_git
from git_servers import git_server
from remote_exchanges import MAIN, fetched, pack_of, refused

from capsulestore.errors import RemoteUnreachable

pytest_plugins = ["remote_fixtures"]
pytestmark = pytest.mark.parametrize("way", ["served"], indirect=True)

UPLOAD, RECEIVE = "git-upload-pack", "git-receive-pack"
LS_REFS = b"0014command=ls-refs\n0018object-format=sha256" + b"0001" + b"001bref-prefix refs/heads/\n" + b"0000"
ENDLESS = 2**40
BOMB = gzip.compress(bytes(2**25))


@pytest.fixture
def ask(filled):
    """Send one request to the store, as it is said; return the status, the headers and the body of the answer."""
    place = urlsplit(filled.url)

    def ask(method, path, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        try:
            connection.request(
                method, place.path + path, body, named, encode_chunked=not isinstance(body, bytes | None)
            )
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    return ask


def post(ask, service, body, **headers):
    return ask("POST", f"/{service}", body, Content_Type=f"application/x-{service}-request", **headers)


def said(answer) -> tuple[int, str]:
    """The status of a refusal, and what it says, in a line of plain text."""
    status, headers, body = answer
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert re.fullmatch(rb"[^\n]+\n", body)
    assert body[:-1].decode().isprintable()
    return status, body[:-1].decode()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/HEAD",
        "/config",
        "/info/refs",
        "/info/refs?service=",
        "/info/refs?service=git-annex",
        "/info/refs?service=git-upload-pack&service=git-receive-pack",
        "/info/refs/?service=git-upload-pack",
        "/objects/info/packs",
        "/objects/00/11",
        "/capsulestore/tokens.json",
        "/../config",
        "/%2e%2e/config",
        "/..%2f..%2fconfig",
        "//git-upload-pack",
        "/git-upload-pack/../config",
        "/git-upload-pack%00",
        "/git-upload-archive",
    ],
)
def test_there_is_nothing_else(ask, path):
    assert said(ask("GET", path))[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", f"/{UPLOAD}", "POST"),
        ("GET", f"/{RECEIVE}", "POST"),
        ("PUT", f"/{RECEIVE}", "POST"),
        ("POST", f"/info/refs?service={RECEIVE}", "GET, HEAD"),
        ("DELETE", f"/info/refs?service={UPLOAD}", "GET, HEAD"),
    ],
)
def test_each_is_asked_for_in_its_own_way(ask, method, path, allowed):
    answer = ask(method, path)
    assert said(answer)[0] == 405
    assert answer[1]["Allow"] == allowed


@pytest.mark.parametrize("service", [UPLOAD, RECEIVE])
def test_what_is_answered_is_kept_by_nobody(ask, service):
    status, headers, body = ask("GET", f"/info/refs?service={service}")
    assert (status, headers["Content-Type"]) == (200, f"application/x-{service}-advertisement")
    assert headers["Cache-Control"] == "no-cache, max-age=0, must-revalidate"
    assert body.startswith(b"%04x# service=%s\n0000" % (len(service) + 15, service.encode()))
    assert ask("HEAD", f"/info/refs?service={service}")[::2] == (200, b"")


@pytest.mark.parametrize(
    ("named", "version"),
    [("version=2", 2), ("version=1", 1), ("key:version=2:other=1", 2), ("version=3", 0), ("; rm -rf", 0)],
)
def test_the_version_is_the_one_that_the_client_names(ask, named, version):
    body = ask("GET", f"/info/refs?service={UPLOAD}", Git_Protocol=named)[2]
    assert (b"version 2" in body, b"version 1" in body) == (version == 2, version == 1)


def test_a_request_may_be_gzipped_and_come_in_chunks(ask, history):
    expected = b"%s %s\n" % (history.second.hex.encode(), MAIN.encode())
    packed = gzip.compress(LS_REFS, mtime=0)
    for body in (LS_REFS, iter([LS_REFS[:9], LS_REFS[9:]])):
        assert expected in post(ask, UPLOAD, body, Git_Protocol="version=2")[2]
    for body in (packed, iter([packed[i : i + 1] for i in range(len(packed))])):
        assert expected in post(ask, UPLOAD, body, Git_Protocol="version=2", Content_Encoding="gzip")[2]


@pytest.mark.parametrize(
    ("headers", "body", "status", "reason"),
    [
        ({"Content_Type": "text/plain"}, LS_REFS, 415, "has to be"),
        ({"Content_Type": f"application/x-{RECEIVE}-request"}, LS_REFS, 415, "has to be"),
        ({"Content_Encoding": "br"}, LS_REFS, 415, "by gzip only"),
        (
            {"Content_Encoding": "gzip, gzip"},
            gzip.compress(gzip.compress(LS_REFS, mtime=0), mtime=0),
            415,
            "by gzip only",
        ),
        ({"Content_Encoding": "gzip"}, LS_REFS, 400, "is not gzipped"),
        ({"Content_Encoding": "gzip"}, gzip.compress(LS_REFS, mtime=0)[:-1], 400, "is not whole"),
        ({"Content_Encoding": "gzip"}, gzip.compress(LS_REFS, mtime=0) + b"more", 400, "there is more"),
        ({"Content_Encoding": "gzip"}, BOMB, 413, "more than the"),
        ({}, b"x" * (2**24 + 1), 413, "more than the"),
        ({}, b"no packet", 400, "protocol error"),
        ({}, b"0009want ", 400, ""),
        ({}, b"0032want " + b"1" * 40 + b"\n0000", 400, ""),
        ({}, b"fffe", 400, ""),
    ],
)
def test_what_is_no_sound_request_is_told(ask, headers, body, status, reason):
    answer = said(ask("POST", f"/{UPLOAD}", body, **{"Content_Type": f"application/x-{UPLOAD}-request", **headers}))
    assert answer[0] == status
    assert reason in answer[1]


@pytest.mark.parametrize("body", [b"no packet", b"0009m\x1bne", b"0067" + b"x" * 99, b"00"])
def test_what_is_no_sound_push_is_told(ask, body, filled):
    assert said(post(ask, RECEIVE, body))[0] == 400


def test_an_empty_push_is_an_empty_answer(ask):
    assert post(ask, RECEIVE, b"0000")[::2] == (200, b"")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A server that takes little at a time."""
    limits = {"pushed_bytes": 2**20, "fetch_request_bytes": 2**10, "idle_seconds": 0.5}
    with git_server(tmp_path_factory.mktemp("small"), **limits) as server:
        yield server


@pytest.fixture
def limited(small, history, ask):
    """Ask the server that takes little, on a socket: send pieces for as long as it takes some, return what it says."""
    shutil.copytree(history.repository, small.directory / "limited", dirs_exist_ok=True)

    def limited(service, pieces, *headers):
        head = [f"POST /limited/git/{service} HTTP/1.1", "Host: localhost", *headers, "", ""]
        head[2:2] = [f"Content-Type: application/x-{service}-request"]
        with socket.create_connection(("127.0.0.1", small.port), timeout=60) as connection:
            connection.sendall("\r\n".join(head).encode())
            try:
                for piece in pieces:
                    connection.sendall(piece)
            except ConnectionError:
                pass
            try:
                return connection.recv(2**16)
            except ConnectionError:
                return b""

    return limited


@pytest.mark.parametrize(
    ("service", "pieces", "headers"),
    [
        (UPLOAD, [], [f"Content-Length: {ENDLESS}"]),
        (RECEIVE, [], [f"Content-Length: {ENDLESS}"]),
        (UPLOAD, [b"2000\r\n" + bytes(2**13) + b"\r\n"], ["Transfer-Encoding: chunked"]),
        (UPLOAD, [BOMB], [f"Content-Length: {len(BOMB)}", "Content-Encoding: gzip"]),
    ],
)
def test_what_is_too_much_is_refused_at_once(limited, service, pieces, headers):
    assert limited(service, pieces, *headers).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("command", [b"", b"0000"])
def test_a_push_without_an_end_is_cut(limited, command):
    def chunks():
        yield b"%x\r\n%s\r\n" % (len(command), command) if command else b""
        while True:
            yield b"10000\r\n" + bytes(2**16) + b"\r\n"

    answer = limited(RECEIVE, chunks(), "Transfer-Encoding: chunked")
    assert answer == b"" or answer.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 "))


def test_who_sends_nothing_more_is_given_up(limited):
    answer = limited(UPLOAD, [b"0"], "Content-Length: 100")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


def test_without_git_it_says_so_and_the_rest_goes_on(tmp_path, history, monkeypatch, ask):
    monkeypatch.setenv("PATH", str(tmp_path))
    with git_server(tmp_path) as server:
        shutil.copytree(history.repository, tmp_path / "store")
        reasons = refused(server.way().peer("store"), RemoteUnreachable)
    assert all(reason.endswith("there is no git on this server, and so no clone and no push") for reason in reasons)


def test_a_store_that_is_damaged_while_it_is_served_is_told_and_recovers(ask, filled):
    config = filled.repository / "config"
    config.rename(config.with_suffix(".away"))
    assert said(ask("GET", f"/info/refs?service={UPLOAD}")) == (503, "`.capsules` is not a store")
    assert said(post(ask, RECEIVE, b"0000")) == (503, "`.capsules` is not a store")
    config.with_suffix(".away").rename(config)
    assert fetched(filled)


def test_no_variable_of_git_s_leads_elsewhere(tmp_path, history, monkeypatch, ask):
    monkeypatch.setenv("GIT_DIR", str(make_bare(tmp_path / "other")))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "nonsense")
    with git_server(tmp_path) as server:
        shutil.copytree(history.repository, tmp_path / "store")
        monkeypatch.delenv("GIT_DIR")
        monkeypatch.delenv("GIT_CONFIG_COUNT")
        assert fetched(server.way().peer("store")) == pack_of(history.repository, history.second)
    assert run_git(tmp_path / "other", "for-each-ref") == ""
