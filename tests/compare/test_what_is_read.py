"""A comparison reads nothing that is equal on both sides."""

import pytest

from capsulestore.compare.difference import changes

MANY = {f"package-{number}": {"version": f"1.{number}"} for number in range(300)}


def environment(packages):
    return {
        "conda": {"packages": {"openssl": {"version": "3.0"}}, "rules": 1},
        "python": {"interpreter": {"version": "3.11.7"}, "packages": packages, "rules": 1},
    }


@pytest.fixture
def a(counted):
    return counted(environment(MANY))


def test_of_equal_environments_nothing_is_read(a, counted):
    b = counted(environment(dict(reversed(MANY.items()))))
    assert list(changes(a.side, b.side)) == []
    assert a.reads == b.reads == []


def test_for_one_changed_package_of_300_the_trees_on_its_path_and_two_blobs_are_read_each_once(a, counted):
    b = counted(environment(MANY | {"package-7": {"version": "2.0"}}))
    assert [change.entry for change in changes(a.side, b.side)] == ["package-7"]
    assert a.reads == a.on_the_way_to("python", "packages", "package-7")
    assert b.reads == b.on_the_way_to("python", "packages", "package-7")
    assert [value.kind for value in a.reads + b.reads].count("tree") == 6
    assert len(a.reads + b.reads) == 8


def test_for_one_added_package_no_blob_of_the_other_side_is_read(a, counted):
    b = counted(environment(MANY | {"package-300": {"version": "2.0"}}))
    assert [change.change for change in changes(a.side, b.side)] == ["added"]
    assert a.reads == a.on_the_way_to("python", "packages")
    assert b.reads == b.on_the_way_to("python", "packages", "package-300")


def test_for_a_value_of_a_layer_no_collection_is_read(a, counted):
    other = environment(MANY)
    other["conda"]["rules"] = 2
    b = counted(other)
    assert [change.entry for change in changes(a.side, b.side)] == ["rules"]
    assert a.reads == a.on_the_way_to("conda", "rules")
    assert b.reads == b.on_the_way_to("conda", "rules")


def test_what_is_equal_on_both_sides_need_not_be_there_at_all(a, counted):
    b = counted(environment(MANY | {"package-7": {"version": "2.0"}}))
    for each in (a, b):
        needed = each.on_the_way_to("python", "packages", "package-7")
        each.objects = {value.id: value for value in needed}
    assert [change.entry for change in changes(a.side, b.side)] == ["package-7"]


def test_nothing_is_read_before_the_first_change_is_asked_for(a, counted):
    b = counted(environment({}))
    found = changes(a.side, b.side)
    assert a.reads == b.reads == []
    next(found)
    assert len(a.reads) == 4
