"""Who is asking: said only when it is asked for, only where it is safe, and never printed."""

import os
import shutil
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import replace

import pytest
from git_peers import Peer
from lying_peers import packet, serving
from remote_exchanges import fetched, refused
from web_servers import PASSWORD, USER

from capsulestore.errors import RemoteRefused
from capsulestore.sync.address import Address
from capsulestore.sync.connect import connect
from capsulestore.sync.remote import Surroundings

pytest_plugins = ["remote_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_is_left")

TOKEN = "a-token-of-ours"
BASIC = b"Basic " + b64encode(f"{USER}:{PASSWORD}".encode())
EMPTY = packet(b"0" * 64 + b" capabilities^{}\0report-status side-band-64k object-format=sha256\n") + b"0000"
OPENED = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-receive-pack-advertisement\r\nConnection: close\r\n\r\n"


@contextmanager
def asking(takes: bytes, scheme: bytes = b'Basic realm="capsules", Bearer'):
    """A server that asks until it gets what it takes; gives its url, and what it was told each time."""
    told = []

    def answer(request, send):
        headers = dict(line.partition(b": ")[::2] for line in request.split(b"\r\n"))
        told.append(headers.get(b"Authorization"))
        if told[-1] == takes:
            send(OPENED + packet(b"# service=git-receive-pack\n") + b"0000" + EMPTY)
        else:
            send(b"HTTP/1.1 401 Who\r\nConnection: close\r\nWWW-Authenticate: " + scheme + b"\r\n\r\n")

    with serving(answer) as url:
        yield url, told


def visit(url: str, token: str | None = None, **environ: str):
    surroundings = Surroundings({**os.environ, **environ}, token)
    remote = connect("origin", Address.parse(url), surroundings)
    return remote.push(lambda _: None)


@pytest.fixture
def netrc(tmp_path):
    def netrc(text: str) -> str:
        path = tmp_path / "netrc"
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    return netrc


def test_a_token_is_sent_when_it_is_asked_for():
    with asking(b"Bearer " + TOKEN.encode()) as (url, told):
        assert visit(url, TOKEN).advertised.refs == {}
        assert told == [None, b"Bearer " + TOKEN.encode()]


def test_what_was_taken_is_sent_at_once_the_next_time():
    with asking(b"Bearer " + TOKEN.encode()) as (url, told):
        remote = connect("origin", Address.parse(url), Surroundings(os.environ, TOKEN))
        remote.push(lambda _: None)
        remote.push(lambda _: None)
        assert told == [None, *[b"Bearer " + TOKEN.encode()] * 2]


def test_a_token_is_not_sent_in_the_open():
    with asking(b"Bearer " + TOKEN.encode()) as (url, told):
        with pytest.raises(RemoteRefused, match="CAPSULE_TOKEN is not sent") as raised:
            visit("http://store.invalid/x", TOKEN, http_proxy=url.removesuffix("/store.git"))
        assert "https" in raised.value.hint
        assert told == [None]


def test_a_token_that_is_not_taken_is_not_repeated():
    with asking(b"Bearer another") as (url, _), pytest.raises(RemoteRefused) as raised:
        visit(url, TOKEN)
    assert "does not take the token in CAPSULE_TOKEN" in raised.value.reason
    assert TOKEN not in raised.value.message + raised.value.hint + repr(Surroundings(os.environ, TOKEN))


def test_a_token_that_no_header_can_hold_is_not_sent():
    with asking(b"") as (url, told), pytest.raises(RemoteRefused, match="holds what no token can") as raised:
        visit(url, f"{TOKEN}\r\nX: y")
    assert TOKEN not in raised.value.message
    assert told == [None]


@pytest.mark.parametrize(
    "text",
    [
        f'machine 127.0.0.1 login {USER} password "{PASSWORD}"\n',
        f'machine other login x password y\ndefault login {USER} password "{PASSWORD}"\n',
    ],
    ids=["by its name", "by default"],
)
def test_netrc_has_a_password_for_the_host(netrc, text):
    with asking(BASIC) as (url, told):
        visit(url, NETRC=netrc(text))
        assert told == [None, BASIC]


def test_netrc_is_looked_for_at_home(tmp_path, netrc):
    text = f'machine 127.0.0.1 login {USER} password "{PASSWORD}"\n'
    os.rename(netrc(text), tmp_path / ".netrc")
    with asking(BASIC) as (url, _):
        visit(url, HOME=str(tmp_path))


def test_the_user_of_the_address_has_its_own_password(netrc):
    text = f'machine 127.0.0.1 login {USER} password "{PASSWORD}"\n'
    with asking(BASIC) as (url, told):
        visit(url.replace("//", f"//{USER}@"), NETRC=netrc(text))
        with pytest.raises(RemoteRefused, match="it asks for a password"):
            visit(url.replace("//", "//somebody@"), NETRC=netrc(text))
        assert told == [None, BASIC, None]


def test_a_token_that_is_not_taken_is_followed_by_the_password(netrc):
    text = f'machine 127.0.0.1 login {USER} password "{PASSWORD}"\n'
    with asking(BASIC) as (url, told):
        visit(url, TOKEN, NETRC=netrc(text))
        assert told == [None, b"Bearer " + TOKEN.encode(), BASIC]


def test_a_netrc_that_cannot_be_read_is_named_but_not_repeated(netrc):
    with asking(BASIC) as (url, _), pytest.raises(RemoteRefused, match=r"netrc` cannot be read \(line 1\)") as raised:
        visit(url, NETRC=netrc(f"{PASSWORD}\n"))
    assert PASSWORD.split()[0] not in raised.value.message


def test_a_password_is_not_offered_where_none_is_asked_for(netrc):
    text = f'machine 127.0.0.1 login {USER} password "{PASSWORD}"\n'
    with asking(b"", scheme=b"Negotiate") as (url, told), pytest.raises(RemoteRefused, match="`negotiate`"):
        visit(url, NETRC=netrc(text))
    assert told == [None]


def stored(tmp_path, url: str, password: str) -> dict[str, str]:
    """Variables for a git whose helper keeps a password in a file."""
    (tmp_path / "passwords").write_text(url.replace("//", f"//{USER}:{password}@") + "\n")
    (tmp_path / "config").write_text(f"[credential]\n\thelper = store --file {tmp_path}/passwords\n")
    return {"GIT_CONFIG_GLOBAL": str(tmp_path / "config")}


def test_git_s_helpers_are_asked(tmp_path):
    with asking(BASIC) as (url, _):
        environ = stored(tmp_path, url.removesuffix("/store.git"), PASSWORD.replace(" ", "%20"))
        visit(url, **environ)
        assert (tmp_path / "passwords").read_text().count("@127.0.0.1") == 1


def test_git_s_helpers_forget_what_was_not_taken(tmp_path):
    with asking(BASIC) as (url, _):
        environ = stored(tmp_path, url.removesuffix("/store.git"), "wrong")
        with pytest.raises(RemoteRefused, match="does not take the password that `git credential` has for it"):
            visit(url, **environ)
        assert (tmp_path / "passwords").read_text() == ""


def test_git_s_helpers_learn_what_somebody_typed(tmp_path):
    """Who types is a program here (`GIT_ASKPASS`), which is asked also where there is no terminal."""
    (tmp_path / "passwords").touch()
    (tmp_path / "ask").write_text(f'#!/bin/sh\ncase $1 in User*) echo {USER};; *) echo "{PASSWORD}";; esac\n')
    (tmp_path / "ask").chmod(0o755)
    with asking(BASIC) as (url, _):
        environ = stored(tmp_path, "http://elsewhere.invalid", "x")
        visit(url, GIT_ASKPASS=str(tmp_path / "ask"), **environ)
        assert "127.0.0.1" in (tmp_path / "passwords").read_text()


def test_without_git_the_others_are_asked(tmp_path, netrc):
    text = f'machine 127.0.0.1 login {USER} password "{PASSWORD}"\n'
    with asking(BASIC) as (url, _):
        visit(url, NETRC=netrc(text), PATH=str(tmp_path))
        with pytest.raises(RemoteRefused, match="it asks for a password"):
            visit(url, PATH=str(tmp_path))


def test_a_real_server_takes_what_git_s_helper_has(tmp_path, password, history):
    peer = password.peer("of a helper.git", stored(tmp_path, "http://127.0.0.1", "x"))
    shutil.copytree(history.repository, peer.repository)
    url = peer.url.replace(" ", "%20")
    host = url.partition("/locked")[0]
    stored(tmp_path, host, PASSWORD.replace(" ", "%20"))
    assert fetched(replace(peer, url=url))


def test_nobody_is_asked_where_nobody_is(password, history):
    peer = password.peer("asked.git", {"NETRC": os.devnull})
    shutil.copytree(history.repository, peer.repository)
    assert refused(Peer(peer.url, peer.repository, peer.environ), RemoteRefused) == ["it asks for a password (401)"] * 2


def test_a_helper_that_variables_configure_is_asked():
    """As where a job is given what it may see, and has no file to write it into."""
    with asking(BASIC) as (url, told):
        helper = f"!echo username={USER}; echo 'password={PASSWORD}'; :"
        visit(url, GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="credential.helper", GIT_CONFIG_VALUE_0=helper)
        assert told[-1] == BASIC
