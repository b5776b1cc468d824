"""A prefix that begins several objects: the one that people name, or an error with the candidates."""

from __future__ import annotations

from itertools import count

import pytest

from capsulestore.errors import AmbiguousName
from capsulestore.model.canonical import dumps
from capsulestore.model.capsule import Capsule
from capsulestore.model.manifest import Manifest
from capsulestore.model.mapping import encode_mapping
from capsulestore.model.objects import Encoded, GitObject

ENVIRONMENT = encode_mapping({"python": {"rules": 1}})
DIGITS = 4


def capsules():
    """Capsules that differ in their titles, without end."""
    for number in count():
        manifest = {"schema": 1, "title": f"title {number}", "environment_digest": str(ENVIRONMENT.id)}
        yield Capsule(manifest=Manifest.parse(manifest), environment=ENVIRONMENT.id).encode(ENVIRONMENT)


def alike(many) -> tuple[Encoded, Encoded]:
    """The first two whose digests begin alike."""
    seen: dict[str, Encoded] = {}
    for encoded in many:
        prefix = str(encoded.id)[:DIGITS]
        if prefix in seen:
            return seen[prefix], encoded
        seen[prefix] = encoded
    raise AssertionError("endless")


@pytest.fixture(params=["loose", "packed"])
def twins(request, store, git) -> tuple[Encoded, Encoded]:
    """Two registered capsules whose digests begin alike."""
    found = alike(capsules())
    for capsule in found:
        store.add(capsule, "a twin")
    if request.param == "packed":
        git(store.path, "repack", "-adq")
    return found


def shared(twins) -> str:
    """All digits that twins have in common."""
    one, other = (str(twin.id) for twin in twins)
    return one[: next(place for place in range(64) if one[place] != other[place])]


def test_what_two_capsules_share_is_ambiguous(store, twins):
    with pytest.raises(AmbiguousName) as caught:
        store.resolve(shared(twins)[:DIGITS])
    assert caught.value.candidates == tuple(sorted(str(twin.id) for twin in twins))
    assert (caught.value.exit_code, caught.value.hint) == (3, "give more digits")
    for twin in twins:
        assert str(twin.id)[:12] in caught.value.message


def test_one_more_digit_than_they_share_tells_them_apart(store, twins):
    for twin in twins:
        assert store.resolve(str(twin.id)[: len(shared(twins)) + 1]).digest == twin.id


def test_a_path_from_an_ambiguous_prefix_is_ambiguous(store, twins):
    with pytest.raises(AmbiguousName):
        store.resolve(f"{shared(twins)}:python")


def blobs():
    """Values of entries, without end."""
    for number in count():
        value = GitObject("blob", dumps({"version": str(number)}))
        yield Encoded(value.id, {value.id: value})


def of_both_kinds(ones, others) -> tuple[Encoded, Encoded]:
    """The first of either kind whose digests begin alike."""
    seen: tuple[dict[str, Encoded], dict[str, Encoded]] = ({}, {})
    for pair in zip(ones, others, strict=False):
        for encoded, mine in zip(pair, seen, strict=True):
            mine[str(encoded.id)[:DIGITS]] = encoded
        for prefix in {str(encoded.id)[:DIGITS] for encoded in pair} & seen[0].keys() & seen[1].keys():
            return seen[0][prefix], seen[1][prefix]
    raise AssertionError("endless")


def test_a_capsule_comes_before_an_entry_of_the_same_prefix(store, git):
    capsule, entry = of_both_kinds(capsules(), blobs())
    store.add(capsule, "a capsule")
    data = entry.objects[entry.id].data.decode()
    assert git(store.path, "hash-object", "-w", "--stdin", text=data) == str(entry.id)
    prefix = str(capsule.id)[:DIGITS]
    assert str(entry.id).startswith(prefix)
    assert store.resolve(prefix).digest == capsule.id
    assert store.resolve(str(entry.id)).kind == "entry"


def test_two_entries_of_the_same_prefix_are_ambiguous(store, git):
    for entry in (found := alike(blobs())):
        git(store.path, "hash-object", "-w", "--stdin", text=entry.objects[entry.id].data.decode())
    with pytest.raises(AmbiguousName) as caught:
        store.resolve(str(found[0].id)[:DIGITS])
    assert caught.value.candidates == tuple(sorted(str(entry.id) for entry in found))


def test_an_object_that_lies_loose_and_in_a_pack_is_one(store, git, add):
    digest = add(store).capsule
    git(store.path, "repack", "-aq")
    assert store.resolve(str(digest)[:DIGITS]).digest == digest
