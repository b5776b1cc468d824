"""How every remote that git answers for says no: a problem that says which remote and why, and nothing moved."""

import pytest
from git_peers import commit, make_bare, make_read_only, run_git, sound
from remote_exchanges import MAIN, NO_OBJECT, Heard, pack_of, pushed, refused, remote_of, tip

from capsulestore.errors import NoCapsuleStore, RemoteRefused
from capsulestore.sync.remote import Update

pytest_plugins = ["remote_fixtures"]

by_git_alone = pytest.mark.parametrize("way", ["paths", "ssh", "http", "password"], indirect=True)
"""Where a store that is served differs: git's settings and hooks there are the server's, and it has to be a store."""


def test_what_is_no_fast_forward_is_refused(filled, history):
    run_git(filled.repository, "config", "receive.denyNonFastForwards", "true")
    pack = pack_of(history.repository, history.other, f"^{history.first}")
    answer = pushed(filled, pack, Update(MAIN, history.second, history.other))
    assert answer.refusals == {MAIN: "non-fast-forward"}
    assert tip(filled.repository) == history.second
    sound(filled.repository)


def test_a_lost_race_is_refused(filled, history):
    pack = pack_of(history.repository, history.other, f"^{history.first}")
    answer = pushed(filled, pack, Update(MAIN, history.first, history.other))
    assert answer.refusals.keys() == {MAIN}
    assert tip(filled.repository) == history.second


def test_one_refused_ref_keeps_the_others_back(filled, history):
    updates = [Update(MAIN, history.first, history.other), Update("refs/tags/new", None, history.other)]
    pack = pack_of(history.repository, history.other, f"^{history.first}")
    assert pushed(filled, pack, *updates).refusals.keys() == {MAIN, "refs/tags/new"}
    assert run_git(filled.repository, "for-each-ref", "refs/tags") == ""


@by_git_alone
def test_a_hook_refuses_and_says_why(filled, history):
    hook = filled.repository / "hooks" / "pre-receive"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\necho not on a Sunday >&2\nexit 1\n")
    hook.chmod(0o755)
    pack, heard = pack_of(history.repository, history.other, f"^{history.first}"), Heard()
    answer = pushed(filled, pack, Update("refs/heads/new", None, history.other), progress=heard)
    assert answer.refusals == {"refs/heads/new": "pre-receive hook declined"}
    assert "not on a Sunday" in heard.text
    sound(filled.repository)


def test_a_deletion_that_is_denied_is_refused(filled, history):
    run_git(filled.repository, "config", "receive.denyDeletes", "true")
    answer = pushed(filled, b"", Update(MAIN, history.second, NO_OBJECT))
    assert answer.refusals == {MAIN: "deletion prohibited"}
    assert tip(filled.repository) == history.second


@by_git_alone
def test_a_push_that_lacks_objects_is_refused(empty, history):
    pack = pack_of(history.repository, history.second, f"^{history.first}")
    answer = pushed(empty, pack, Update(MAIN, None, history.second))
    assert answer.refusals == {MAIN: "missing necessary objects"}
    sound(empty.repository)


def test_a_damaged_pack_is_refused(empty, history):
    pack = bytearray(pack_of(history.repository, history.second))
    pack[-1] ^= 1
    with pytest.raises(
        RemoteRefused, match=r"it could not take what it was sent: .*(sha1 did not match|SHA1 mismatch)"
    ):
        pushed(empty, bytes(pack), Update(MAIN, None, history.second))
    sound(empty.repository)


def test_an_empty_remote_has_no_refs(empty):
    with remote_of(empty).fetch(lambda advertised: [*advertised.refs.values()], []) as answer:
        assert (answer.advertised.refs, answer.pack) == ({}, None)
    assert remote_of(empty).push(lambda _: None).advertised.refs == {}


@by_git_alone
def test_a_remote_of_sha_1_is_none(peer):
    make_bare(peer.repository, "sha1")
    run_git(peer.repository, "update-ref", MAIN, commit(peer.repository, "first"))
    assert all("SHA-1" in reason for reason in refused(peer, NoCapsuleStore))


@by_git_alone
def test_a_remote_that_is_missing_is_none(peer):
    assert all(reason.startswith("there is no ") for reason in refused(peer, NoCapsuleStore))


def test_a_shallow_remote_is_none(peer, way, history):
    run_git(
        peer.repository.parent, "clone", "-q", "--bare", "--depth=1", f"file://{history.repository}", peer.repository
    )
    for name, value in {"http__receivepack": "true", **way.config}.items():
        run_git(peer.repository, "config", name.replace("__", "."), value)
    assert all("shallow" in reason for reason in refused(peer, NoCapsuleStore))


@by_git_alone
def test_a_remote_that_cannot_write_refuses(peer, history):
    make_read_only(make_bare(peer.repository))
    with pytest.raises(RemoteRefused, match="it could not take what it was sent"):
        pushed(peer, pack_of(history.repository, history.second), Update(MAIN, None, history.second))
    assert run_git(peer.repository, "for-each-ref") == ""


@pytest.mark.parametrize("way", ["ssh", pytest.param("password", marks=pytest.mark.slow)], indirect=True)
def test_who_is_not_let_in_is_refused(filled, way):
    for environ in filter(None, (way.wrong, way.none)):
        refused(way.peer(filled.repository.name, environ), RemoteRefused)
