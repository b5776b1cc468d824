"""Remotes over HTTP: a real web server before git, its certificates, redirects and refusals, proxies."""

import os
import shutil
import socket
from dataclasses import replace

import pytest
from git_peers import Peer, make_bare, run_git, sound
from lying_peers import serving
from remote_exchanges import MAIN, fetched, pack_of, pushed, refused, remote_of, tip
from web_proxies import proxying

from capsulestore.errors import NoCapsuleStore, RemoteMisbehaved, RemoteProblem, RemoteRefused, RemoteUnreachable
from capsulestore.model.digest import Digest
from capsulestore.sync.remote import Update

pytest_plugins = ["remote_fixtures"]


@pytest.fixture(scope="session")
def large(tmp_path_factory) -> tuple[bytes, Digest]:
    """A pack of more than is sent with its length, and the commit that it leads to."""
    repository = make_bare(tmp_path_factory.mktemp("large") / "large.git")
    blob = run_git(repository, "hash-object", "-w", "--stdin", given=os.urandom(3 * 2**19))
    tree = run_git(repository, "mktree", given=f"100644 blob {blob}\tfile\n".encode())
    large = Digest(run_git(repository, "commit-tree", tree, "-m", "large"))
    return pack_of(repository, large), large


@pytest.fixture
def serves(web, history, nothing_is_left, request):
    """Give the peer for a repository with the history, below a part of the server: `serves("git", listening=...)`."""
    repository = web.directory / "repositories" / f"{request.node.originalname}.git"
    shutil.copytree(history.repository, repository)

    def serves(part: str = "git", **how) -> Peer:
        return web.way(part, part, **how).peer(repository.name)

    yield serves
    shutil.rmtree(repository)


def test_tls_with_an_authority_that_variables_name(serves, web):
    peer = serves(listening="good")
    assert fetched(peer)
    environ = {name: value for name, value in peer.environ.items() if name != "GIT_SSL_CAINFO"}
    assert fetched(replace(peer, environ={**environ, "SSL_CERT_FILE": f"{web.directory}/authority.pem"}))


@pytest.mark.parametrize(
    ("listening", "reason"),
    [("expired", "has expired"), ("self_signed", "is signed by itself, by no authority")],
)
def test_a_certificate_that_does_not_hold(serves, listening, reason):
    assert refused(serves(listening=listening), RemoteUnreachable) == [f"its certificate {reason}"] * 2


def test_an_authority_that_is_not_known(serves):
    peer = replace(serves(listening="good"), environ=os.environ)
    assert refused(peer, RemoteUnreachable) == ["its certificate is signed by an authority that is not known here"] * 2


def test_a_certificate_of_another_host(serves):
    peer = serves(listening="good")
    peer = replace(peer, url=peer.url.replace("127.0.0.1", "localhost"))
    assert refused(peer, RemoteUnreachable) == ["its certificate is another host's"] * 2


def test_authorities_that_cannot_be_read(serves):
    peer = serves(listening="good")
    peer = replace(peer, environ={**os.environ, "GIT_SSL_CAINFO": "/no/such/file"})
    assert "`/no/such/file` cannot be read" in refused(peer, RemoteUnreachable)[0]


def test_a_port_that_speaks_something_else(serves):
    peer = serves()
    peer = replace(peer, url=peer.url.replace("http:", "https:"))
    assert "no safe connection to it" in refused(peer, RemoteUnreachable)[0]


@pytest.mark.parametrize("part", ["moved", "safer"])
def test_a_redirect_on_the_same_host_is_followed(serves, part, history):
    peer = serves(part, environ={"GIT_SSL_CAINFO": serves(listening="good").environ["GIT_SSL_CAINFO"]})
    assert fetched(peer)
    pack = pack_of(history.repository, history.other, f"^{history.first}")
    assert pushed(peer, pack, Update("refs/heads/other", None, history.other)).refusals == {}


@pytest.mark.parametrize(
    ("part", "problem", "reason"),
    [
        ("elsewhere", RemoteRefused, "it redirects to `http://elsewhere.invalid/git/"),
        ("login", NoCapsuleStore, "it redirects to something else (301)"),
        ("endless", RemoteRefused, "it redirects from one address to the next"),
        ("page", NoCapsuleStore, "it does not answer as git does over HTTP, but with `text/html`"),
        ("nothing", NoCapsuleStore, "there is no repository at that address (404)"),
    ],
)
def test_what_is_no_repository(serves, part, problem, reason):
    assert all(said.startswith(reason) for said in refused(serves(part), problem))


@pytest.mark.slow
@pytest.mark.parametrize("how", [{}, {"listening": "good"}], ids=["http", "https"])
def test_a_large_push_goes_in_chunks(serves, large, how):
    peer = serves(**how)
    pack, commit = large
    assert pushed(peer, pack, Update("refs/heads/large", None, commit)).refusals == {}
    assert run_git(peer.repository, "rev-parse", "refs/heads/large") == commit.hex
    sound(peer.repository)


@pytest.mark.slow
def test_a_large_push_where_a_password_is_asked_for(password, history, large, nothing_is_left):
    peer = password.peer("a large push with a password.git")
    shutil.copytree(history.repository, peer.repository)
    peer = replace(peer, url=peer.url.replace(" ", "%20"))
    pack, commit = large
    assert pushed(peer, pack, Update("refs/heads/large", None, commit)).refusals == {}


def test_a_server_that_takes_less_at_a_time(serves, large, history):
    peer = serves("small")
    pack, commit = large
    with pytest.raises(RemoteRefused, match=r"it does not take so much at a time \(413\)") as raised:
        pushed(peer, pack, Update(MAIN, history.second, commit))
    assert raised.value.hint
    assert tip(peer.repository) == history.second
    sound(peer.repository)


def test_a_server_that_only_lets_read(serves):
    peer = serves()
    run_git(peer.repository, "config", "http.receivepack", "false")
    assert fetched(peer)
    with pytest.raises(RemoteRefused, match=r"it forbids that \(403\)"):
        remote_of(peer).push(lambda _: None)


TOLD = b'{"errors": [{"code": "a", "message": "no room is left", "hint": "ask Ada"}]}'
HTML, TEXT, JSON = b"text/html", b"text/plain; charset=utf-8", b"application/json"
REFUSALS = {
    "403 in our form": (403, JSON, TOLD, "no room is left", "ask Ada"),
    "403 with a line": (403, TEXT, b"no room is left\n", "it answers 403: no room is left", "that is for whoever"),
    "507 in our form": (507, JSON, TOLD, "no room is left", "ask Ada"),
    "507 with a line": (507, TEXT, b"no room is left\n", "it answers 507: no room is left", "that is for whoever"),
    "503 with a page": (503, HTML, b"no", "something is wrong with it: `503 Service Unavailable`", "try again later"),
    "503 that says no more": (503, TEXT, b"Service Unavailable\n", "something is wrong with it: `503", "try again"),
    "JSON of another form": (404, JSON, b'{"error": "x"}', "there is no repository at that address (404)", "some serv"),
    "a form like ours": (404, JSON, TOLD.replace(b"hint", b"detail"), "there is no repository at that", "some serv"),
    "a server of ours": (404, JSON, TOLD, "there is a server of capsules at that address", "add `/git`: `http://127."),
}


@pytest.mark.parametrize(("status", "kind", "body", "reason", "hint"), REFUSALS.values(), ids=REFUSALS)
def test_where_a_server_says_why_that_is_told(nothing_is_left, status, kind, body, reason, hint):
    said = b"HTTP/1.1 %d So\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (status, kind, len(body), body)
    # In two parts, as it may come.
    parts = said[:-2], said[-2:]
    with serving(lambda _, send: [send(part) for part in parts]) as url, pytest.raises(RemoteProblem) as raised:
        fetched(Peer(url, None, os.environ))
    assert raised.value.reason.startswith(reason)
    assert raised.value.hint.startswith(hint)


def test_who_does_not_answer_is_unreachable(nothing_is_left):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for url, reason in (
        (f"http://127.0.0.1:{port}/x", "Connection refused"),
        ("https://host.invalid/x", "the name of its host is not known"),
    ):
        assert all(reason in said for said in refused(Peer(url, None, os.environ), RemoteUnreachable))


def test_a_proxy_is_gone_by(serves):
    with proxying() as proxy:
        by = {"http_proxy": f"http://127.0.0.1:{proxy.port}"}
        assert fetched(serves(environ=by))
        assert [head.split()[1][:7] for head in proxy.heads] == [b"http://"] * 2
        peer = serves(environ={**by, "no_proxy": "example.org,127.0.0.1"})
        assert fetched(peer)
        assert len(proxy.heads) == 2


def test_a_proxy_is_gone_through_to_a_place_with_tls(serves):
    with proxying(b"Basic YWRhOng=") as proxy:
        by = {"https_proxy": f"ada:x@127.0.0.1:{proxy.port}"}
        assert fetched(serves(listening="good", environ=by))
        # Both requests go through one tunnel, and only the proxy is told the password.
        assert [head.split()[0] for head in proxy.heads] == [b"CONNECT"]
        peer = serves(listening="good", environ={"https_proxy": f"127.0.0.1:{proxy.port}"})
        assert refused(peer, RemoteRefused)[0].startswith("the proxy `127.0.0.1` asks for a password")


def test_a_proxy_of_another_kind_is_refused(serves):
    peer = serves(environ={"all_proxy": "socks5://127.0.0.1:1080"})
    assert refused(peer, RemoteUnreachable) == ["the variable `all_proxy` names no proxy that speaks HTTP"] * 2


def test_what_speaks_no_http_misbehaves(nothing_is_left):
    reason = "it does not answer as a web server does"
    greeting = b"220 mail.invalid ESMTP\r\n"
    with serving(lambda _, send: send(greeting)) as url, pytest.raises(RemoteMisbehaved, match=reason):
        fetched(Peer(url, None, os.environ))


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:99999", "//", ""])
def test_a_redirect_to_what_is_no_address_is_not_followed(nothing_is_left, url):
    location = f"{url}/info/refs?service=git-upload-pack".encode()
    moved = b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
    with (
        serving(lambda _, send: send(moved)) as address,
        pytest.raises((NoCapsuleStore, RemoteRefused), match="it redirects"),
    ):
        fetched(Peer(address, None, os.environ))


@pytest.mark.parametrize("body", [b"", b"001e# service=git-upload-pack\n0000"], ids=["nothing", "something"])
def test_a_body_that_is_over_and_does_not_end_is_not_read(nothing_is_left, body):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    head += b"Content-Type: application/x-git-upload-pack-advertisement\r\n\r\n"

    def answer(_request, send):
        send(head + (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n")
        while True:
            send(b"a-trailer: of many\r\n" * 1000)

    with serving(answer) as url, pytest.raises(RemoteMisbehaved, match="it does not answer as a web server does"):
        fetched(Peer(url, None, os.environ))


def test_a_head_without_an_end_is_not_read(nothing_is_left):
    def answer(_request, send):
        while True:
            send(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    with serving(answer) as url, pytest.raises(RemoteMisbehaved, match="it does not answer as a web server does"):
        fetched(Peer(url, None, os.environ))
