"""A layer of a context in a line, whatever stands in it: it may come from another release, or from anybody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsulestore_cli.context_text import context_summary

LAYERS = ("conda", "container", "host", "nix", "python", "system", "variables", "of another release")
COLLECTIONS = (
    "archives",
    "distributions",
    "image",
    "installers",
    "sources",
    "roots",
    "runtime",
    "packages",
    "gpu",
    "cpu",
)
ENTRIES = ("alpha", "names", "models", "driver", "logical", "model")

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "main", "\x1b[31m", f"{'0' * 32}-python-3"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["channel", "version"]), inner),
    max_leaves=4,
)
layers = st.dictionaries(st.sampled_from(COLLECTIONS), anything | st.dictionaries(st.sampled_from(ENTRIES), anything))


@given(name=st.sampled_from(LAYERS), layer=layers)
def test_anything_is_a_line_without_control_characters(name, layer):
    assert context_summary(name, layer).isprintable()


@pytest.mark.parametrize(
    ("archives", "line"),
    [
        ({"a": {"channel": "main"}, "b": {"channel": "main"}, "c": {"url": "u"}}, "2 packages from main"),
        ({"a": {"channel": "main"}, "b": {"channel": "forge"}}, "1 package from forge, 1 package from main"),
        ({"a": {"channel": ["main"]}, "b": "main"}, '1 package from ["main"]'),
    ],
)
def test_packages_are_counted_by_their_channel(archives, line):
    assert context_summary("conda", {"archives": archives}) == line
