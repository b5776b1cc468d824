"""What lies in a store, and what only looks so."""

import pytest

from capsulestore.capture.nix.store_path import store_path

HASH = "0123456789abcdfghijklmnpqrsvwxyz"
NAME = f"{HASH}-python3-3.12.4"

PATHS = {
    "a store path": (f"/nix/store/{NAME}", NAME),
    "what lies in it": (f"/nix/store/{NAME}/bin/python3", NAME),
    "a name of all that a name may have": (f"/nix/store/{HASH}-a+b-c._?=Z", f"{HASH}-a+b-c._?=Z"),
    "a name of the greatest length": (f"/nix/store/{HASH}-{'n' * 211}", f"{HASH}-{'n' * 211}"),
    "a name that is longer": (f"/nix/store/{HASH}-{'n' * 212}", None),
    "the store": ("/nix/store", None),
    "the links of equal files": ("/nix/store/.links/x", None),
    "a hash without a name": (f"/nix/store/{HASH}", None),
    "a letter that no hash has": (f"/nix/store/{HASH[:-1]}e-x", None),
    "another store": (f"/gnu/store/{NAME}", None),
    "a directory whose name begins like the store's": (f"/nix/store2/{NAME}", None),
    "a store within another directory": (f"/mnt/nix/store/{NAME}", None),
}


@pytest.mark.parametrize(("path", "expected"), PATHS.values(), ids=PATHS)
def test_a_path_lies_in_a_store_path_or_in_none(path, expected):
    assert store_path(path, "/nix/store") == expected
