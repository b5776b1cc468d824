"""The header of a bundle: git reads ours, we read git's, and what is no bundle of ours is refused in words."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsulestore.errors import NoCapsuleStore, RemoteMisbehaved, RemoteProblem
from capsulestore.model.digest import Digest
from capsulestore.sync.bundle_format import BundleHeader, encode_header, read_header
from capsulestore.sync.limits import LIMITS

ID = "a1" * 32
SIGNATURE = b"# v3 git bundle\n@object-format=sha256\n"
DIGESTS = st.binary(min_size=32, max_size=32).filter(any).map(lambda raw: Digest(raw.hex()))
NAMES = st.sampled_from(["refs/heads/main", "refs/tags/é", "refs/tags/\udcff", "refs/capsules/forgotten"])
HEADERS = st.builds(BundleHeader, st.dictionaries(NAMES, DIGESTS), st.lists(DIGESTS, max_size=3).map(tuple))


def read(written: bytes, limits=LIMITS) -> BundleHeader:
    return read_header(io.BytesIO(written), limits, "`a.bundle`")


@given(HEADERS)
def test_a_header_reads_back_and_the_file_stands_where_the_pack_begins(header):
    file = io.BytesIO(encode_header(header) + b"PACK")
    assert read_header(file, LIMITS, "`a.bundle`") == header
    assert file.read() == b"PACK"


def test_a_header_is_written_as_git_writes_it(repositories, git, tmp_path):
    git(repositories / "sha256", "bundle", "create", str(tmp_path / "b"), "HEAD", "--branches", "--tags")
    written = (tmp_path / "b").read_bytes()
    header = read(written)
    assert written.startswith(encode_header(header) + b"PACK")
    listed = git(repositories / "sha256", "for-each-ref", "--format=%(objectname) %(refname)").splitlines()
    assert [f"{digest} {name}" for name, digest in header.refs.items()] == listed


def test_what_a_bundle_takes_for_granted_is_read(repositories, git, tmp_path):
    git(repositories / "sha256", "bundle", "create", str(tmp_path / "b"), "main~1..main")
    header = read((tmp_path / "b").read_bytes())
    assert list(map(str, header.prerequisites)) == [git(repositories / "sha256", "rev-parse", "main~1")]
    assert set(header.refs) == {"refs/heads/main"}


def test_git_takes_a_bundle_with_our_header(repositories, git, tmp_path):
    source = repositories / "sha256"
    main, before = (Digest.parse(git(source, "rev-parse", name)) for name in ("main", "main~1"))
    git(source, "bundle", "create", str(tmp_path / "theirs"), "main~1..main")
    pack = (tmp_path / "theirs").read_bytes().partition(b"\n\n")[2]
    (tmp_path / "ours").write_bytes(encode_header(BundleHeader({"refs/heads/main": main}, (before,))) + pack)
    git(source, "bundle", "verify", str(tmp_path / "ours"))
    assert git(source, "bundle", "list-heads", str(tmp_path / "ours")).splitlines() == [
        f"{main} HEAD",
        f"{main} refs/heads/main",
    ]


@pytest.mark.parametrize("version", ["2", "3"])
def test_a_bundle_of_sha1_objects_is_no_store(repositories, git, tmp_path, version):
    git(repositories / "sha1", "bundle", "create", f"--version={version}", str(tmp_path / "b"), "main")
    with pytest.raises(NoCapsuleStore, match=r"^`a.bundle`: its objects are named by SHA-1"):
        read((tmp_path / "b").read_bytes())


def test_a_bundle_that_leaves_objects_out_is_no_store(repositories, git, tmp_path):
    git(repositories / "sha256", "bundle", "create", str(tmp_path / "b"), "--filter=blob:none", "main")
    with pytest.raises(NoCapsuleStore, match="left out"):
        read((tmp_path / "b").read_bytes())


def test_a_capability_that_is_not_known_is_refused_by_its_name():
    with pytest.raises(NoCapsuleStore, match="asks for `encryption`"):
        read(SIGNATURE + b"@encryption=age\n" + f"{ID} refs/heads/main\n\n".encode())


@pytest.mark.parametrize("written", [b"", b"PK\3\4", b"# v4 git bundle\n", b"# v3 git bundle", b"\0" * 1_000])
def test_what_is_no_bundle_is_said_to_be_none(written):
    with pytest.raises(NoCapsuleStore, match="it is no git bundle"):
        read(written)


def test_a_header_that_is_cut_short_at_any_byte_is_refused():
    header = encode_header(BundleHeader({"refs/heads/main": Digest(ID)}, (Digest(ID),)))
    for length in range(len(header)):
        with pytest.raises((RemoteMisbehaved, NoCapsuleStore)):
            read(header[:length])


@pytest.mark.parametrize(
    "line",
    [
        f"{ID} refs/heads/../../config",
        f"{ID} refs/tags/a.lock",
        f"{ID} config",
        f"{ID}",
        f"{'0' * 64} refs/heads/main",
        f"{'a1' * 20} refs/heads/main",
        f"-{'a1' * 20} ",
        f"{ID} refs/tags/a\n-{ID} ",
        f"{ID} refs/tags/a\n@object-format=sha256",
        f"{ID} refs/tags/a\n{ID} refs/tags/a",
        f"{ID} refs/tags/a\n{ID} refs/tags/a/b",
    ],
)
def test_what_git_would_not_write_is_refused(line):
    with pytest.raises(RemoteMisbehaved):
        read(SIGNATURE + f"{line}\n\n".encode())


@pytest.mark.parametrize("limits", [replace(LIMITS, advertisement_bytes=500), replace(LIMITS, refs=5)])
def test_a_header_without_an_end_is_given_up(limits):
    lines = b"".join(b"%s refs/tags/%d\n" % (ID.encode(), number) for number in range(1_000))
    file = io.BytesIO(SIGNATURE + lines)
    with pytest.raises(RemoteMisbehaved):
        read_header(file, limits, "`a.bundle`")
    assert file.tell() < 700


@pytest.mark.parametrize("begin", [b"-", b"@", b""])
def test_a_line_without_an_end_is_given_up(begin):
    file = io.BytesIO(SIGNATURE + begin + b"a" * 200_000)
    with pytest.raises(RemoteMisbehaved, match="does not come to an end"):
        read_header(file, LIMITS, "`a.bundle`")
    assert file.tell() < 70_000


WORDS = st.sampled_from([SIGNATURE, b"\n", b"@", b"-", ID.encode(), b" ", b"refs/heads/main", b"PACK"])


@given(st.lists(WORDS | st.binary(max_size=5)).map(b"".join).map(SIGNATURE.__add__) | st.binary(max_size=200))
def test_whatever_bytes_come_they_are_a_header_or_a_problem_of_the_bundle(written):
    try:
        header = read(written)
    except RemoteProblem:
        return
    assert read(encode_header(header)) == header
