"""`NAME:layer/collection/entry` reaches into the environment, `NAME:context/...` into the context."""

from __future__ import annotations

from contextlib import suppress

import pytest

from capsulestore.errors import CapsuleError, UnknownName
from capsulestore.model.digest import Digest
from capsulestore.recording.capsule import Description, Surroundings, record

ENVIRONMENT = {
    "python": {
        "interpreter": {"version": "3.11.7", "os": "linux"},
        "packages": {"numpy": {"version": "2.1.0"}, "numba": {"version": "0.61"}, "scipy": {"version": "1.15"}},
        "rules": 1,
        "overlaps": {"share/man/x.1": "sha256:00", "share": "sha256:01"},
    },
    "nix": {"rules": 1, "paths": {}},
    "note": "a layer that is a value",
    "köln": {"ä b": {"c%d": 1}},
}
CONTEXT = {"system": {"packages": {"dpkg": {"libc6:amd64": "2.36"}}}, "variables": {"process": {"LANG": "C"}}}


@pytest.fixture
def capsule(store) -> Digest:
    surroundings = Surroundings(environment=ENVIRONMENT, context=CONTEXT)
    return record(store, surroundings, Description(title="a capsule")).capsule


@pytest.fixture
def value(store, capsule):
    """What a path from the capsule leads to: what it is, and its value."""

    def value(path: str):
        found = store.resolve(f"@:{path}")
        assert found.capsule == capsule
        return found.kind, found.value(store.read)

    return value


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("", "environment", ENVIRONMENT),
        ("python", "layer", ENVIRONMENT["python"]),
        ("python/packages", "collection", ENVIRONMENT["python"]["packages"]),
        ("python/packages/numpy", "entry", {"version": "2.1.0"}),
        ("python/rules", "entry", 1),
        ("python/interpreter/version", "entry", "3.11.7"),
        ("note", "entry", "a layer that is a value"),
        ("nix/paths", "collection", {}),
        ("köln/ä b/c%d", "entry", 1),
        ("python/overlaps/share", "entry", "sha256:01"),
        ("python/overlaps/share/man/x.1", "entry", "sha256:00"),
        ("context", "context", CONTEXT),
        ("context/system", "layer", CONTEXT["system"]),
        ("context/system/packages", "collection", CONTEXT["system"]["packages"]),
        ("context/system/packages/dpkg", "entry", {"libc6:amd64": "2.36"}),
        ("context/variables/process/LANG", "entry", "C"),
    ],
)
def test_a_path_leads_to(value, path, kind, expected):
    assert value(path) == (kind, expected)


@pytest.mark.parametrize("path", ["/python/packages/", "python//packages", "//python///packages//"])
def test_empty_parts_of_a_path_count_for_nothing(value, path):
    assert value(path) == ("collection", ENVIRONMENT["python"]["packages"])


def test_a_path_can_begin_at_an_environment(store, capsule):
    environment = store.capsule(capsule).environment
    found = store.resolve(f"{environment}:python/packages/numpy")
    assert (found.kind, found.capsule, found.value(store.read)) == ("entry", None, {"version": "2.1.0"})


@pytest.mark.parametrize(
    ("start", "rest"), [("python", "packages/numpy"), ("python/packages", "numpy"), ("context/system", "packages/dpkg")]
)
def test_a_path_can_begin_at_the_digest_of_what_it_leads_through(store, capsule, start, rest):
    inner = store.resolve(f"@:{start}").digest
    assert store.resolve(f"{inner}:{rest}").digest == store.resolve(f"@:{start}/{rest}").digest


def test_a_path_can_begin_at_a_prefix_and_at_a_tag(store, capsule, git):
    git(store.path, "update-ref", "refs/tags/baseline", str(capsule))
    expected = store.resolve("@:python").digest
    assert store.resolve("baseline:python").digest == store.resolve(f"{str(capsule)[:7]}:python").digest == expected


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("python/packages/nunpy", "did you mean `numpy`?"),
        ("pyhton/packages/numpy", "did you mean `python`?"),
        ("python/package", "did you mean `packages`?"),
        ("context/sytem", "did you mean `system`?"),
        ("python/packages/zzz", "there is: numba, numpy, scipy"),
        ("zzz", "there is: köln, nix, note, python"),
        ("nix/paths/anything", None),
    ],
)
def test_a_path_to_nothing_says_what_there_is(store, capsule, path, hint):
    with pytest.raises(UnknownName, match="nothing at") as caught:
        store.resolve(f"@:{path}")
    assert (caught.value.hint, caught.value.exit_code) == (hint, 3)


@pytest.mark.parametrize("path", ["python/packages/numpy/version", "python/rules/1", "note/x"])
def test_nothing_lies_below_an_entry(store, capsule, path):
    with pytest.raises(UnknownName):
        store.resolve(f"@:{path}")


def test_nothing_lies_below_an_entry_that_is_named_by_its_digest(store, capsule):
    entry = store.resolve("@:python/packages/numpy").digest
    with pytest.raises(UnknownName, match="nothing below"):
        store.resolve(f"{entry}:version")


def test_an_environment_has_no_context(store, capsule):
    with pytest.raises(UnknownName):
        store.resolve(f"{store.capsule(capsule).environment}:context")


def test_a_capsule_without_a_context_says_so(store, add):
    add(store)
    with pytest.raises(UnknownName, match="no context"):
        store.resolve("@:context/system")


@pytest.mark.parametrize("path", ["capsule.json", "environment", "files", "..", "."])
def test_a_path_begins_in_the_environment_not_in_the_capsules_tree(store, capsule, path):
    with pytest.raises(UnknownName):
        store.resolve(f"@:{path}")


@pytest.mark.parametrize("path", ["a", "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/e"])
def test_a_tree_that_is_deeper_than_ours_has_a_value_or_an_error_of_ours(store, git, path):
    tree = git(store.path, "mktree", text="")
    for name in "dcba":
        tree = git(store.path, "mktree", text=f"040000 tree {tree}\t{name}\n")
    with suppress(CapsuleError):
        assert store.resolve(f"{tree}:{path}").kind
