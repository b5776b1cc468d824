"""What a ref may name: a branch a commit, a tag or another ref anything; an annotated tag is followed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from pack_making import pack, pieces, whole
from shelf_objects import capsule, commit, objects_of, tag

from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE, Encoded, GitObject
from capsulestore.sync.checks.incoming import Checked, check_incoming
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.packs.bad_pack import BadObject
from capsulestore.sync.packs.received import read_pack

MAIN = "refs/heads/main"
BLOB = GitObject("blob", b"1")


@pytest.fixture
def check(store, tmp_path) -> Callable[..., Checked]:
    """Check what was sent, for these refs."""

    def check(*sent: GitObject | Encoded, refs: dict[str, Digest], limits=LIMITS) -> Checked:
        received = read_pack(pieces(pack(*map(whole, objects_of(*sent).values()))), str(tmp_path), LIMITS)
        return check_incoming(store, received, refs, limits)

    return check


@pytest.mark.parametrize("ref", ["refs/tags/v1", "refs/capsules/forgotten"])
def test_another_ref_than_a_branch_may_name_a_tree_a_commit_or_a_blob(check, ref):
    made = capsule()
    tip = commit(made.id)
    assert check(made, refs={ref: made.id}).kinds == {made.id: "capsule"}
    assert check(made, tip, refs={ref: tip.id}).commits == (tip.id,)
    assert check(BLOB, refs={ref: BLOB.id}) == Checked((), {})


def test_an_annotated_tag_leads_to_what_it_is_on(check):
    made = capsule()
    twice = tag(tag(made, "tree"), "tag")
    assert check(made, tag(made, "tree"), twice, refs={"refs/tags/v1": twice.id}).kinds == {made.id: "capsule"}
    with pytest.raises(BadObject, match="is a tree, where a commit should be"):
        check(made, tag(made, "commit"), refs={"refs/tags/v1": tag(made, "commit").id})
    with pytest.raises(BadObject, match="was neither sent nor is here"):
        check(tag(made, "tree"), refs={"refs/tags/v1": tag(made, "tree").id})
    with pytest.raises(BadObject, match="written otherwise"):
        check(GitObject("tag", b"object x"), refs={"refs/tags/v1": GitObject("tag", b"object x").id})


def test_tags_of_tags_are_followed_as_far_as_the_limit(check):
    tags = [tag(BLOB, "blob")]
    for _ in range(10):
        tags.append(tag(tags[-1], "tag"))
    with pytest.raises(BadObject, match="`refs/tags/v1` is a tag of a tag"):
        check(BLOB, *tags, refs={"refs/tags/v1": tags[-1].id}, limits=replace(LIMITS, tree_depth=10))


@pytest.mark.parametrize("value", [capsule(), BLOB, tag(commit(EMPTY_TREE.id), "commit")], ids=["tree", "blob", "tag"])
def test_a_branch_names_a_commit_and_nothing_else(check, value):
    with pytest.raises(BadObject, match=rf"which `{MAIN}` names, is a \w+, where a commit should be"):
        check(value, refs={MAIN: value.id})


def test_a_ref_to_what_was_not_sent_is_refused(check):
    with pytest.raises(BadObject, match=f"object {'0' * 64}, which `{MAIN}` names, was neither sent nor is here"):
        check(BLOB, refs={MAIN: Digest("0" * 64)})
