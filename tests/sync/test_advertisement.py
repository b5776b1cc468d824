"""What a remote says first: git's own words of every kind of repository, and what no sound remote says."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsulestore.errors import (
    NoCapsuleStore,
    RemoteMisbehaved,
    RemoteProblem,
    RemoteRefused,
    RemoteUnreachable,
)
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.wire.advertisement import Advertised, read_advertisement, read_service
from capsulestore.sync.wire.packet import FLUSH, PacketReader, encode

ID = b"a1" * 32
CAPABILITIES = b"report-status object-format=sha256 agent=git/2.39.5"


def reader_of(sent: bytes, limits=LIMITS) -> PacketReader:
    return PacketReader(io.BytesIO(sent).read, limits, "`origin`")


def sent(*lines: bytes, capabilities: bytes = CAPABILITIES) -> bytes:
    """An advertisement, the capabilities behind its first line."""
    return (
        b"".join(map(encode, (lines[0] + b"\0" + capabilities + b"\n", *(line + b"\n" for line in lines[1:])))) + FLUSH
    )


def read(*lines: bytes, limits=LIMITS, **named: bytes) -> Advertised:
    return read_advertisement(reader_of(sent(*lines, **named), limits))


@pytest.fixture
def advertised(repositories) -> Callable[..., Advertised]:
    """What the real `git SERVICE` says of a repository, read to its last byte."""

    def advertised(service: str, name: str) -> Advertised:
        command = ["git", service, "--advertise-refs", name]
        said = subprocess.run(command, cwd=repositories, capture_output=True, check=True).stdout
        source = io.BytesIO(said)
        found = read_advertisement(PacketReader(source.read, LIMITS, "`origin`"))
        assert source.read() == b""
        return found

    return advertised


@pytest.mark.parametrize("service", ["upload-pack", "receive-pack"])
def test_the_refs_are_those_that_git_has(advertised, repositories, git, service):
    listed = git(repositories / "sha256", "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    found = advertised(service, "sha256")
    assert [f"{name} {digest}" for name, digest in found.refs.items()] == listed
    assert {"refs/heads/main", "refs/heads/other", "refs/tags/annotated", "refs/tags/light"} == set(found.refs)
    assert str(found.main) == git(repositories / "sha256", "rev-parse", "main")
    assert not found.shallow


def test_capabilities_are_read_with_their_values(advertised):
    found = advertised("receive-pack", "sha256").capabilities
    assert (found["report-status"], found["object-format"], found["agent"][:4]) == (None, "sha256", "git/")
    assert advertised("upload-pack", "sha256").capabilities["symref"] == "HEAD:refs/heads/main"


@pytest.mark.parametrize("service", ["upload-pack", "receive-pack"])
def test_a_repository_of_sha1_objects_is_no_store(advertised, service):
    with pytest.raises(NoCapsuleStore, match=r"^`origin`: its objects are named by SHA-1, those of a store by SHA-256"):
        advertised(service, "sha1")


def test_an_empty_repository_has_no_refs(advertised):
    assert advertised("upload-pack", "empty").refs == {}
    found = advertised("receive-pack", "empty")
    assert (found.refs, found.main, found.capabilities["object-format"]) == ({}, None, "sha256")


def test_an_empty_repository_of_sha1_objects_is_no_store_to_whoever_would_push(advertised):
    with pytest.raises(NoCapsuleStore, match="SHA-1"):
        advertised("receive-pack", "empty-sha1")


@pytest.mark.parametrize("service", ["upload-pack", "receive-pack"])
def test_a_repository_with_a_part_of_its_history_says_so(advertised, service):
    found = advertised(service, "shallow")
    assert found.shallow
    assert "refs/heads/main" in found.refs


def test_objects_that_are_there_besides_are_no_refs(advertised):
    found = advertised("receive-pack", "borrowing")
    assert (found.refs, found.shallow) == ({}, False)


def test_a_flush_alone_is_an_empty_repository():
    assert read_advertisement(reader_of(FLUSH)) == Advertised({}, {})


def test_a_remote_that_names_version_1_is_read_as_one_that_names_none():
    plain = sent(ID + b" refs/heads/main")
    assert read_advertisement(reader_of(encode(b"version 1\n") + plain)) == read_advertisement(reader_of(plain))


def test_version_2_was_not_asked_for():
    with pytest.raises(RemoteMisbehaved):
        read_advertisement(reader_of(encode(b"version 2\n") + encode(b"agent=git/2.39.5\n") + FLUSH))


def test_a_remote_that_names_no_object_format_has_sha1_objects():
    with pytest.raises(NoCapsuleStore, match="SHA-1"):
        read(b"a1" * 20 + b" refs/heads/main", capabilities=b"report-status agent=git/2.20.1")


def test_an_object_format_to_come_is_named():
    with pytest.raises(NoCapsuleStore, match="named by `blake3`"):
        read(ID + b" refs/heads/main", capabilities=b"object-format=blake3")


@pytest.mark.parametrize(
    "name",
    [
        b"refs/heads/../../config",
        b"refs/tags/..",
        b"refs/tags/a.lock",
        b"refs/tags/a.lock/b",
        b"refs/tags/.hidden",
        b"refs/tags/a b",
        b"refs/tags/a\x1b[2J",
        b"refs/tags/a\\b",
        b"refs/tags/a@{0}",
        b"refs/tags/",
        b"refs/",
        b"/refs/heads/main",
        b"heads/main",
        b"config",
        b"",
        b"refs/tags/" + b"x" * 5_000,
        b"refs/tags/a..b^{}",
    ],
)
def test_a_ref_with_a_name_that_git_refuses_is_refused(name):
    with pytest.raises(RemoteMisbehaved, match=r"^`origin`: it has a ref with the name"):
        read(ID + b" HEAD", ID + b" " + name)


def test_a_ref_that_is_named_twice_is_refused():
    with pytest.raises(RemoteMisbehaved, match="twice"):
        read(ID + b" refs/heads/main", b"b2" * 32 + b" refs/heads/main")


def test_a_ref_that_is_another_one_s_directory_is_refused():
    with pytest.raises(RemoteMisbehaved, match="as if it were a directory"):
        read(ID + b" refs/tags/a/b", ID + b" refs/tags/a")


@pytest.mark.parametrize("value", [b"a1" * 20, b"A1" * 32, b"0" * 64, b"", b"g1" * 32, b"a1" * 33])
def test_a_ref_that_names_no_object_is_refused(value):
    with pytest.raises(RemoteMisbehaved, match="no id"):
        read(ID + b" HEAD", value + b" refs/heads/main")
    with pytest.raises(RemoteMisbehaved, match="no id"):
        read(ID + b" HEAD", b"shallow " + value)


def test_nothing_but_shallow_lines_follows_one():
    with pytest.raises(RemoteMisbehaved, match="goes on"):
        read(ID + b" HEAD", b"shallow " + ID, ID + b" refs/heads/main")


def test_a_first_line_without_capabilities_is_refused():
    with pytest.raises(RemoteMisbehaved, match="what it can do"):
        read_advertisement(reader_of(encode(ID + b" refs/heads/main\n") + FLUSH))


def test_more_refs_than_the_limit_are_refused():
    lines = [ID + b" refs/tags/%d" % number for number in range(4)]
    assert len(read(*lines, limits=replace(LIMITS, refs=4)).refs) == 4
    with pytest.raises(RemoteMisbehaved, match="more than 3 refs"):
        read(*lines, limits=replace(LIMITS, refs=3))


def test_more_bytes_than_the_limit_are_refused():
    with pytest.raises(RemoteMisbehaved, match="more than 100 bytes"):
        read(ID + b" HEAD", ID + b" refs/heads/main", limits=replace(LIMITS, advertisement_bytes=100))


def test_a_remote_that_says_why_not_is_quoted():
    with pytest.raises(RemoteRefused, match="it says: access denied"):
        read_advertisement(reader_of(encode(b"ERR access denied") + FLUSH))


@pytest.mark.parametrize("cut", [0, 3, 4, 50, 100, -5, -1])
def test_an_advertisement_that_is_cut_short_is_no_empty_repository(cut):
    with pytest.raises(RemoteUnreachable):
        read_advertisement(reader_of(sent(ID + b" HEAD", ID + b" refs/heads/main")[:cut]))


def test_over_http_the_service_comes_first():
    reader = reader_of(encode(b"# service=git-upload-pack\n") + FLUSH + sent(ID + b" refs/heads/main"))
    read_service(reader, "git-upload-pack")
    assert read_advertisement(reader).main.raw == bytes.fromhex(ID.decode())


@pytest.mark.parametrize(
    "first", [encode(b"# service=git-receive-pack\n") + FLUSH, FLUSH, encode(b"# service=git-upload-pack\n") * 2]
)
def test_another_service_than_was_asked_for_is_refused(first):
    with pytest.raises(RemoteMisbehaved, match="service"):
        read_service(reader_of(first), "git-upload-pack")


WORDS = st.sampled_from(
    [ID, b"0" * 64, b" ", b"\0", b"refs/heads/main", b"refs/tags/", b"^{}", b"shallow ", b"version 1"]
)
LINES = st.lists(WORDS | st.binary(max_size=5) | st.just(CAPABILITIES)).map(b"".join).map(encode)


@given(st.lists(LINES | st.just(FLUSH) | st.just(sent(ID + b" HEAD")[:-4])).map(b"".join) | st.binary(max_size=200))
def test_whatever_bytes_come_they_are_an_advertisement_or_a_problem_of_the_remote(said):
    try:
        found = read_advertisement(reader_of(said + FLUSH))
    except RemoteProblem:
        return
    assert all(name.startswith("refs/") and ".." not in name for name in found.refs)
    assert found.capabilities.get("object-format", "sha256") == "sha256"
