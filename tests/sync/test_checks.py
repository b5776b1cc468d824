"""I3, I8: what a received pack leads to is all there, and is what its place asks for, or none of it is believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from pack_making import pack, pieces, whole
from shelf_objects import ENVIRONMENT, alone, capsule, commit, objects_of, statement_of, tree_of

from capsulestore.model import canonical
from capsulestore.model.digest import Digest
from capsulestore.model.objects import BLOB_MODE, EMPTY_TREE, Encoded, GitObject, TreeEntry, decode_tree, encode_tree
from capsulestore.model.statement import STATEMENT_TYPE
from capsulestore.sync.checks.incoming import Checked, check_incoming
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.packs.bad_pack import BadObject
from capsulestore.sync.packs.received import read_pack

MAIN = "refs/heads/main"
BLOB = GitObject("blob", b"1")


@pytest.fixture
def check(store, tmp_path) -> Callable[..., Checked]:
    """Check what was sent, for a branch that ends with the last of it."""

    def check(*sent: GitObject | Encoded, without: Digest | None = None, limits=LIMITS) -> Checked:
        data = pack(*(whole(value) for name, value in objects_of(*sent).items() if name != without))
        received = read_pack(pieces(data), str(tmp_path), LIMITS)
        return check_incoming(store, received, {MAIN: sent[-1].id}, limits)

    return check


def test_capsules_statements_joins_and_what_nobody_knows_are_told_apart(check):
    one, other = capsule("one"), capsule("other")
    statement, unknown = statement_of(one), tree_of(readme=GitObject("blob", b"of another program"))
    first = commit(one.id)
    commits = [first, commit(statement.id, first.id), commit(other.id), commit(unknown.id)]
    join = commit(EMPTY_TREE.id, *(found.id for found in commits[1:]))
    checked = check(one, other, statement, unknown, EMPTY_TREE, *commits, join)
    assert checked.commits[0] == join.id
    assert set(checked.commits) == {join.id, *(found.id for found in commits)}
    assert checked.kinds == {
        one.id: "capsule",
        other.id: "capsule",
        statement.id: "statement",
        unknown.id: "other",
        EMPTY_TREE.id: "empty",
    }


def test_a_capsule_of_a_newer_schema_is_carried_whatever_is_in_it(check):
    manifest = GitObject("blob", canonical.dumps({"schema": 2, "environment": "said in another way"}))
    newer = tree_of(**{"capsule.json": manifest, "environment": tree_of(anything=GitObject("blob", b"{"))})
    assert check(newer, commit(newer.id)).kinds == {newer.id: "capsule"}


def test_whichever_object_lacks_is_named(check):
    made = capsule()
    statement = statement_of(made)
    first = commit(made.id)
    tip = commit(statement.id, first.id)
    for name in {**statement.objects, first.id: first, tip.id: tip}:
        with pytest.raises(BadObject, match=f"object {name}.* was neither sent nor is here"):
            check(statement, first, tip, without=name)


def broken(name: str, value: GitObject) -> Encoded:
    """A capsule whose environment has this value for a name."""
    return capsule_of(tree_of(python=tree_of(**{name: value})))


def capsule_of(environment: Encoded, **others: GitObject | Encoded) -> Encoded:
    manifest = {"schema": 1, "title": "a title", "environment_digest": str(environment.id)}
    said = GitObject("blob", canonical.dumps(manifest))
    return tree_of(**{"capsule.json": said, "environment": environment, **others})


def manifest_of(**changes: object) -> Encoded:
    manifest = {"schema": 1, "title": "a title", "environment_digest": str(ENVIRONMENT.id), **changes}
    return tree_of(**{"capsule.json": GitObject("blob", canonical.dumps(manifest)), "environment": ENVIRONMENT})


DEEP = tree_of(a=tree_of(b=tree_of(c=tree_of(**{"d.json": BLOB}))))
UNORDERED = GitObject("tree", b"100644 b\0" + BLOB.id.raw + b"100644 a\0" + BLOB.id.raw)
ABOUT_ANOTHER = {"_type": STATEMENT_TYPE, "predicateType": "x", "subject": [{"digest": {"gitTree": "0" * 64}}]}
REFUSED = {
    "a manifest of another environment": (manifest_of(environment_digest="0" * 64), "is not the id of `environment/`"),
    "a manifest without a title that is a text": (manifest_of(title=1), "capsule.json/title: expected a text"),
    "a manifest of schema 0": (manifest_of(schema=0), "expected a whole number"),
    "a value that is no JSON": (broken("rules.json", GitObject("blob", b"{")), "not JSON"),
    "a value in another form": (broken("rules.json", GitObject("blob", b"1 ")), "not in its canonical form"),
    "a mapping that should be a tree": (broken("a.json", GitObject("blob", b"{}")), "should have been a tree"),
    "a value by another name": (broken("rules", BLOB), "does not end in `.json`"),
    "a name that is written otherwise": (broken("%41.json", BLOB), "not as it would be written"),
    "a tree below the third level": (capsule_of(DEEP), "a tree below the third level"),
    "a context that is none": (capsule_of(ENVIRONMENT, context=tree_of(a=BLOB)), "does not end in `.json`"),
    "kept files that lead elsewhere": (
        capsule_of(ENVIRONMENT, files=tree_of(**{"%2E.": tree_of(passwd=BLOB)})),
        "a path that leads elsewhere",
    ),
    "a statement about another capsule": (
        tree_of(**{"statement.json": GitObject("blob", canonical.dumps(ABOUT_ANOTHER)), "subject": capsule()}),
        "is not the id of `subject/`",
    ),
    "a tree that is called a blob": (
        alone(encode_tree([TreeEntry(BLOB_MODE, "x", EMPTY_TREE.id)]), EMPTY_TREE),
        "is a tree, where a blob should be",
    ),
    "a manifest that is a tag": (
        tree_of(**{"capsule.json": GitObject("tag", b"{}"), "environment": ENVIRONMENT}),
        "is a tag, where a blob should be",
    ),
    "git's own directory": (tree_of(**{".git": BLOB}), "a tree with the name '.git'"),
    "a tree out of order": (alone(UNORDERED, BLOB), "git would have written in another order"),
}


CROWDED = GitObject("blob", b"[" + b"[]," * 2**20 + b"[]]")
LONG = GitObject("tree", b"100644 " + b"x" * 2**24 + b"\0" + BLOB.id.raw)
TOO_MUCH = {
    "an entry of millions of values": (broken("a.json", CROWDED), "JSON of more than 2097152 values"),
    "a manifest of millions of values": (
        tree_of(**{"capsule.json": CROWDED, "environment": ENVIRONMENT}),
        "JSON of more than 2097152 values",
    ),
    "a tree of many megabytes": (alone(LONG, BLOB), "is a tree of 16777256 bytes; the most that is taken is 16777216"),
    "a name of many kilobytes": (tree_of(**{"x" * 4097: BLOB}), "a tree with the name 'xxx"),
}


@pytest.mark.parametrize(("tree", "reason"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_would_take_many_times_its_bytes_in_memory_is_refused(check, tree, reason):
    with pytest.raises(BadObject, match=reason):
        check(tree, commit(tree.id))


def test_a_manifest_that_many_capsules_share_is_not_read_for_each_of_them_without_end(check):
    one = capsule("a title " * 1000)
    manifest = next(entry.id for entry in decode_tree(one.objects[one.id].data) if entry.name == "capsule.json")
    shared = {"capsule.json": one.objects[manifest], "environment": ENVIRONMENT}
    many = [tree_of(**shared, **{str(number): BLOB}) for number in range(9)]
    tips = [commit(capsule.id) for capsule in many]
    sent = [*many, EMPTY_TREE, *tips, commit(EMPTY_TREE.id, *(tip.id for tip in tips))]
    described = len(one.objects[manifest].data)
    assert len(check(*sent, limits=replace(LIMITS, manifest_bytes=9 * described)).commits) == 10
    with pytest.raises(BadObject, match="is one of too many"):
        check(*sent, limits=replace(LIMITS, manifest_bytes=9 * described - 1))


@pytest.mark.parametrize(("tree", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_what_its_place_asks_for_is_refused_and_named(check, tree, reason):
    with pytest.raises(BadObject) as refused:
        check(tree, commit(tree.id))
    assert reason in refused.value.reason
    assert refused.value.reason.startswith("object ")


def test_trees_are_followed_as_deep_as_the_limit_in_whatever_order(check):
    tree = tree_of(file=BLOB)
    for _ in range(9):
        tree = tree_of(deeper=tree, file=BLOB)
    deep = replace(LIMITS, tree_depth=10)
    assert check(tree, commit(tree.id), limits=deep).kinds == {tree.id: "other"}
    # What is known to be sound may still be too deep where it stands now.
    again = tree_of(a=tree, z=tree)
    with pytest.raises(BadObject, match="more than 10 trees within each other"):
        check(again, commit(tree.id), commit(again.id, commit(tree.id).id), limits=deep)


@pytest.mark.parametrize("place", ["files", "environment", "other"])
def test_a_few_small_trees_that_stand_for_more_than_any_disk_holds_are_refused(check, place):
    tree = tree_of(**{f"{number}.json": BLOB for number in range(1000)})
    for _ in range({"environment": 2}.get(place, 12)):
        tree = tree_of(**{f"{number}": tree for number in range(1000)})
    bomb = {
        "files": lambda: capsule_of(ENVIRONMENT, files=tree),
        "environment": lambda: capsule_of(tree),
        "other": lambda: tree,
    }[place]()
    with pytest.raises(BadObject, match="unfolds to"):
        check(bomb, commit(bomb.id))
