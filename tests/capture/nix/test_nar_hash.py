"""One hash, however nix spells it. The vectors are nix's own (`nix-hash --to-base32`, `nix hash to-sri`)."""

import pytest

from capsulestore.capture.nix.nar_hash import nar_hash

HASHES = {
    "0" * 64: ("0" * 52, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    "f" * 64: ("1" + "z" * 51, "//////////////////////////////////////////8="),
    "878832cd22b5e038e117b701378558f8a9b6cad7381a0e6d57a9e865d34f85a6": (
        "19l59z9nbs59axnhw6iqsz5bdagqb22kf0dp2zhkiq5m4b6k5247",
        "h4gyzSK14DjhF7cBN4VY+Km2ytc4Gg5tV6noZdNPhaY=",
    ),
}

REFUSED = {
    "nothing": "",
    "hex of another length": f"sha256:{'0' * 63}",
    "hex in upper case": f"sha256:{'A' * 64}",
    "base 32 with a letter that nix does not use": f"sha256:{'0' * 51}e",
    "base 32 of more than 32 bytes": f"sha256:2{'0' * 51}",
    "base 64 behind a colon": f"sha256:{'A' * 43}=",
    "base 64 without its padding": f"sha256-{'A' * 43}",
    "another hash": f"sha512:{'0' * 128}",
    "a hash alone": "0" * 64,
    "a newline behind it": f"sha256:{'0' * 64}\n",
}


@pytest.mark.parametrize(("digits", "others"), HASHES.items())
def test_a_hash_is_recorded_in_hex_however_it_is_spelled(digits, others):
    in_base32, in_base64 = others
    recorded = f"sha256:{digits}"
    assert nar_hash(recorded) == recorded
    assert nar_hash(f"sha256:{in_base32}") == recorded
    assert nar_hash(f"sha256-{in_base64}") == recorded


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_nix_does_not_write_is_no_hash(text):
    with pytest.raises(ValueError, match="no SHA-256 as nix spells it"):
        nar_hash(text)
