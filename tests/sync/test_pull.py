"""A pull takes what the remote has and this store lacks; what this store has of its own is joined with."""

from pathlib import Path

import pytest
from exchanges import (
    SIMILAR,
    add,
    listing,
    objects,
    pull_from,
    push_to,
    refs,
    registered,
    remote_at,
    sound,
    state,
)
from git_peers import run_git

from capsulestore.errors import RemoteProblem, StoreUnwritable
from capsulestore.model.commit import join
from capsulestore.sync.pull import pull
from capsulestore.sync.push import push

pytest_plugins = ["exchange_fixtures"]

MAIN = "refs/heads/main"


def test_all_is_taken_and_then_nothing(hub, ours, theirs):
    capsules = [add(ours, title, environment=title) for title in ("first", "second")]
    statement = state(ours, capsules[0])
    push_to(hub, ours)
    received = pull_from(hub, theirs)
    assert (received.tip, received.new, received.capsules) == (ours.tip, True, tuple(capsules))
    assert received.objects == len(objects(hub))
    assert objects(theirs.path) == objects(ours.path)
    assert [found.digest for found in theirs.index.statements(capsules[0])] == [statement]
    before = listing(theirs.path)
    again = pull_from(hub, theirs)
    assert (again.tip, again.new, again.capsules, again.objects) == (ours.tip, False, (), 0)
    assert listing(theirs.path) == before
    sound(theirs.path)


def test_git_may_say_of_two_commits_that_it_knows_them(hub, ours, theirs):
    add(ours, "first")
    push_to(hub, ours)
    add(ours, "second")
    # What was sent by git alone is remembered of nobody: the tip here, and its parent, are both named.
    run_git(ours.path, "push", "--quiet", str(hub), "main")
    pull_from(hub, theirs)
    add(theirs, "third")
    push_to(hub, theirs)
    assert pull_from(hub, ours).objects == 3
    assert ours.tip == theirs.tip


def test_what_comes_follows_what_is_new(hub, ours, theirs):
    for number in range(5):
        add(ours, f"{number}", environment=f"{number}")
    push_to(hub, ours)
    pull_from(hub, theirs)
    add(ours, "one more", environment="one more")
    push_to(hub, ours)
    assert pull_from(hub, theirs).objects == SIMILAR
    add(theirs, "of their own")
    add(ours, "one more in the same environment", environment="one more")
    push_to(hub, ours)
    assert pull_from(hub, theirs).objects == 3


def test_what_this_store_has_is_joined_with_in_the_same_way_wherever_that_is_done(ours, theirs):
    mine, other = add(ours, "mine"), add(theirs, "theirs")
    tips = ours.tip, theirs.tip
    times = {tip: store.commit(tip).time for tip, store in zip(tips, (ours, theirs), strict=True)}
    run_git(Path(theirs.path), "branch", "before")
    received = pull_from(theirs.path, ours, named=False)
    assert received.capsules == (other,)
    assert ours.tip == received.tip == join(times).encode().id
    assert registered(ours.path) == {str(mine), str(other)}
    pull_from(ours.path, theirs, named=False)
    assert theirs.tip == ours.tip
    sound(ours.path, theirs.path)


def test_what_was_registered_here_too_is_not_new(hub, ours, theirs):
    run_git(Path(theirs.path), "config", "user.name", "Somebody else")
    both = add(ours, "both")
    assert add(theirs, "both") == both
    push_to(hub, ours)
    only = add(ours, "ours alone")
    push_to(hub, ours)
    assert pull_from(hub, theirs).capsules == (only,)
    assert len(theirs.index.registrations(both)) == 2


def test_a_dry_run_says_whether_there_is_something_and_writes_nothing(hub, ours, theirs):
    add(theirs, "theirs")
    add(ours, "ours")
    push_to(hub, ours)
    before = listing(hub), listing(theirs.path)
    said = pull_from(hub, theirs, dry_run=True)
    assert (said.new, said.tip, said.capsules) == (True, theirs.tip, ())
    assert (listing(hub), listing(theirs.path)) == before
    pull_from(hub, theirs)
    assert not pull_from(hub, theirs, dry_run=True).new


def test_of_an_empty_remote_nothing_is_taken(hub, ours):
    add(ours, "a capsule")
    before = listing(ours.path)
    received = pull_from(hub, ours)
    assert (received.tip, received.new, received.objects) == (ours.tip, False, 0)
    assert listing(ours.path) == before


def test_a_remote_that_was_rolled_back_takes_nothing_away_and_gets_it_again(hub, ours):
    first = add(ours, "first")
    push_to(hub, ours)
    tip = str(ours.tip)
    add(ours, "second")
    push_to(hub, ours)
    run_git(hub, "update-ref", MAIN, tip)
    received = pull_from(hub, ours)
    assert (received.new, received.tip) == (False, ours.tip)
    assert len(registered(ours.path)) == 2
    push_to(hub, ours)
    assert refs(hub) == {MAIN: str(ours.tip)}
    assert str(first) in registered(hub)
    sound(hub)


def test_what_a_plain_git_committed_is_taken(hub, ours, theirs, tmp_path):
    capsule = add(ours, "a capsule")
    push_to(hub, ours)
    work = tmp_path / "work"
    run_git(tmp_path, "clone", "-q", str(hub), str(work))
    manifest = work / "capsule.json"
    manifest.write_text(manifest.read_text().replace("a capsule", "by hand"))
    run_git(work, "commit", "-q", "-a", "-m", "by hand")
    (work / "note.txt").write_text("no capsule has this\n")
    run_git(work, "rm", "-q", "capsule.json")
    run_git(work, "add", ".")
    run_git(work, "commit", "-q", "-m", "a note")
    run_git(work, "push", "-q", "origin", "main")
    received = pull_from(hub, theirs)
    assert received.capsules == (capsule, theirs.resolve_capsule(run_git(work, "rev-parse", "HEAD~^{tree}")))
    assert theirs.tip == received.tip
    assert str(theirs.tip) == refs(hub)[MAIN]
    assert len(theirs.index.capsules()) == 2
    sound(theirs.path)


def test_packed_and_tidied_by_git_it_is_the_same(hub, ours, theirs):
    add(ours, "first", environment="first")
    push_to(hub, ours)
    pull_from(hub, theirs)
    add(ours, "second", environment="second")
    push_to(hub, ours)
    for repository in (hub, theirs.path):
        run_git(Path(repository), "gc", "-q", "--prune=now")
        run_git(Path(repository), "pack-refs", "--all")
    assert pull_from(hub, theirs).objects == SIMILAR
    assert theirs.tip == ours.tip
    sound(theirs.path)


def test_a_store_that_may_not_be_written_is_said_to_be_that(hub, ours, theirs):
    """By a file in the way, which stops root too."""
    add(ours, "a capsule")
    push_to(hub, ours)
    packs = Path(theirs.path, "objects", "pack")
    packs.rmdir()
    packs.write_bytes(b"")
    before = listing(theirs.path)
    with pytest.raises(StoreUnwritable, match="cannot write to the store"):
        pull_from(hub, theirs)
    assert listing(theirs.path) == before


def test_a_remote_that_ends_before_it_has_sent_all_is_named(hub, ours, theirs):
    add(ours, "a capsule")
    push_to(hub, ours)
    for path in Path(hub, "objects").glob("[0-9a-f][0-9a-f]/*"):
        if run_git(hub, "cat-file", "-t", path.parent.name + path.name) == "blob":
            path.chmod(0o644)
            path.write_bytes(b"damaged")
    before = listing(theirs.path)
    with pytest.raises(RemoteProblem) as caught:
        pull_from(hub, theirs)
    assert caught.value.message.startswith(f"`origin` ({remote_at(hub).shown}): ")
    assert "\n" not in caught.value.message
    assert {path for path in listing(theirs.path) if path not in before} <= {"capsulestore"}


class Told:
    """Keeps what it is told last."""

    progress = (0, 0)

    def bytes(self, count: int) -> None:
        pass

    def objects(self, done: int, total: int) -> None:
        self.progress = (done, total)

    def said(self, text: str) -> None:
        pass


def test_objects_are_counted(hub, ours, theirs):
    add(ours, "a capsule")
    told = Told()
    sent = push(ours, remote_at(hub), progress=told)
    assert told.progress == (sent.objects, sent.objects)
    told = Told()
    received = pull(theirs, remote_at(hub), progress=told)
    assert told.progress == (received.objects, received.objects) == (sent.objects, sent.objects)
