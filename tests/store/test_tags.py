"""Tags: names that stay until they are moved by force, and that git reads, makes, packs and removes as we do."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capsulestore.errors import DamagedObject, MalformedName, TagExists, UnknownName
from capsulestore.store import Store
from capsulestore.store.tags import check_tag


@pytest.fixture
def capsules(store, add):
    """Two capsules to be given names."""
    return [add(store, title).capsule for title in ("first", "second")]


@pytest.fixture
def by_git(git):
    """The tags as git lists them."""

    def by_git(store) -> dict[str, str]:
        lines = git(store.path, "for-each-ref", "--format=%(refname) %(objectname)", "refs/tags").splitlines()
        pairs = [line.removeprefix("refs/tags/").split() for line in lines]
        return dict(pairs)

    return by_git


@pytest.fixture
def assert_as_git(by_git):
    """Assert that we and git see the same tags, in this handle and a new one; return them."""

    def assert_as_git(store) -> dict[str, str]:
        with Store(store.path) as another:
            found = {name: str(digest) for name, digest in another.tags.all().items()}
        assert found == by_git(store) == {name: str(digest) for name, digest in store.tags.all().items()}
        return found

    return assert_as_git


def test_a_store_has_no_tags_to_begin_with(store, assert_as_git):
    assert assert_as_git(store) == {}


@pytest.mark.parametrize("name", ["paper", "a/b/c", "größe", "v1.0-rc", "x%2Fy", "0.1", "émile\u0301", "1/2"])
def test_a_tag_leads_to_its_capsule_and_git_sees_it(store, capsules, assert_as_git, git, sound, name):
    store.tags.set(name, capsules[0])
    assert assert_as_git(store) == {name: str(capsules[0])}
    assert store.resolve(name).digest == capsules[0]
    assert git(store.path, "rev-parse", f"refs/tags/{name}") == str(capsules[0])
    sound(store)
    assert store.tags.remove(name) == capsules[0]
    assert assert_as_git(store) == {}
    assert os.listdir(Path(store.path, "refs/tags")) == []


def test_a_tag_that_git_made_is_one(store, capsules, assert_as_git, git):
    git(store.path, "tag", "größe/x", str(capsules[1]))
    assert assert_as_git(store) == {"größe/x": str(capsules[1])}
    assert store.resolve("größe/x").digest == capsules[1]
    assert store.tags.remove("größe/x") == capsules[1]
    assert assert_as_git(store) == {}


def test_a_tag_stays_unless_it_is_moved_by_force(store, capsules, assert_as_git):
    first, second = capsules
    store.tags.set("paper", first)
    store.tags.set("paper", first)
    with pytest.raises(TagExists) as caught:
        store.tags.set("paper", second)
    assert caught.value.exit_code == 6
    assert "--force" in caught.value.hint
    assert assert_as_git(store) == {"paper": str(first)}
    store.tags.set("paper", second, force=True)
    assert assert_as_git(store) == {"paper": str(second)}
    store.tags.set("paper", second, force=True)


def test_a_packed_tag_stays_and_moves_and_goes_as_any(store, capsules, assert_as_git, git):
    first, second = capsules
    for name in ("one", "other", "third"):
        store.tags.set(name, first)
    git(store.path, "pack-refs", "--all")
    assert not Path(store.path, "refs/tags/one").exists()
    with pytest.raises(TagExists):
        store.tags.set("one", second)
    store.tags.set("one", second, force=True)
    assert assert_as_git(store) == {"one": str(second), "other": str(first), "third": str(first)}
    # `one` lies in both by now, with another value in each.
    assert store.tags.remove("one") == second
    assert store.tags.remove("other") == first
    assert assert_as_git(store) == {"third": str(first)}
    assert str(first) in Path(store.path, "packed-refs").read_text()


def test_a_packed_annotated_tag_goes_with_the_line_that_says_what_it_leads_to(store, capsules, git, by_git, sound):
    who = ("-c", "user.name=Git", "-c", "user.email=git@example.org")
    for name in ("aa-noted", "m-noted", "z-noted"):
        git(store.path, *who, "tag", "-a", "-m", "said", name, str(capsules[0]))
    store.tags.set("plain", capsules[0])
    git(store.path, "pack-refs", "--all")
    before = by_git(store)
    packed = Path(store.path, "packed-refs")
    assert packed.read_text().count("^") == 3
    for left, name in ((2, "m-noted"), (1, "z-noted"), (0, "aa-noted")):
        store.tags.remove(name)
        del before[name]
        assert by_git(store) == before
        assert packed.read_text().count("^") == left
        sound(store)
    assert git(store.path, "rev-parse", "main") != ""


def test_what_is_in_no_tag_cannot_be_removed(store, capsules, assert_as_git):
    store.tags.set("a/b", capsules[0])
    for name in ("a", "a/b/c", "b", "", "../heads/main", "x" * 500):
        with pytest.raises(UnknownName):
            store.tags.remove(name)
    assert assert_as_git(store) == {"a/b": str(capsules[0])}


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
@pytest.mark.parametrize(("there", "other"), [("x", "x/y"), ("x/y", "x"), ("x/y/z", "x")])
def test_one_tag_is_in_the_way_of_another_as_with_git(store, capsules, assert_as_git, git, there, other, packed):
    store.tags.set(there, capsules[0])
    if packed:
        git(store.path, "pack-refs", "--all")
    for force in (False, True):
        with pytest.raises(TagExists, match=f"there is a tag `{there}`"):
            store.tags.set(other, capsules[0], force=force)
    done = subprocess.run(["git", "-C", store.path, "tag", other, str(capsules[0])], capture_output=True, check=False)
    assert done.returncode != 0
    store.tags.remove(there)
    store.tags.set(other, capsules[0])
    assert assert_as_git(store) == {other: str(capsules[0])}


def test_empty_directories_are_not_in_the_way(store, capsules, assert_as_git):
    Path(store.path, "refs/tags/x/y/z").mkdir(parents=True)
    store.tags.set("x", capsules[0])
    assert assert_as_git(store) == {"x": str(capsules[0])}


REFUSED = (
    *("", " ", "a b", "a..b", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a@{b", "@", "HEAD", "-d", "--force"),
    *("a.lock", "a.lock/b", ".a", "a/.b", "a.", "a./b", "/a", "a/", "a//b", "a\x7f", "a\nb", "a\tb", "a\x1b", "a\0b"),
    *("f", "9", "face", "FACE", "0123", "a" * 64, "x" * 300, "ö" * 100, "a\udcff"),
)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_tag_is_refused_and_changes_nothing(store, capsules, listing, name):
    before = listing(store.path)
    with pytest.raises(MalformedName) as caught:
        store.tags.set(name, capsules[0])
    assert caught.value.exit_code == 3
    assert listing(store.path) == before


LIKE_TAGS = st.lists(
    st.sampled_from(
        [*"abz09./-@{}~^:?*[]\\ _é#!$&'()+,;<=>|%\"`", "..", ".lock", "@{", "//", "HEAD", "\x7f", "日本", "\xa0"]
    ),
    max_size=8,
).map("".join)


@settings(max_examples=100)
@given(LIKE_TAGS | st.text(min_size=1, max_size=12))
@example("HEAD/x")
@example("x/HEAD")
@example("x/@")
@example("a.lockx")
@example("x" * 236)
def test_whatever_is_accepted_git_accepts_too(name):
    try:
        check_tag(name)
    except MalformedName:
        return
    done = subprocess.run(["git", "check-ref-format", f"refs/tags/{name}"], check=False)
    assert done.returncode == 0


def test_the_longest_tag_that_is_accepted_can_be_made(store, capsules, assert_as_git):
    for letter in ("x", "ö", "x/"):
        name = letter
        while True:
            try:
                check_tag(name + letter.rstrip("/"))
            except MalformedName:
                break
            name += letter
        name = name.rstrip("/")
        store.tags.set(name, capsules[0])
        assert assert_as_git(store) == {name: str(capsules[0])}
        store.tags.remove(name)


def test_no_tag_is_missed_while_git_packs_refs(store, capsules, git):
    names = {f"tag-{number}" for number in range(20)}
    for name in names:
        store.tags.set(name, capsules[0])
    done, draft = threading.Event(), Path(store.path, "draft")

    def pack() -> None:
        try:
            for number in range(15):
                git(store.path, "pack-refs", "--all")
                for name in names:
                    # As git does it: whole, by a rename.
                    draft.write_text(f"{capsules[number % 2]}\n")
                    draft.rename(Path(store.path, "refs/tags", name))
        finally:
            done.set()

    thread = threading.Thread(target=pack)
    thread.start()
    looks = 0
    while not done.is_set() or not looks:
        assert store.tags.all().keys() == names
        looks += 1
    thread.join()


@pytest.mark.parametrize("options", [[], ["-a", "-m", "said"]], ids=["of a commit", "annotated"])
def test_a_tag_that_git_gave_to_a_commit_leads_to_its_capsule(store, capsules, git, options):
    git(store.path, "-c", "user.name=A", "-c", "user.email=a@example.org", "tag", *options, "v1", "main~1")
    assert store.resolve("v1").digest == capsules[0]
    assert store.resolve("v1:python/packages").kind == "collection"


def test_a_tag_that_stands_for_another_leads_where_that_does(store, capsules, git):
    store.tags.set("paper", capsules[0])
    git(store.path, "symbolic-ref", "refs/tags/alias", "refs/tags/paper")
    assert store.tags.all() == {"alias": capsules[0], "paper": capsules[0]}
    assert store.resolve("alias").digest == capsules[0]


@pytest.mark.parametrize("content", ["", "garbage\n", "ref: refs/tags/broken\n"])
def test_a_broken_tag_is_told_where_it_is_named_and_hinders_no_other(store, capsules, content):
    store.tags.set("paper", capsules[0])
    Path(store.path, "refs/tags/broken").write_text(content)
    assert store.tags.all() == {"paper": capsules[0]}
    assert store.resolve("paper").digest == capsules[0]
    with pytest.raises(DamagedObject):
        store.resolve("broken")
    store.tags.set("broken", capsules[1], force=True)
    assert store.resolve("broken").digest == capsules[1]


def test_no_name_leads_out_of_the_tags(store, capsules):
    with pytest.raises(UnknownName):
        store.resolve("../heads/main")
