"""Two closures of a nix store, told by package as nix itself tells them."""

import pytest

from capsulestore.compare.closures import closure_changes, is_of_closure

HASH = {letter: letter * 32 for letter in "abcdfg"}

CASES = {
    "a package that is another version": (
        {"a": "openssl-3.0.12", "b": "glibc-2.38-27"},
        {"c": "openssl-3.0.13", "b": "glibc-2.38-27"},
        [("openssl", "3.0.12", "3.0.13")],
    ),
    "a package that was built otherwise": (
        {"a": "glibc-2.38-27"},
        {"b": "glibc-2.38-27"},
        [("glibc", "2.38-27", "2.38-27 (another build)")],
    ),
    "a package that came, and one that is gone": (
        {"a": "tzdata-2024a"},
        {"b": "libxcrypt-4.4.36"},
        [("libxcrypt", "∅", "4.4.36"), ("tzdata", "2024a", "∅")],
    ),
    "a package of several outputs": (
        {"a": "gcc-13.2.0-lib", "b": "gcc-13.2.0-libgcc"},
        {"c": "gcc-13.3.0-lib", "d": "gcc-13.3.0-libgcc"},
        [("gcc", "13.2.0-lib, 13.2.0-libgcc", "13.3.0-lib, 13.3.0-libgcc")],
    ),
    "a name with dashes": (
        {"a": "python3-env-with-1.0"},
        {"b": "python3-env-with-2.0"},
        [("python3-env-with", "1.0", "2.0")],
    ),
    "a name without a version": (
        {"a": "source"},
        {"b": "source"},
        [("source", "(no version)", "(no version) (another build)")],
    ),
    "what is no path of a store": ({}, {"a": ""}, [("", "∅", "(no version)")]),
}


def closure(paths):
    return {"nix": {"rules": 1, "paths": {f"{HASH[letter]}-{name}": "sha256:0" for letter, name in paths.items()}}}


@pytest.mark.parametrize(("then", "now", "told"), CASES.values(), ids=CASES)
def test_closures_are_told_by_package(then, now, told, between):
    changes = [change for change in between(closure(then), closure(now)) if is_of_closure(change)]
    assert closure_changes(changes) == told


def test_a_path_whose_name_stayed_and_whose_content_did_not_is_another_build(between):
    then, now = closure({"a": "glibc-2.38"}), closure({"a": "glibc-2.38"})
    now["nix"]["paths"][f"{HASH['a']}-glibc-2.38"] = "sha256:1"
    assert closure_changes(between(then, now)) == [("glibc", "2.38", "2.38 (another build)")]


def test_only_paths_of_nix_are_told_so(between):
    then, now = {"conda": {"packages": {"openssl": "1"}}}, {"conda": {"packages": {"openssl": "2"}}, "nix": {}}
    assert [is_of_closure(change) for change in between(then, now)] == [False, False]
