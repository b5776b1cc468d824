"""Whatever two mappings are compared: the changes lead from one to the other, and say no more than that."""

from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.compare.difference import Side, changes
from capsulestore.model.canonical import dumps
from capsulestore.model.mapping import encode_mapping

# Few keys and few values, so that much of the two mappings is the same, or nearly.
KEYS = st.sampled_from(["a", "a-b", "a.json", ".x", "é", "\U00010000"])
VALUES = st.sampled_from([None, True, 1, 0, "x", [], [1], [True]])
ENTRIES = VALUES | st.dictionaries(KEYS, VALUES, max_size=3)
COLLECTIONS = st.dictionaries(KEYS, ENTRIES, max_size=4)
LAYERS = st.dictionaries(KEYS, COLLECTIONS | VALUES, max_size=3)
MAPPINGS = st.dictionaries(KEYS, LAYERS | VALUES, max_size=3)


def between(a, b):
    encoded = encode_mapping(a), encode_mapping(b)
    return list(changes(*(Side(each.objects.__getitem__, each.id) for each in encoded)))


def place(change):
    return tuple(part for part in (change.layer, change.collection, change.entry) if part is not None)


def applied(mapping, found):
    """Return a mapping with changes made in it: first all that is removed, for a key can change its kind."""
    result = deepcopy(mapping)
    for change in [each for each in found if each.entry is not None and each.change == "removed"]:
        *outer, key = place(change)
        assert dumps(inside(result, outer).pop(key)) == dumps(change.a)
    result = without_empty_trees(result)
    for change in [each for each in found if each.entry is not None and each.change != "removed"]:
        *outer, key = place(change)
        inside(result, outer)[key] = change.b
    return result


def inside(mapping, keys):
    for key in keys:
        mapping = mapping.setdefault(key, {})
    return mapping


def without_empty_trees(mapping, level=0):
    """Return a mapping without empty layers and collections; an empty mapping that is an entry stays."""
    kept = {
        key: without_empty_trees(value, level + 1) if isinstance(value, dict) and level < 2 else value
        for key, value in mapping.items()
    }
    return {key: value for key, value in kept.items() if value != {} or level == 2}


@settings(max_examples=50)
@given(MAPPINGS, MAPPINGS)
def test_the_changes_applied_to_a_give_b(a, b):
    expected = encode_mapping(without_empty_trees(b))
    assert encode_mapping(without_empty_trees(applied(a, between(a, b)))).id == expected.id


@settings(max_examples=50)
@given(MAPPINGS, MAPPINGS)
def test_there_is_a_change_exactly_where_the_digests_differ(a, b):
    assert bool(between(a, b)) == (encode_mapping(a).id != encode_mapping(b).id)


@settings(max_examples=50)
@given(MAPPINGS, MAPPINGS)
def test_changes_are_sorted_by_layer_collection_and_entry(a, b):
    # What lies in a tree comes before the value that has the tree's key on the other side.
    last = "\U0010ffff" * 2
    places = [(*place(change), last) for change in between(a, b)]
    assert places == sorted(places)


@settings(max_examples=50)
@given(MAPPINGS, MAPPINGS)
def test_nothing_is_told_twice(a, b):
    told = [(change.layer, change.collection, change.entry) for change in between(a, b)]
    assert len(told) == len(set(told))


@settings(max_examples=50)
@given(MAPPINGS, MAPPINGS)
def test_a_changed_entry_has_other_bytes_and_its_fields_are_those_that_differ(a, b):
    for change in between(a, b):
        if change.change != "changed":
            assert change.fields == ()
            continue
        assert dumps(change.a) != dumps(change.b)
        if isinstance(change.a, dict) and isinstance(change.b, dict):
            same = {key for key in change.a.keys() & change.b.keys() if dumps(change.a[key]) == dumps(change.b[key])}
            assert change.fields == tuple(sorted((change.a.keys() | change.b.keys()) - same))
        else:
            assert change.fields == ()


@settings(max_examples=50)
@given(MAPPINGS, MAPPINGS)
def test_the_other_way_round_every_change_is_the_other_way_round(a, b):
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    there = [(place(change), change.change, change.a, change.b, change.fields) for change in between(a, b)]
    back = [(place(change), turned[change.change], change.b, change.a, change.fields) for change in between(b, a)]
    assert sorted(map(repr, there)) == sorted(map(repr, back))
