"""What a server goes by, and what a scope is good for."""

from __future__ import annotations

import pytest

from capsulestore.errors import UsageError
from capsulestore.serving.access.rules import Access, Caller


@pytest.mark.parametrize("name", ["http://capsules.example.org", "a b", "capsules.example.org:8000", "", "*"])
def test_what_is_no_host_name_is_not_allowed_as_one(tmp_path, name):
    with pytest.raises(UsageError, match="no host name"):
        Access.on_loopback(str(tmp_path), [name])


WRITTEN = {"x:99": "without a port", "BÜCHER.example:99": "`xn--bcher-kva.example`", "ü" * 300: "`xn--...`"}


@pytest.mark.parametrize(("name", "hint"), WRITTEN.items())
def test_how_a_host_name_is_written_is_told(tmp_path, name, hint):
    with pytest.raises(UsageError) as error:
        Access.on_loopback(str(tmp_path), [name])
    assert hint in error.value.hint


def test_whoever_may_write_may_read():
    assert [Caller("ada", "write").may(needed) for needed in (None, "read", "write")] == [True, True, True]
    assert [Caller("ada", "read").may(needed) for needed in (None, "read", "write")] == [True, True, False]
    assert [Caller(None, None).may(needed) for needed in (None, "read", "write")] == [True, False, False]
