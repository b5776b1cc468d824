"""Names of refs: what git takes, and nothing else."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsulestore.sync.wire.ref_names import in_the_way, is_ref_name

WORDS = r"""
    main a/b a.b a./b .a a/.b a. a.lock a.lock/b a.lockb a..b a//b /a a/ a@b @ a/@ a@{b {a} -a a- a+b a%b a,b a=b a!b
    a~b a^b a:b a?b a*b a[b a]b a\b a"b a'b é HEAD .. . .lock a/.lock x/..y
"""
NAMES = [*WORDS.split(), "", "a b", "a\tb", "a\nb", "a\n", "a\x01b", "a\x7fb", "a\x85b", "a\xa0b"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_below_refs_is_taken_where_git_takes_it(name):
    command = ["git", "check-ref-format", f"refs/heads/{name}"]
    assert is_ref_name(f"refs/heads/{name}".encode()) == (subprocess.run(command, check=False).returncode == 0)


@pytest.mark.parametrize("name", [b"refs/", b"refs", b"", b"HEAD", b"heads/main", b"/refs/heads/main", b"refs//a"])
def test_a_name_elsewhere_is_refused(name):
    assert not is_ref_name(name)


@given(st.lists(st.sampled_from([b"refs", b"/", b".", b"..", b".lock", b"a", b"\0", b"\n", b"@{"])).map(b"".join))
def test_no_name_leads_out_of_refs(name):
    if is_ref_name(b"refs/" + name):
        parts = name.split(b"/")
        assert not {b"", b".", b".."} & set(parts)
        assert not any(part.startswith(b".") or part.endswith(b".lock") or b"\0" in part for part in parts)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["refs/a", "refs/b/c", "refs/b/d"], None),
        (["refs/a", "refs/a/b"], "refs/a"),
        (["refs/a/b/c", "refs/a/b"], "refs/a/b"),
        (["refs/a/b/c/d", "refs/a"], "refs/a"),
        (["refs/a", "refs/ab/c", "refs/a.b"], None),
        ([], None),
    ],
)
def test_a_ref_is_in_the_way_of_those_below_it(names, found):
    assert in_the_way(names) == found
