"""From a name that a person writes to the object it stands for: digests, prefixes, tags, `@`."""

from __future__ import annotations

import pytest

from capsulestore.errors import MalformedName, UnknownName
from capsulestore.store import Store


@pytest.fixture
def capsule(store, add):
    """The digest of the one capsule of the store."""
    return add(store).capsule


@pytest.fixture
def tag(store, git):
    def tag(name: str, digest) -> None:
        git(store.path, "update-ref", f"refs/tags/{name}", str(digest))

    return tag


def test_a_full_digest(store, capsule):
    found = store.resolve(str(capsule))
    assert (found.digest, found.kind, found.capsule) == (capsule, "capsule", capsule)


def test_a_full_digest_in_upper_case(store, capsule):
    assert store.resolve(str(capsule).upper()).digest == capsule


def test_a_prefix_of_four_or_more_digits(store, capsule):
    for length in range(4, 64):
        assert store.resolve(str(capsule)[:length]).digest == capsule


def test_a_prefix_in_upper_case(store, capsule):
    assert store.resolve(str(capsule)[:9].upper()).digest == capsule


def test_every_object_of_a_capsule_has_a_name(store, add):
    recorded = add(store)
    environment = store.resolve(str(recorded.environment))
    assert (environment.kind, environment.capsule) == ("environment", None)
    kinds = {
        path: store.resolve(str(store.resolve(f"@:{path}").digest)).kind
        for path in ("python", "python/packages", "python/rules", "python/packages/package-0")
    }
    assert kinds == {
        "python": "layer",
        "python/packages": "collection",
        "python/rules": "entry",
        "python/packages/package-0": "entry",
    }


def test_a_commit_of_the_shelf_has_none(store, capsule, git):
    with pytest.raises(UnknownName, match="commit"):
        store.resolve(git(store.path, "rev-parse", "main"))


@pytest.mark.parametrize("short", ["a", "ab", "0", "abc", "123", "ABC"])
def test_fewer_than_four_digits_are_too_short(store, capsule, short):
    with pytest.raises(MalformedName, match="too short") as caught:
        store.resolve(short)
    assert caught.value.exit_code == 3
    assert "four" in caught.value.hint


def test_digits_that_begin_nothing(store, capsule):
    wrong = ("0" if str(capsule)[0] != "0" else "1") * 8
    with pytest.raises(UnknownName, match=wrong):
        store.resolve(wrong)


def test_a_full_digest_of_nothing(store, capsule):
    with pytest.raises(UnknownName):
        store.resolve("0" * 64)


def test_more_digits_than_a_digest_has(store, capsule):
    with pytest.raises(UnknownName):
        store.resolve(f"{capsule}0")


def test_a_tag(store, capsule, tag):
    tag("baseline", capsule)
    found = store.resolve("baseline")
    assert (found.digest, found.kind, found.capsule) == (capsule, "capsule", capsule)


@pytest.mark.parametrize(
    "name", ["v1.0", "paper/figure-2", "Größe", "日本", "a", "abc", "-", "x@y", "UPPER", "tmp_fit", "tmp/fit", "a.b.c"]
)
def test_whatever_git_takes_for_a_tag(store, capsule, tag, name):
    tag(name, capsule)
    assert store.resolve(name).digest == capsule
    assert store.tags.all() == {name: capsule}


def test_a_tag_that_looks_like_a_prefix_does_not_hide_what_it_begins(store, capsule, add, tag):
    other = add(store, "another").capsule
    tag(str(capsule)[:6], other)
    assert store.resolve(str(capsule)[:6]).digest == capsule


def test_a_tag_of_an_environment(store, add, tag):
    environment = add(store).environment
    tag("baseline", environment)
    assert store.resolve("baseline").kind == "environment"


def test_a_tag_that_is_nearly_right_is_suggested(store, capsule, tag):
    tag("baseline", capsule)
    with pytest.raises(UnknownName) as caught:
        store.resolve("baselin")
    assert caught.value.hint == "did you mean `baseline`?"


def test_where_nothing_is_like_a_name_it_is_told_what_names_are(store, capsule, tag):
    tag("baseline", capsule)
    with pytest.raises(UnknownName) as caught:
        store.resolve("zzz")
    assert caught.value.hint == "a name is a digest, four or more of its digits, a tag, or @"


def test_a_lock_beside_a_tag_is_no_tag(store, capsule, tag, project):
    tag("baseline", capsule)
    (project / ".capsules" / "refs" / "tags" / "other.lock").touch()
    assert store.tags.all() == {"baseline": capsule}


def test_the_capsule_added_last(store, add):
    add(store, "first")
    last = add(store, "second").capsule
    assert store.resolve("@").digest == last


def test_the_capsule_added_last_where_none_was(store):
    with pytest.raises(UnknownName) as caught:
        store.resolve("@")
    assert "capsule add" in caught.value.hint


@pytest.mark.parametrize(
    "name",
    ["", " ", "a b", "two\nlines", "nul\0", "a~1", "a^", "what?", "st*r", "br[acket", "back\\slash", "\x7f", "tab\t"],
)
def test_what_can_be_no_name(store, capsule, name):
    with pytest.raises(MalformedName) as caught:
        store.resolve(name)
    assert caught.value.hint


@pytest.mark.parametrize(
    "name", ["../heads/main", "../../HEAD", "/etc/passwd", ".", "..", "HEAD", "main", "heads/main"]
)
def test_no_name_leads_out_of_the_tags(store, capsule, name):
    with pytest.raises((UnknownName, MalformedName)):
        store.resolve(name)


def test_a_capsule_is_taken_where_a_capsule_is_wanted(store, capsule):
    assert store.resolve_capsule("@") == capsule


@pytest.mark.parametrize(
    ("path", "what"), [("", "an environment"), ("python", "a layer"), ("python/rules", "an entry")]
)
def test_nothing_else_is_taken_where_a_capsule_is_wanted(store, capsule, path, what):
    with pytest.raises(UnknownName, match=f"no capsule but {what}"):
        store.resolve_capsule(f"@:{path}")


def test_names_are_the_same_when_the_objects_are_packed(store, capsule, tag, git):
    tag("baseline", capsule)
    git(store.path, "gc", "-q")
    with Store(store.path) as fresh:
        for name in ("baseline", "@", str(capsule), str(capsule)[:4], str(capsule)[:5]):
            assert fresh.resolve(name).digest == capsule
