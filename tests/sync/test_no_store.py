"""A repository of something else is no store, though its format is the same: nothing is taken of it, nothing sent."""

import os
from pathlib import Path

import pytest
from exchanges import add, clone_from, listing, pull_from, push_to, refs, registered, remote_at, sound
from git_peers import commit, make_bare, run_git
from remote_exchanges import remote_of
from source_code import MAIN, on_main, source_code

from capsulestore.errors import NoCapsuleStore
from capsulestore.sync.address import Address
from capsulestore.sync.bundle import BundleFile
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.pull import pull
from capsulestore.sync.push import push

pytest_plugins = ["exchange_fixtures", "remote_fixtures"]


@pytest.fixture
def source(tmp_path) -> Path:
    return source_code(tmp_path / "source.git")


def assert_said(raised, shown: str) -> None:
    assert raised.value.message.startswith(f"`origin` ({Address.parse(shown).shown}): there is a repository, but ")
    assert "\n" not in raised.value.message + raised.value.hint
    assert raised.value.exit_code == 5


@pytest.mark.parametrize("way", ["paths", "ssh", "http"], indirect=True)
def test_wherever_it_lies_both_sides_stay_as_they_were(way, ours):
    peer = way.peer("source.git")
    source_code(peer.repository)
    add(ours, "a capsule")
    before = listing(peer.repository), listing(ours.path)
    for exchange in (pull, push):
        with pytest.raises(NoCapsuleStore) as raised:
            exchange(ours, remote_of(peer))
        assert_said(raised, peer.url)
    assert (listing(peer.repository), listing(ours.path)) == before
    sound(peer.repository, ours.path)


def test_it_is_not_cloned(source, tmp_path):
    with pytest.raises(NoCapsuleStore) as raised:
        clone_from(source, tmp_path / "clone")
    assert_said(raised, str(source))
    assert not (tmp_path / "clone").exists()


def test_nor_is_a_bundle_of_it_taken(source, ours, tmp_path):
    bundle = tmp_path / "source.bundle"
    run_git(source, "bundle", "create", "-q", str(bundle), "--all")
    before = listing(ours.path)
    with pytest.raises(NoCapsuleStore, match=f"^`{bundle}`: there is a repository, but nothing that it has is"):
        pull(ours, BundleFile(str(bundle), LIMITS, ours.index.has_commit))
    assert listing(ours.path) == before


def test_a_shelf_with_joins_takes_no_more_of_it(source, ours, theirs):
    """The first commit has the tree of a join, which lies here already."""
    add(ours, "ours")
    add(theirs, "theirs")
    pull_from(theirs.path, ours, named=False)
    tip = ours.tip
    with pytest.raises(NoCapsuleStore):
        pull_from(source, ours)
    assert ours.tip == tip


def test_chosen_capsules_are_not_sent_there_and_a_dry_run_says_so(source, ours):
    capsule = add(ours, "a capsule")
    before = listing(source), listing(ours.path)
    for chosen, dry_run in (([capsule], False), ([capsule], True), (None, True)):
        with pytest.raises(NoCapsuleStore) as raised:
            push_to(source, ours, chosen, dry_run=dry_run)
        assert_said(raised, str(source))
    assert (listing(source), listing(ours.path)) == before


def test_where_nothing_is_to_be_sent_nobody_looks(source, ours):
    assert push_to(source, ours).objects == 0


@pytest.mark.parametrize("dry_run", [False, True])
def test_without_a_main_it_is_none_either(ours, tmp_path, dry_run):
    source = source_code(tmp_path / "source.git", "refs/heads/master")
    bundle = tmp_path / "source.bundle"
    run_git(source, "bundle", "create", "-q", str(bundle), "--all")
    before = listing(ours.path)
    for remote in (remote_at(source), BundleFile(str(bundle), LIMITS, ours.index.has_commit)):
        with pytest.raises(NoCapsuleStore, match="no branch `main`") as raised:
            pull(ours, remote, dry_run=dry_run)
        assert raised.value.hint
    assert listing(ours.path) == before
    with pytest.raises(NoCapsuleStore, match="no branch `main`"):
        clone_from(source, tmp_path / "clone")
    assert not (tmp_path / "clone").exists()


def test_tags_of_it_alone_are_not_taken(source, ours):
    run_git(source, "update-ref", "-d", MAIN)
    before = listing(ours.path)
    with pytest.raises(NoCapsuleStore):
        pull_from(source, ours)
    assert listing(ours.path) == before


def test_a_capsule_in_its_history_is_taken_but_nothing_is_sent_over_its_files(hub, ours, theirs):
    capsule = add(ours, "a capsule")
    push_to(hub, ours)
    on_main(hub, run_git(hub, "rev-parse", f"{commit(hub, 'source code')}^{{tree}}"))
    add(theirs, "another")
    before = refs(hub)
    with pytest.raises(NoCapsuleStore):
        push_to(hub, theirs)
    assert refs(hub) == before
    assert pull_from(hub, theirs).capsules == (capsule,)
    sound(hub, theirs.path)


def test_what_goes_on_from_this_shelf_is_taken_whatever_it_is(hub, ours):
    add(ours, "a capsule")
    push_to(hub, ours)
    new = on_main(hub, run_git(hub, "rev-parse", f"{commit(hub, 'a note')}^{{tree}}"))
    assert pull_from(hub, ours).capsules == ()
    assert str(ours.tip) == new


def test_what_took_the_place_of_a_remembered_store_is_looked_at(hub, ours, tmp_path):
    add(ours, "first")
    push_to(hub, ours)
    os.rename(hub, tmp_path / "moved.git")
    source_code(hub)
    before = listing(hub)
    add(ours, "second")
    with pytest.raises(NoCapsuleStore):
        push_to(hub, ours)
    assert listing(hub) == before
    assert len(registered(tmp_path / "moved.git")) == 1


def test_an_empty_repository_is_a_place_for_capsules(ours, tmp_path):
    add(ours, "a capsule")
    place = make_bare(tmp_path / "place.git")
    assert pull_from(place, ours).objects == 0
    assert push_to(place, ours).tip == ours.tip
