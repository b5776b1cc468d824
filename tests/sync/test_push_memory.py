"""What is remembered of a remote saves work; where it is wrong, nothing breaks, and the remote gets all the same."""

import shutil

import pytest
from exchanges import JOIN, SIMILAR, add, listing, objects, pull_from, push_to, refs, registered, sound
from git_peers import make_bare, run_git

from capsulestore.errors import RemoteRefused

pytest_plugins = ["exchange_fixtures"]

MAIN = "refs/heads/main"


def roll_back(repository, *commands: tuple[str, ...]) -> None:
    """Move main, and drop whatever no ref leads to any more."""
    for command in commands:
        run_git(repository, *command)
    run_git(repository, "-c", "gc.reflogExpire=now", "gc", "-q", "--prune=now")


@pytest.fixture
def two(hub, ours) -> list[str]:
    """Two capsules that were pushed, with the tips of main after each."""
    tips = []
    for title in ("first", "second"):
        add(ours, title, environment=title)
        push_to(hub, ours)
        tips.append(str(ours.tip))
    return tips


@pytest.mark.parametrize("more", [0, 1], ids=["nothing new", "one more"])
def test_a_remote_that_was_rolled_back_gets_again_what_it_lost(hub, ours, two, more):
    roll_back(hub, ("update-ref", MAIN, two[0]))
    for number in range(more):
        add(ours, f"one more {number}", environment="first")
    sent = push_to(hub, ours)
    assert sent.objects == SIMILAR + 3 * more
    assert (refs(hub), objects(hub)) == ({MAIN: str(ours.tip)}, objects(ours.path))
    assert push_to(hub, ours).objects == 0
    sound(hub)


def test_a_remote_that_was_made_anew_gets_all(hub, ours, two):
    shutil.rmtree(hub)
    make_bare(hub, receive__fsckObjects="true")
    assert push_to(hub, ours).tip == ours.tip
    assert objects(hub) == objects(ours.path)
    sound(hub)


@pytest.mark.parametrize("strictly", ["true", "false"], ids=["checked while unpacked", "checked after"])
def test_where_the_remote_lacks_what_it_was_known_to_have_all_is_sent_once(hub, ours, theirs, two, strictly):
    """What it has now is not known here, so that only its refusal can tell."""
    add(theirs, "theirs")
    run_git(hub, "config", "receive.fsckObjects", strictly)
    roll_back(hub, ("update-ref", "-d", MAIN))
    push_to(hub, theirs)
    add(ours, "third", environment="second")
    sent = push_to(hub, ours)
    assert sent.objects == len(objects(ours.path)) + JOIN
    assert len(registered(hub)) == 4
    assert push_to(hub, ours).objects == 0
    add(ours, "fourth", environment="second")
    assert push_to(hub, ours).objects == 3 + JOIN
    sound(hub)


def test_what_the_remote_cannot_take_in_any_case_costs_no_memory(hub, ours, theirs, two):
    add(theirs, "theirs")
    push_to(hub, theirs)
    add(ours, "third", environment="second")
    hook = hub / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    before = refs(hub)
    with pytest.raises(RemoteRefused, match=r"refused `refs/heads/main`: hook declined$"):
        push_to(hub, ours)
    assert refs(hub) == before
    hook.unlink()
    assert push_to(hub, ours).objects == 3 + JOIN


def test_another_place_by_the_same_name_is_known_for_another(hub, ours, theirs, two, tmp_path):
    other = make_bare(tmp_path / "other.git")
    add(theirs, "theirs")
    push_to(other, theirs)
    assert push_to(other, ours, dry_run=True).objects == len(objects(ours.path)) + JOIN
    push_to(other, ours)
    assert len(registered(other)) == 3
    push_to(hub, theirs)
    add(ours, "third", environment="second")
    push_to(hub, ours)
    assert len(registered(hub)) == 4
    sound(hub, other)


def test_what_was_pulled_is_known_to_be_there(hub, ours, theirs, two):
    pull_from(hub, theirs)
    add(theirs, "third", environment="second")
    add(ours, "meanwhile", environment="first")
    push_to(hub, ours)
    assert push_to(hub, theirs).objects == 3 + JOIN
    sound(hub)


def test_a_remote_without_a_name_is_not_remembered(hub, ours):
    add(ours, "a capsule")
    before = listing(ours.path)
    push_to(hub, ours, named=False)
    assert listing(ours.path) == before
    assert refs(hub) == {MAIN: str(ours.tip)}


@pytest.mark.parametrize("name", ["offered-origin", "chosen-origin"])
def test_a_memory_that_is_damaged_is_none(hub, ours, two, name):
    with open(f"{ours.path}/capsulestore/{name}", "wb") as file:
        file.write(b"\xff\x00 no digest")
    add(ours, "third")
    push_to(hub, ours)
    assert refs(hub) == {MAIN: str(ours.tip)}
