"""A capsule may come from anywhere: `code` of any shape is answered for."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capsulestore.capture.code import LiveSource
from capsulestore.verification.code import said_of_code

HEX = st.sampled_from(["0" * 40, "f" * 64, "a" * 39, "--output=/x", "HEAD", "0" * 40 + "\n"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=4) | HEX,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
TREE = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["work tree", "editable", "path", "other"]) | JSON,
        "name": st.sampled_from([".", "a", "..", "../..", "/", "a\0b", "pkg"]) | JSON,
        "commit": HEX | JSON,
        "tree": HEX | JSON,
        "changes": st.just("sha256:" + "0" * 64) | JSON,
        "digest": HEX | JSON,
        "path": JSON,
        "submodules": JSON,
        "unhashed": JSON,
    },
)
FILE = st.fixed_dictionaries(
    {}, optional={"path": st.sampled_from(["main.py", "a\0b", "/dev/null", "pkg"]) | JSON, "sha256": HEX | JSON}
)
CODE = st.dictionaries(st.text(max_size=3), JSON, max_size=2) | st.fixed_dictionaries(
    {},
    optional={
        "trees": st.lists(TREE | JSON, max_size=3) | JSON,
        "files": st.lists(FILE | JSON, max_size=3) | JSON,
        "declared": st.lists(st.sampled_from(["pkg", "*.py", "**", "a\0b", "[", "\ud800", "/", ""]) | JSON) | JSON,
    },
)


@pytest.mark.parametrize("top", ["sha1"], indirect=True)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=CODE)
def test_code_of_any_shape_is_answered_for(top, code, manifest_of, check):
    live = (LiveSource("editable", "a", str(top / "pkg")), LiveSource("path", "", str(top / "pkg")))
    checks = check(manifest_of(code), top, *live)
    for one in checks:
        assert set(one.as_dict()) == {"role", "name", "recorded", "current", "state"}
        assert one.state in {"same", "changed", "missing", "unreadable"}
    assert len(list(said_of_code(checks))) == sum(one.state != "same" for one in checks)


@pytest.mark.parametrize("tree", ["--output=stolen", "HEAD", "0" * 39, "0" * 41, ["0" * 40], None])
def test_what_is_no_object_id_never_reaches_git(top, tree, manifest_of, states):
    code = {"trees": [{"role": "work tree", "name": ".", "commit": tree, "tree": tree, "changes": None}]}
    assert states(manifest_of(code), top) == ["unreadable"]
