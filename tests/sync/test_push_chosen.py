"""Chosen capsules go alone: with their environments, their tags, and what was stated about them."""

import shutil

import pytest
from exchanges import (
    JOIN,
    add,
    clone_from,
    listing,
    objects,
    pull_from,
    push_to,
    refs,
    registered,
    sound,
    state,
)
from git_peers import make_bare, run_git

from capsulestore.errors import UnknownName
from capsulestore.model.digest import Digest

pytest_plugins = ["exchange_fixtures"]

MAIN = "refs/heads/main"


@pytest.fixture
def three(ours) -> list[Digest]:
    """Three capsules, each with a tag and a statement, of similar environments."""
    capsules = []
    for title in ("first", "second", "third"):
        capsules.append(add(ours, title, environment=title))
        ours.tags.set(f"tag-of-{title}", capsules[-1])
        state(ours, capsules[-1])
    return capsules


def about(store, *capsules: Digest) -> set[str]:
    return {str(statement.digest) for capsule in capsules for statement in store.index.statements(capsule)}


def test_of_the_others_nothing_goes_nor_their_tags_nor_what_was_stated_about_them(hub, ours, three):
    sent = push_to(hub, ours, [three[1]])
    assert (sent.capsules, sent.tags, sent.kept_tags) == ((three[1],), ("tag-of-second",), ())
    assert registered(hub) == {str(three[1])} | about(ours, three[1])
    assert refs(hub) == {MAIN: str(sent.tip), "refs/tags/tag-of-second": str(three[1])}
    assert len(objects(hub)) == sent.objects
    others = {three[0], three[2]} | {Digest(name) for name in about(ours, three[0], three[2])}
    assert not {str(name) for name in others} & objects(hub)
    sound(hub)


def test_they_are_registered_by_whom_and_when_they_were_here(hub, ours, theirs, three):
    push_to(hub, ours, [three[2], three[0]])
    pull_from(hub, theirs)
    for capsule in (three[0], three[2]):
        here, there = ours.index.registered(capsule), theirs.index.registered(capsule)
        assert (there.author, there.title, there.time) == (here.author, here.title, here.time)


def test_twice_is_a_no_op_and_the_rest_goes_when_all_is_sent(hub, ours, theirs, three):
    add(theirs, "theirs")
    push_to(hub, theirs)
    push_to(hub, ours, [three[1]])
    before = listing(hub)
    again = push_to(hub, ours, [three[1]])
    assert (again.capsules, again.objects, again.tags) == ((), 0, ())
    assert listing(hub) == before
    late = state(ours, three[1], "https://example.org/later")
    assert push_to(hub, ours, [three[1]]).objects == 3 + JOIN
    assert str(late) in registered(hub)
    sent = push_to(hub, ours)
    assert sent.capsules == (three[0], three[2])
    assert len(registered(hub)) == 1 + 3 + 4
    assert push_to(hub, ours).objects == push_to(hub, ours, three).objects == 0
    sound(hub)


def test_the_environment_of_one_that_was_sent_by_name_is_not_sent_again(hub, ours, theirs, three):
    add(theirs, "theirs", environment="theirs", packages=1)
    push_to(hub, theirs)
    push_to(hub, ours, [three[1]])
    same = add(ours, "of the same environment", environment="second")
    assert push_to(hub, ours, [same]).objects == 3 + JOIN


def test_a_remote_that_was_made_anew_gets_them_again(hub, ours, three):
    push_to(hub, ours, three)
    shutil.rmtree(hub)
    make_bare(hub, receive__fsckObjects="true")
    assert set(push_to(hub, ours, three).capsules) == set(three)
    sound(hub)


def test_who_pulls_them_and_later_all_has_each_once(hub, ours, theirs, three):
    push_to(hub, ours, [three[2]])
    assert pull_from(hub, theirs).capsules == (three[2],)
    push_to(hub, ours)
    assert pull_from(hub, theirs).capsules == (three[0], three[1])
    pull_from(hub, ours)
    assert ours.tip == theirs.tip
    assert {found.digest for found in theirs.index.capsules()} == set(three)
    assert len(theirs.index.capsules()) == 3
    sound(theirs.path)


def test_they_are_found_by_what_is_new_also_after_a_remote_took_some_by_name(hub, ours, three):
    """However old they are: to the remote a registration is never earlier than what it follows."""
    push_to(hub, ours, [three[0]])
    log = run_git(hub, "log", "--format=%ct %H %P", MAIN)
    times = {line.split()[1]: int(line.split()[0]) for line in log.splitlines()}
    for line in log.splitlines():
        time, _, *parents = line.split()
        assert all(times[parent] <= int(time) for parent in parents)
    add(ours, "one more", environment="third")
    push_to(hub, ours)
    add(ours, "another", environment="third")
    assert push_to(hub, ours).objects == 3 + JOIN


def test_a_capsule_that_is_not_registered_is_refused(hub, ours, tmp_path):
    add(ours, "a capsule")
    elsewhere = clone_from(ours.path, tmp_path / "elsewhere")
    tree = run_git(elsewhere, "rev-parse", f"{MAIN}^{{tree}}:environment")
    with pytest.raises(UnknownName, match="is not registered"):
        push_to(hub, ours, [Digest(tree)])
    assert refs(hub) == {}
