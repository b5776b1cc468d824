"""A push sends what the remote lacks, and nothing that it has; what the remote has of its own is joined with."""

from pathlib import Path

import pytest
from exchanges import JOIN, SIMILAR, add, left_over, listing, objects, push_to, refs, registered, sound, state
from git_peers import commit, make_bare, run_git

from capsulestore.errors import RemoteRefused
from capsulestore.sync.address import Address

pytest_plugins = ["exchange_fixtures"]

MAIN = "refs/heads/main"


def test_all_is_sent_and_then_nothing(hub, ours):
    capsules = [add(ours, title, environment=title) for title in ("first", "second")]
    sent = push_to(hub, ours)
    assert (sent.tip, sent.capsules) == (ours.tip, tuple(capsules))
    assert objects(hub) == objects(ours.path)
    assert sent.objects == len(objects(hub))
    assert refs(hub) == {MAIN: str(ours.tip)}
    before = listing(hub), listing(ours.path)
    again = push_to(hub, ours)
    assert (again.tip, again.capsules, again.objects, again.bytes) == (ours.tip, (), 0, 0)
    assert (listing(hub), listing(ours.path)) == before
    sound(hub, ours.path)


def test_of_what_the_remote_has_nothing_is_sent_again(hub, ours):
    add(ours, "first", environment="common")
    first = push_to(hub, ours)
    add(ours, "the same environment")
    assert push_to(hub, ours).objects == 3
    add(ours, "a similar one", environment="similar")
    similar = push_to(hub, ours)
    assert similar.objects == SIMILAR
    assert similar.bytes < first.bytes
    # Not the one before, but one of long ago.
    for number in range(5):
        add(ours, f"others {number}", environment=f"other {number}", packages=1)
    push_to(hub, ours)
    add(ours, "the first environment again", environment="common")
    assert push_to(hub, ours).objects == 3
    sound(hub)


def test_what_one_more_capsule_takes_does_not_depend_on_how_many_there_are(hub, ours, new_store, tmp_path):
    for number in range(8):
        add(ours, f"{number}", environment=f"{number}")
    push_to(hub, ours)
    few, other = new_store("few"), make_bare(tmp_path / "other.git")
    add(few, "0", environment="0")
    push_to(other, few)
    sent = []
    for store, where in ((ours, hub), (few, other)):
        add(store, "one more", environment="one more")
        sent.append(push_to(where, store))
    assert sent[0].objects == sent[1].objects == SIMILAR
    assert sent[0].bytes == pytest.approx(sent[1].bytes, rel=0.05)


def test_a_remote_that_has_moved_on_is_joined_and_its_history_is_not_needed(hub, ours, theirs):
    mine, other = add(ours, "mine"), add(theirs, "theirs", environment="theirs")
    push_to(hub, theirs)
    here = objects(ours.path)
    sent = push_to(hub, ours)
    assert registered(hub) == {str(mine), str(other)}
    assert refs(hub) == {MAIN: str(sent.tip)}
    parents = run_git(hub, "log", "-1", "--format=%P", MAIN).split()
    assert parents == [str(theirs.tip), str(ours.tip)]
    assert objects(ours.path) == here
    add(ours, "one more")
    sent = push_to(hub, ours)
    assert sent.objects == 3 + JOIN
    assert push_to(hub, ours).objects == 0
    sound(hub, ours.path)


def test_nothing_that_anybody_pushed_is_lost_while_others_push(hub, ours, theirs):
    expected = set()
    for number in range(3):
        for store in (ours, theirs):
            expected.add(str(add(store, f"{number} of {store.path}")))
            push_to(hub, store)
        assert registered(hub) == expected
    sound(hub)


def test_joins_of_this_shelf_go_along_also_where_another_is_made_of_it(hub, ours, theirs, new_store):
    """More than a hundred objects, which git checks as a pack, where no object may be twice."""
    add(ours, "ours", packages=100)
    for name, where in (("theirs", ours.path), ("third", hub)):
        store = theirs if name == "theirs" else new_store(name)
        add(store, name)
        push_to(where, store)
    assert push_to(hub, ours).objects > 100
    assert len(registered(hub)) == 3
    sound(hub)


def test_a_statement_goes_with_its_subject(hub, ours):
    capsule = add(ours, "a capsule")
    statement = state(ours, capsule)
    assert push_to(hub, ours).capsules == (capsule,)
    assert registered(hub) == {str(capsule), str(statement)}
    later = state(ours, capsule, "https://example.org/looked-at-again")
    sent = push_to(hub, ours)
    assert (sent.objects, sent.capsules) == (3, ())
    assert registered(hub) == {str(capsule), str(statement), str(later)}
    sound(hub)


def test_a_commit_of_a_kind_that_nobody_here_knows_is_sent_like_any(hub, ours):
    add(ours, "a capsule")
    blob = run_git(Path(ours.path), "hash-object", "-w", "--stdin", given=b"text")
    foreign = f"100644 blob {blob}\tfile\n160000 commit {'1' * 64}\tanother repository\n"
    tree = run_git(Path(ours.path), "mktree", "--missing", given=foreign.encode())
    new = run_git(Path(ours.path), "commit-tree", tree, "-p", str(ours.tip), "-m", "foreign")
    run_git(Path(ours.path), "update-ref", MAIN, new)
    push_to(hub, ours)
    assert refs(hub) == {MAIN: new}
    assert tree in registered(hub)
    sound(hub)


def test_a_plain_git_may_push_in_between(hub, ours):
    add(ours, "first")
    push_to(hub, ours)
    add(ours, "second")
    other = commit(hub, "by git", str(refs(hub)[MAIN]))
    run_git(hub, "update-ref", MAIN, other)
    sent = push_to(hub, ours)
    assert run_git(hub, "log", "-1", "--format=%P", MAIN).split() == [other, str(ours.tip)]
    assert len(registered(hub)) == 3
    assert sent.objects == 3 + JOIN
    sound(hub)


def test_what_a_dry_run_says_is_what_a_push_does_and_it_writes_nothing(hub, ours, theirs):
    add(theirs, "theirs")
    push_to(hub, theirs)
    ours.tags.set("paper", add(ours, "mine"))
    before = listing(hub), listing(ours.path)
    said = push_to(hub, ours, dry_run=True)
    assert (listing(hub), listing(ours.path)) == before
    done = push_to(hub, ours)
    assert said._replace(bytes=0, tip=None) == done._replace(bytes=0, tip=None)
    assert said.bytes == 0


def test_a_store_that_may_not_be_written_can_be_pushed_from(hub, ours):
    """By a file in the way, which stops root too."""
    add(ours, "a capsule")
    own = Path(ours.path, "capsulestore")
    ours.close()
    for path in own.iterdir():
        path.unlink()
    own.rmdir()
    own.write_bytes(b"")
    before = listing(ours.path)
    sent = push_to(hub, ours)
    assert refs(hub) == {MAIN: str(sent.tip)}
    assert listing(ours.path) == before
    sound(hub)


def asked_of(hub: Path, answer: str) -> Path:
    """Have a hook answer pushes, and count them in the file whose path is returned."""
    counted, hook = hub / "counted", hub / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho asked >>'{counted}'\n{answer}\n")
    hook.chmod(0o755)
    return counted


def test_what_a_hook_refuses_is_not_sent_again(hub, ours):
    add(ours, "a capsule")
    counted = asked_of(hub, "echo not on Sundays; exit 1")
    before = listing(ours.path)
    with pytest.raises(RemoteRefused) as caught:
        push_to(hub, ours)
    assert caught.value.message == (
        f"`origin` ({Address.parse(str(hub)).shown}): it refused `{MAIN}`: pre-receive hook declined"
    )
    assert counted.read_text().split() == ["asked"]
    assert refs(hub) == {}
    assert left_over(hub) == []
    assert {path for path, data in listing(ours.path).items() if before.get(path) != data} <= {
        "capsulestore/offered-origin"
    }


def test_a_remote_that_does_not_take_what_it_is_sent_is_asked_a_few_times(hub, ours):
    add(ours, "a capsule")
    push_to(hub, ours)
    add(ours, "another")
    run_git(hub, "config", "core.bare", "false")
    run_git(hub, "config", "receive.denyCurrentBranch", "refuse")
    counted = asked_of(hub, "exit 0")
    with pytest.raises(RemoteRefused, match="branch is currently checked out"):
        push_to(hub, ours)
    assert len(counted.read_text().split()) == 3
    assert len(registered(hub)) == 1
