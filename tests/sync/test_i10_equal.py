"""I10: stores that have exchanged everything are equal, over each transport: the same capsules, the same tip."""

import pytest
from exchangers import Ended, Job, run
from exchanges import add, objects, pull_from, push_to, refs, registered, remote_at, sound
from git_peers import make_bare, run_git

from capsulestore.sync.pull import pull
from capsulestore.sync.push import push

pytest_plugins = ["exchange_fixtures", "remote_fixtures"]

WELL = Ended(0, "")
TITLES = ("a", "b", "c")


@pytest.mark.parametrize(
    "way", ["paths", *(pytest.param(way, marks=pytest.mark.slow) for way in ("ssh", "http", "password"))]
)
def test_i10_three_that_add_at_once_and_exchange_all_by_a_hub_are_equal(request, new_store, way):
    peer = request.getfixturevalue(way).peer(f"i10-{way}.git")
    hub = make_bare(peer.repository, receive__fsckObjects="true")
    stores = [new_store(title) for title in TITLES]
    assert run([Job("add", store.path, titles=TITLES[: number + 1]) for number, store in enumerate(stores)]) == [
        WELL
    ] * len(stores)
    remote = remote_at(peer.url, environ=peer.environ)
    for number, store in enumerate(stores):
        store.tags.set(f"tag-{number}", store.index.capsules(1)[0].digest)
        push(store, remote)
    for store in stores:
        pull(store, remote)
    assert [refs(store.path) for store in stores] == [refs(hub)] * 3
    assert [registered(store.path) for store in stores] == [registered(hub)] * 3
    assert [objects(store.path) - objects(hub) for store in stores] == [set()] * 3
    for store in stores:
        assert (push(store, remote).objects, pull(store, remote).new) == (0, False)
    sound(hub, *(store.path for store in stores))


def test_i10_two_that_pull_from_each_other_at_once_make_the_same_join(ours, theirs):
    add(ours, "ours")
    add(theirs, "theirs")
    # Each sees the other as it was.
    for store in (ours, theirs):
        run_git(store.path, "update-ref", "refs/heads/before", str(store.tip))
    before = theirs.tip
    pull_from(theirs.path, ours, named=False)
    run_git(ours.path, "update-ref", "refs/heads/after", str(ours.tip))
    run_git(ours.path, "update-ref", "refs/heads/main", "refs/heads/before")
    pull_from(ours.path, theirs, named=False)
    assert theirs.tip != before
    assert run_git(ours.path, "rev-parse", "refs/heads/after") == str(theirs.tip)
    sound(ours.path, theirs.path)


def test_i10_two_without_a_hub_are_equal_when_both_have_pulled(ours, theirs):
    for number in range(2):
        add(ours, f"ours {number}")
        add(theirs, f"theirs {number}")
        pull_from(theirs.path, ours, named=False)
        pull_from(ours.path, theirs, named=False)
        assert ours.tip == theirs.tip
    assert len(registered(ours.path)) == 4


def test_i10_what_is_pushed_into_a_store_is_as_good_as_pulled(ours, theirs):
    for number in range(2):
        add(ours, f"ours {number}")
        add(theirs, f"theirs {number}")
        push_to(theirs.path, ours, named=False)
        pull_from(theirs.path, ours, named=False)
        assert refs(ours.path) == refs(theirs.path)
        assert [found.digest for found in ours.index.capsules()] == [found.digest for found in theirs.index.capsules()]
    sound(ours.path, theirs.path)
