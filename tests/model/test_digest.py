"""A digest is a type with one way in."""

import pytest

from capsulestore.errors import MalformedName
from capsulestore.model.digest import Digest

HEX = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"


def test_a_digest_is_its_64_hex_digits_and_its_32_bytes():
    digest = Digest.parse(HEX)
    assert str(digest) == digest.hex == HEX
    assert digest.raw == bytes.fromhex(HEX)


def test_upper_case_is_the_same_digest():
    assert Digest.parse(HEX.upper()) == Digest.parse(HEX)


@pytest.mark.parametrize(
    "text",
    ["", HEX[:-1], HEX + "0", f"g{HEX[1:]}", f" {HEX[1:]}", f"{HEX}\n", HEX[:40], f"sha256:{HEX}", "٣" * 64],
)
def test_anything_else_is_no_digest(text):
    with pytest.raises(MalformedName, match="is not a digest"):
        Digest.parse(text)


def test_digests_sort_as_their_digits():
    digests = [Digest.parse(digit * 64) for digit in "a09f"]
    assert [str(digest)[0] for digest in sorted(digests)] == ["0", "9", "a", "f"]
