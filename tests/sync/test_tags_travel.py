"""Tags go with every push and pull; one that means something else on the other side stays as it is on both."""

from pathlib import Path

import pytest
from exchanges import JOIN, add, clone_from, listing, objects, pull_from, push_to, refs, sound
from git_peers import make_bare, run_git

from capsulestore.errors import RemoteRefused

pytest_plugins = ["exchange_fixtures"]

MAIN = "refs/heads/main"


def tags(repository) -> dict[str, str]:
    return {name.removeprefix("refs/tags/"): target for name, target in refs(repository).items() if name != MAIN}


def test_new_ones_go_over_and_the_same_ones_are_passed_over(hub, ours, theirs):
    capsule = add(ours, "a capsule")
    ours.tags.set("paper", capsule)
    ours.tags.set("runs/1", capsule)
    assert push_to(hub, ours).tags == ("paper", "runs/1")
    received = pull_from(hub, theirs)
    assert (set(received.tags), received.kept_tags, received.refused_tags) == ({"paper", "runs/1"}, (), ())
    assert tags(hub) == tags(ours.path) == tags(theirs.path) == {"paper": str(capsule), "runs/1": str(capsule)}
    assert push_to(hub, ours).tags == push_to(hub, theirs).tags == pull_from(hub, theirs).tags == ()


def test_a_tag_alone_is_something_new(hub, ours, theirs):
    capsule = add(ours, "a capsule")
    push_to(hub, ours)
    pull_from(hub, theirs)
    ours.tags.set("paper", capsule)
    sent = push_to(hub, ours)
    assert (sent.tags, sent.objects, sent.capsules) == (("paper",), 0, ())
    assert pull_from(hub, theirs, dry_run=True).new
    assert tags(theirs.path) == {}
    received = pull_from(hub, theirs)
    assert (received.new, received.tags, received.objects) == (True, ("paper",), 0)
    assert not pull_from(hub, theirs).new


def test_one_that_means_two_things_stays_on_both_sides(hub, ours, theirs):
    here, there = add(ours, "here"), add(theirs, "there")
    ours.tags.set("paper", here)
    theirs.tags.set("paper", there)
    push_to(hub, theirs)
    assert push_to(hub, ours).kept_tags == ("paper",)
    received = pull_from(hub, ours)
    assert (received.kept_tags, received.tags) == (("paper",), ())
    assert tags(hub) == {"paper": str(there)}
    assert tags(ours.path) == {"paper": str(here)}
    sound(hub, ours.path)


def test_one_whose_name_is_a_directory_on_the_other_side_stays_away_and_all_else_goes(hub, ours, theirs):
    here, there = add(ours, "here"), add(theirs, "there")
    ours.tags.set("paper/draft", here)
    ours.tags.set("talk", here)
    theirs.tags.set("paper", there)
    theirs.tags.set("talk/slides", there)
    push_to(hub, theirs)
    sent = push_to(hub, ours)
    assert (sent.tags, set(sent.kept_tags)) == ((), {"paper/draft", "talk"})
    assert len(sent.capsules) == 1
    received = pull_from(hub, ours)
    assert (received.tags, set(received.kept_tags)) == ((), {"paper", "talk/slides"})
    assert len(received.capsules) == 1
    assert set(tags(ours.path)) == {"paper/draft", "talk"}


@pytest.mark.parametrize("name", ["face", "0", "deadbeef"])
def test_one_that_could_be_a_digest_is_not_taken(hub, ours, theirs, name):
    capsule = add(ours, "a capsule")
    push_to(hub, ours)
    run_git(hub, "tag", name, str(capsule))
    received = pull_from(hub, theirs)
    assert (received.refused_tags, received.tags) == ((name,), ())
    assert tags(theirs.path) == {}
    again = pull_from(hub, theirs)
    assert (again.refused_tags, again.new, again.objects) == ((name,), False, 0)


@pytest.fixture
def tagged_by_git(hub, ours, tmp_path) -> Path:
    """Tags on a commit of the shelf and on one that is not, light and annotated ones, and one on a blob."""
    add(ours, "a capsule")
    push_to(hub, ours)
    work = tmp_path / "work"
    run_git(tmp_path, "clone", "-q", str(hub), str(work))
    run_git(work, "tag", "light")
    run_git(work, "tag", "-a", "-m", "a tag", "annotated")
    run_git(work, "tag", "-a", "-m", "a tag of a tag", "twice", "annotated")
    run_git(work, "tag", "on-a-blob", "HEAD:capsule.json")
    run_git(work, "checkout", "-q", "--orphan", "aside")
    for message in ("aside", "further aside"):
        run_git(work, "commit", "-q", "--allow-empty", "-m", message)
    run_git(work, "tag", "aside")
    run_git(work, "push", "-q", "--tags", "origin")
    return hub


def test_those_that_git_made_are_carried_as_they_are(tagged_by_git, theirs, new_store, tmp_path):
    expected = tags(tagged_by_git)
    assert set(expected) == {"light", "annotated", "twice", "on-a-blob", "aside"}
    assert set(pull_from(tagged_by_git, theirs).tags) == set(expected)
    assert tags(theirs.path) == expected
    other = make_bare(tmp_path / "other.git", receive__fsckObjects="true")
    assert set(push_to(other, theirs).tags) == set(expected)
    assert (tags(other), objects(other)) == (expected, objects(tagged_by_git))
    assert pull_from(tagged_by_git, theirs).new is False
    capsule = theirs.index.capsules()[0].digest
    assert theirs.resolve_capsule("light") == theirs.resolve_capsule("twice") == capsule
    sound(theirs.path, other)


def test_one_on_a_commit_that_is_not_on_the_shelf_goes_where_others_have_moved_on(tagged_by_git, theirs, new_store):
    pull_from(tagged_by_git, theirs)
    third = new_store("third")
    add(third, "third")
    sent = push_to(third.path, theirs)
    assert set(sent.tags) == set(tags(tagged_by_git))
    assert sent.objects == len(objects(tagged_by_git)) + JOIN
    sound(third.path)


def test_what_a_tag_is_on_comes_whole_though_parts_of_it_lie_here(hub, ours, theirs):
    """As git leaves them, which drops what no ref leads to object by object."""
    capsule = add(ours, "a capsule")
    push_to(hub, ours)
    run_git(hub, "tag", "paper", str(capsule))
    run_git(hub, "update-ref", "-d", MAIN)
    loose = Path(hub, "objects", str(capsule)[:2], str(capsule)[2:])
    place = Path(theirs.path, "objects", str(capsule)[:2])
    place.mkdir()
    (place / str(capsule)[2:]).write_bytes(loose.read_bytes())
    assert pull_from(hub, theirs).tags == ("paper",)
    sound(theirs.path)


def test_a_clone_has_all_of_them(hub, ours, tmp_path):
    capsules = [add(ours, f"{number}") for number in range(3)]
    for number, capsule in enumerate(capsules):
        ours.tags.set(f"run-{number}", capsule)
    push_to(hub, ours)
    assert tags(clone_from(hub, tmp_path / "clone")) == tags(ours.path)


def test_those_of_many_are_asked_of_a_remote_in_one_go(hub, ours):
    """A hook that refuses one tag keeps all back, and says which it is."""
    capsule = add(ours, "a capsule")
    for name in ("fine", "forbidden", "fine-too"):
        ours.tags.set(name, capsule)
    (hub / "hooks").mkdir(exist_ok=True)
    hook = hub / "hooks" / "update"
    hook.write_text('#!/bin/sh\ntest "$1" != refs/tags/forbidden\n')
    hook.chmod(0o755)
    before = listing(Path(hub, "refs"))
    with pytest.raises(RemoteRefused, match="refused `refs/tags/forbidden`: hook declined"):
        push_to(hub, ours)
    assert listing(Path(hub, "refs")) == before
