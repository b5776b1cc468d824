"""Which differences count where only what was imported is judged."""

import pytest

from capsulestore.compare.loaded import only_loaded

NUMPY, NEWER = {"version": "1.26.4"}, {"version": "2.1.0"}
BOTH = {"content": "sha256:aa", "distributions": ["numpy", "scipy"]}

COUNT = {
    "a distribution that was loaded": (
        {"python": {"packages": {"numpy": NUMPY}}},
        {"python": {"packages": {"numpy": NEWER}}},
    ),
    "one that was loaded and is gone": ({"python": {"packages": {"numpy": NUMPY}}}, {"python": {"packages": {}}}),
    "the interpreter": (
        {"python": {"interpreter": {"version": "3.11"}}},
        {"python": {"interpreter": {"version": "3.12"}}},
    ),
    "rules": ({"python": {"rules": 1}}, {"python": {"rules": 2}}),
    "what nobody owns": ({"python": {"unowned": {"loose.py": {}}}}, {"python": {}}),
    "an overlap of one that was loaded": ({"python": {"overlaps": {"a.py": BOTH}}}, {"python": {}}),
    "an overlap that names one on one side": (
        {"python": {"overlaps": {"a.py": BOTH}}},
        {"python": {"overlaps": {"a.py": {**BOTH, "distributions": ["other", "scipy"]}}}},
    ),
    "an overlap that names nobody": ({"python": {"overlaps": {"a.py": 1}}}, {"python": {"overlaps": {"a.py": {}}}}),
    "an overlap that is none": (
        {"python": {"overlaps": {"a.py": {"distributions": "numpy"}}}},
        {"python": {"overlaps": {"a.py": {"distributions": [1]}}}},
    ),
    "a collection that is not known": ({"python": {"new": {"scipy": 1}}}, {"python": {}}),
    "a collection that is empty": ({"python": {"packages": {}, "rules": 1}}, {"python": {"rules": 1}}),
    "another layer": ({"conda": {"packages": {"scipy": 1}}}, {"conda": {"packages": {"scipy": 2}}}),
    "an entry above all layers": ({"schema": 1}, {"schema": 2}),
}

DO_NOT = {
    "a distribution that was not loaded": (
        {"python": {"packages": {"scipy": NUMPY}}},
        {"python": {"packages": {"scipy": NEWER}}},
    ),
    "one that was added": ({"python": {"packages": {}}}, {"python": {"packages": {"scipy": NEWER}}}),
    "an overlap of others": ({"python": {}}, {"python": {"overlaps": {"a.py": {"distributions": ["other", "scipy"]}}}}),
}


@pytest.mark.parametrize(("a", "b"), COUNT.values(), ids=COUNT)
def test_these_count(a, b, between):
    changes = between(a, b)
    assert changes
    assert only_loaded(changes, ["numpy"]) == (tuple(changes), ())


@pytest.mark.parametrize(("a", "b"), DO_NOT.values(), ids=DO_NOT)
def test_these_do_not(a, b, between):
    changes = between(a, b)
    assert changes
    assert only_loaded(changes, ["numpy"]) == ((), tuple(changes))


def test_each_keeps_its_order(between):
    names = ("a", "b", "c", "d")
    changes = between({"python": {"packages": {}}}, {"python": {"packages": dict.fromkeys(names, NUMPY)}})
    counted, others = only_loaded(iter(changes), {"d", "b"})
    assert [change.entry for change in counted] == ["b", "d"]
    assert [change.entry for change in others] == ["a", "c"]


def test_where_nothing_was_loaded_no_distribution_counts(between):
    changes = between({"python": {"packages": {"numpy": NUMPY}}}, {"python": {"packages": {"numpy": NEWER}}})
    assert only_loaded(changes, ()) == ((), tuple(changes))
