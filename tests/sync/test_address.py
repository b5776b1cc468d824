"""Addresses are read as git reads them, which git itself is asked; what is not taken is refused, secrets unsaid."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsulestore.errors import UsageError
from capsulestore.sync.address import Address

RECORDER = """\
#!/bin/sh
printf '%s\\n' "$@" > "$RECORD"
exit 1
"""


@pytest.fixture
def run_by_git(tmp_path) -> Callable[[str], list[str]]:
    """What the real git starts ssh with for an address; nothing where it does not."""
    recorder = tmp_path / "ssh"
    recorder.write_text(RECORDER)
    recorder.chmod(0o755)

    def run_by_git(address: str) -> list[str]:
        record = tmp_path / "record"
        environ = {"GIT_SSH": str(recorder), "GIT_SSH_VARIANT": "ssh", "RECORD": str(record)}
        command = ["git", "-c", "protocol.version=0", "ls-remote", "--", address]
        subprocess.run(command, cwd=tmp_path, env=os.environ | environ, capture_output=True, check=False)
        return record.read_text().splitlines() if record.exists() else []

    return run_by_git


@pytest.mark.parametrize(
    "text",
    [
        "ssh://host/a/path",
        "ssh://host/",
        "ssh://host//path",
        "ssh://user@host:22/~/path",
        "ssh://host/~user/path",
        "ssh://host:/path",
        "ssh://[::1]/path",
        "ssh://[::1]:2/path",
        "ssh://user%40home@host/a%20path",
        "ssh://ho%73t/path",
        "ssh://host/a?b#c",
        "git+ssh://host/path",
        "ssh+git://host/path",
        "host:path",
        "host:/path",
        "host:a path",
        "host:a:b",
        "host:a%20b",
        "host:~/path",
        "user@host:path",
        "a@b@host:path",
        "[::1]:path",
        "[::1]:2:path",
        "user@[::1]:path",
        "[user@::1]:path",
        "[host]:path",
        "[host:2]:path",
        "[user@host:2]:path",
        "user@[host:2]:path",
        "ssh:/a/path",
    ],
)
def test_git_would_start_ssh_with_the_same_host_port_and_path(text, run_by_git):
    address = Address.parse(text)
    port = ["-p", str(address.port)] if address.port else []
    host = f"{address.user}@{address.host}" if address.user else address.host
    assert [*port, host, f"git-upload-pack '{address.path}'"] == run_by_git(text)
    assert (address.kind, address.text, address.shown) == ("ssh", text, text)


@pytest.mark.parametrize(
    "text", ["-oProxyCommand=touch x:path", "ssh://-oProxyCommand=x/path", "-x@host:path", "host:-path"]
)
def test_what_git_refuses_because_ssh_would_misread_it_is_refused(text, run_by_git):
    assert run_by_git(text) == []
    with pytest.raises(UsageError):
        Address.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "ssh://host",
        "host:",
        ":path",
        "@host:path",
        "[::1:path",
        "ssh:///path",
        "ssh://@host/path",
        "ssh://user@/path",
        "ssh://::1/path",
        "ssh://host:port/path",
        "ssh://host:0/path",
        "ssh://host:99999/path",
        "ssh://host:" + "9" * 5_000 + "/path",
        "ssh://ho st/path",
        "ssh://host/a%0apath",
        "ssh://host/a%00path",
        "host:a\npath",
        "https://",
        "https:///path",
        "https://host:port/path",
        "https://host/a path",
        "file://host/path",
        "file://",
        "-path",
        "",
        "a\0path",
    ],
)
def test_what_is_no_address_is_a_wrong_command_line(text):
    with pytest.raises(UsageError) as caught:
        Address.parse(text)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("git://host/path", "git://"),
        ("ftp://host/path", "ftp://"),
        ("s3://bucket/path", "s3://"),
        ("HTTPS://host/path", "HTTPS://"),
        ("ext::sh -c 'touch x'", "ext::"),
        ("fd::3", "fd::"),
        ("host::path", "host::"),
        ("::1:path", "::"),
    ],
)
def test_what_stores_cannot_be_reached_by_is_named_and_what_can_is_said(text, named):
    with pytest.raises(UsageError, match=f"`{named}`") as caught:
        Address.parse(text)
    assert "ssh://HOST/PATH" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "https://user:secret@host/path",
        "https://:secret@host/path",
        "https://user:sec@secret@host/path",
        "https://user:sec%2Fsecret@host:8/path",
        "https://user:secret/@host/path",
        "ssh://user:secret@host/path",
        "ssh://user%3Asecret@host/path",
        "user:secret@host:path",
        "user:secret@[::1]:path",
        "https://host/path?access_token=secret",
        "https://host/path#secret",
        "https://secret@ho st/path",
        "s3://user:secret@bucket/path",
        "ftp://secret@host/path",
    ],
)
def test_a_secret_in_an_address_is_refused_and_never_repeated(text):
    with pytest.raises(UsageError) as caught:
        Address.parse(text)
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


def test_what_to_do_with_a_password_instead_is_said():
    with pytest.raises(UsageError) as caught:
        Address.parse("https://user:secret@host/path")
    assert all(word in caught.value.hint for word in ("credential helpers", "netrc", "CAPSULE_TOKEN"))


@pytest.mark.parametrize(
    ("text", "host", "port", "path"),
    [
        ("https://host/a/path.git", "host", None, "/a/path.git"),
        ("http://host:8080", "host", 8080, ""),
        ("http://[::1]:8080/a%20path", "::1", 8080, "/a%20path"),
        ("https://host:/", "host", None, "/"),
    ],
)
def test_an_address_over_http_is_kept_as_it_is(text, host, port, path):
    assert Address.parse(text) == Address("http", text, path, host, port)


def test_a_user_over_http_may_be_a_token_and_is_kept_apart():
    address = Address.parse("https://us%40er@host:8/path")
    assert (address.user, address.text, address.shown) == ("us@er", "https://host:8/path", "https://host:8/path")


def test_a_token_in_the_path_is_not_shown():
    token = "ghp_" + "a1B2" * 9
    assert token not in Address.parse(f"https://host/{token}/path").shown


@pytest.mark.parametrize("text", ["file:///a%20path", "file://localhost/a%20path"])
def test_a_path_as_a_url_is_decoded(text):
    assert Address.parse(text) == Address("path", text, "/a path")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/a/path", "/a/path"),
        ("path", "BASE/path"),
        ("./host:path", "BASE/host:path"),
        ("a/b:c", "BASE/a/b:c"),
        ("a//b/./c/", "BASE/a/b/c"),
        ("../path", "BASE/../path"),
        (".", "BASE"),
        ("~/path", "~/path"),
        ("a?b#c%20", "BASE/a?b#c%20"),
    ],
)
def test_a_path_is_one_from_the_base(text, path, tmp_path):
    expected = path.replace("BASE", str(tmp_path))
    assert Address.parse(text, base=str(tmp_path)) == Address("path", expected, expected)


def test_what_stands_before_two_dots_may_be_a_link(tmp_path, git):
    git(tmp_path, "init", "-q", "--bare", "elsewhere/store")
    (tmp_path / "elsewhere" / "inside").mkdir()
    (tmp_path / "link").symlink_to("elsewhere/inside")
    address = Address.parse("link/../store", base=str(tmp_path))
    assert Path(address.path).samefile(tmp_path / "elsewhere" / "store")


PARTS = st.sampled_from(
    ["ssh", "https", "file", "://", ":", "/", "@", "[", "]", "::1", "host", "~", "-", "%41", "%00", "?", " ", "2"]
)


@given(st.lists(PARTS | st.text(max_size=2)).map("".join))
def test_whatever_text_is_given_it_is_an_address_without_a_secret_or_a_wrong_command_line(text):
    try:
        address = Address.parse(text, base="/base")
    except UsageError:
        return
    assert not any((part or "").startswith("-") for part in (address.host, address.path, address.user))
    assert Address.parse(address.text)._replace(user=address.user) == address
