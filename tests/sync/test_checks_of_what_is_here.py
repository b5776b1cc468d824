"""What the shelf reaches is not read again; what merely lies in the store is looked at like what was sent."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pack_making import pack, pieces, whole
from shelf_objects import capsule, commit, tree_of

from capsulestore.errors import DamagedObject
from capsulestore.model.digest import Digest
from capsulestore.model.objects import EMPTY_TREE, GitObject
from capsulestore.sync.checks.incoming import Checked, check_incoming
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.packs.bad_pack import BadObject
from capsulestore.sync.packs.received import read_pack

MAIN = "refs/heads/main"
NUMPY = GitObject("blob", b'{"version":"2.1.0"}')
HERE, SENT = capsule("here"), capsule("sent")
OWN = {name: value for name, value in SENT.objects.items() if name not in HERE.objects}
"""What of the capsule that is sent the one that is here has not."""


@pytest.fixture
def check(store, tmp_path) -> Callable[..., Checked]:
    def check(*sent: GitObject) -> Checked:
        received = read_pack(pieces(pack(*map(whole, sent))), str(tmp_path), LIMITS)
        return check_incoming(store, received, {MAIN: sent[-1].id}, LIMITS)

    return check


@pytest.fixture
def lie_here(store) -> Callable[..., None]:
    """Let objects lie in the store that no ref reaches, by git, as a command that was killed leaves them."""

    def lie_here(*objects: GitObject) -> None:
        command = ["git", "-C", store.path, "unpack-objects", "-q"]
        subprocess.run(command, input=pack(*map(whole, objects)), check=True, capture_output=True)
        assert all(value.id in store for value in objects)

    return lie_here


@pytest.fixture
def registered(store, lie_here) -> Digest:
    """The tip of a shelf that has a capsule, of which each object is a file of its own."""
    lie_here(*HERE.objects.values())
    store.add(HERE, "here")
    return store.tip


def remove(store, name: Digest) -> None:
    Path(store.path, "objects", name.hex[:2], name.hex[2:]).unlink()


def test_an_environment_that_a_capsule_on_the_shelf_has_is_not_read_again(store, check, registered):
    remove(store, NUMPY.id)
    tip = commit(SENT.id, registered)
    checked = check(*OWN.values(), tip)
    assert checked == Checked((tip.id,), {SENT.id: "capsule"})


def test_a_capsule_that_is_on_the_shelf_is_not_read_again(store, check, registered):
    remove(store, NUMPY.id)
    tip = commit(HERE.id)
    assert check(tip) == Checked((tip.id,), {})


def test_a_ref_to_what_is_on_the_shelf_brings_nothing_new(store, tmp_path, registered):
    received = read_pack(pieces(pack()), str(tmp_path), LIMITS)
    refs = {MAIN: registered, "refs/tags/v1": HERE.id}
    assert check_incoming(store, received, refs, LIMITS) == Checked((), {})


def test_what_lies_here_whole_may_be_built_on(store, check, lie_here):
    parent = commit(HERE.id)
    lie_here(*HERE.objects.values(), parent)
    tip = commit(SENT.id, parent.id)
    checked = check(*OWN.values(), tip)
    assert checked == Checked((tip.id, parent.id), {SENT.id: "capsule", HERE.id: "capsule"})


def test_whatever_lacks_of_what_lies_here_is_named(store, check, lie_here):
    parent = commit(HERE.id)
    lie_here(*HERE.objects.values(), parent)
    for name, value in {**HERE.objects, parent.id: parent}.items():
        remove(store, name)
        with pytest.raises(BadObject, match=f"object {name}.* was neither sent nor is here"):
            check(*OWN.values(), commit(SENT.id, parent.id))
        lie_here(value)


def test_what_lies_here_is_checked_for_what_it_is(check, lie_here):
    """It was never believed, so nobody has looked at it."""
    parent = GitObject("commit", b"tree %s\n" % str(EMPTY_TREE.id).encode())
    lie_here(parent, EMPTY_TREE)
    with pytest.raises(BadObject, match=f"object {parent.id} .* is wrong: a commit that git would"):
        check(commit(EMPTY_TREE.id, parent.id))


def test_what_is_damaged_here_is_told_as_the_store_s_own(store, check, lie_here):
    lie_here(*HERE.objects.values())
    path = Path(store.path, "objects", NUMPY.id.hex[:2], NUMPY.id.hex[2:])
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    with pytest.raises(DamagedObject, match=str(NUMPY.id)):
        check(*OWN.values(), commit(SENT.id))


def test_the_environment_of_a_capsule_that_was_only_carried_is_looked_at(store, check, lie_here):
    """A newer release may have another idea of an environment; in a capsule of this one it is none."""
    environment = tree_of(anything=GitObject("blob", b"of another kind"))
    newer = capsule("newer", environment, schema=2)
    tip = commit(newer.id)
    lie_here(*newer.objects.values(), tip)
    assert check(tip).kinds == {newer.id: "capsule"}
    store.join(tip.id)
    ours = capsule("ours", environment)
    own = [value for name, value in ours.objects.items() if name not in newer.objects]
    with pytest.raises(BadObject, match=f"object {environment.id} .* is wrong"):
        check(*own, commit(ours.id, tip.id))


def test_nothing_is_written(store, check, registered):
    assert store.index.has_commit(registered)
    before = {path: path.stat().st_mtime_ns for path in Path(store.path).rglob("*")}
    check(*OWN.values(), commit(SENT.id, registered))
    assert {path: path.stat().st_mtime_ns for path in Path(store.path).rglob("*")} == before
