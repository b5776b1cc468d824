"""A bundle is a store, or chosen capsules, as one file, which git verifies and clones, and stores pull and clone."""

import os
import re
from pathlib import Path

import pytest
from exchanges import add, left_over, listing, objects, refs, registered, sound, state
from git_peers import commit, run_git
from pack_making import pack, whole

from capsulestore.errors import FileProblem, NoCapsuleStore, RemoteProblem, RemoteRefused, RemoteUnreachable, UsageError
from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject
from capsulestore.sync.bundle import BundleFile, write_bundle
from capsulestore.sync.clone import clone
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.pull import pull
from capsulestore.sync.push import push

pytest_plugins = ["exchange_fixtures"]

MAIN = "refs/heads/main"


@pytest.fixture
def two(ours) -> list[Digest]:
    """Two capsules, the second with a tag and a statement."""
    capsules = [add(ours, title, environment=title) for title in ("first", "second")]
    ours.tags.set("paper", capsules[1])
    state(ours, capsules[1])
    return capsules


@pytest.fixture
def bundle(ours, two, tmp_path) -> Path:
    write_bundle(ours, str(tmp_path / "all.bundle"))
    return tmp_path / "all.bundle"


def of(path: Path, store) -> BundleFile:
    return BundleFile(str(path), LIMITS, store.index.has_commit)


def taken(path: Path, store):
    return pull(store, of(path, store), named=False)


def cloned_by_git(path: Path) -> Path:
    where = path.with_suffix(".git")
    run_git(path.parent, "clone", "-q", "--bare", str(path), str(where))
    return where


def test_git_verifies_and_clones_one_of_all(ours, two, tmp_path):
    path = tmp_path / "all.bundle"
    written = write_bundle(ours, str(path))
    assert (written.tip, written.capsules, written.tags) == (ours.tip, tuple(two), ("paper",))
    assert (written.objects, written.bytes) == (len(objects(ours.path)), path.stat().st_size)
    assert "The bundle records a complete history." in run_git(Path(ours.path), "bundle", "verify", str(path))
    clone = cloned_by_git(path)
    assert (refs(clone), objects(clone)) == (refs(ours.path), objects(ours.path))
    sound(clone)


def test_git_verifies_and_clones_one_of_chosen_capsules(ours, two, tmp_path):
    path = tmp_path / "chosen.bundle"
    written = write_bundle(ours, str(path), [two[1]])
    assert (written.capsules, written.tags) == ((two[1],), ("paper",))
    run_git(Path(ours.path), "bundle", "verify", str(path))
    clone = cloned_by_git(path)
    assert refs(clone) == {MAIN: str(written.tip), "refs/tags/paper": str(two[1])}
    assert str(two[0]) not in objects(clone)
    assert len(registered(clone)) == 2
    sound(clone)


def test_the_same_capsules_are_the_same_bundle(ours, two, bundle, tmp_path):
    for name, chosen in (("again", None), ("chosen", two), ("chosen-again", two)):
        write_bundle(ours, str(tmp_path / name), chosen)
    assert bundle.read_bytes() == (tmp_path / "again").read_bytes()
    assert (tmp_path / "chosen").read_bytes() == (tmp_path / "chosen-again").read_bytes()


def test_one_is_pulled_from_and_the_second_time_there_is_nothing(ours, theirs, two, bundle):
    add(theirs, "theirs")
    received = taken(bundle, theirs)
    assert (received.capsules, received.tags) == (tuple(two), ("paper",))
    assert registered(theirs.path) > registered(ours.path)
    before = listing(theirs.path)
    assert not taken(bundle, theirs).new
    assert listing(theirs.path) == before
    sound(theirs.path)


def test_one_is_cloned_from(ours, two, bundle, tmp_path):
    path, received = clone(str(tmp_path / "clone"), lambda store: taken(bundle, store))
    assert received.capsules == tuple(two)
    assert refs(path) == refs(ours.path)
    sound(path)


def test_one_that_git_made_is_pulled_from(ours, theirs, two, tmp_path):
    run_git(Path(ours.path), "bundle", "create", "-q", str(tmp_path / "gits.bundle"), "main", "paper")
    assert taken(tmp_path / "gits.bundle", theirs).capsules == tuple(two)
    assert refs(theirs.path) == refs(ours.path)


def test_one_that_goes_on_from_another_needs_it(ours, theirs, two, bundle, tmp_path):
    before = str(ours.tip)
    third = add(ours, "third")
    run_git(Path(ours.path), "bundle", "create", "-q", str(tmp_path / "more.bundle"), f"{before}..main")
    empty = listing(theirs.path)
    with pytest.raises(NoCapsuleStore, match=f"it goes on from {before}, which is not here"):
        taken(tmp_path / "more.bundle", theirs)
    assert listing(theirs.path) == empty
    taken(bundle, theirs)
    assert taken(tmp_path / "more.bundle", theirs).capsules == (third,)
    sound(theirs.path)


def places(size: int, count: int) -> set[int]:
    return {number * (size - 1) // (count - 1) for number in range(count)}


@pytest.mark.parametrize("count", [12, pytest.param(600, marks=pytest.mark.slow)], ids=["some", "many"])
@pytest.mark.parametrize("how", ["cut", "changed"])
def test_one_that_is_damaged_anywhere_is_refused_and_nothing_of_it_is_visible(theirs, bundle, count, how):
    """But for the name of a ref, which is as good as any, and `HEAD`, which is for git alone."""
    whole_one = bundle.read_bytes()
    free = re.compile(rb"(?m)^[0-9a-f]{64} HEAD$|(?<=^[0-9a-f]{64} )refs/.+$")
    passed_over = {place for found in free.finditer(whole_one) for place in range(*found.span()) if how == "changed"}
    add(theirs, "theirs")
    before = listing(theirs.path)
    for place in places(len(whole_one), count) - passed_over:
        changed = bytes([whole_one[place] ^ 0x01])
        bundle.write_bytes(whole_one[:place] + (changed + whole_one[place + 1 :] if how == "changed" else b""))
        with pytest.raises(RemoteProblem) as caught:
            taken(bundle, theirs)
        assert caught.value.message.startswith(f"`{bundle}`: ")
        assert "\n" not in caught.value.message
        assert listing(theirs.path) == before
    bundle.write_bytes(whole_one)
    assert len(taken(bundle, theirs).capsules) == 2
    sound(theirs.path)


@pytest.mark.parametrize(
    ("refs_of", "reason"),
    [
        (lambda tip: {"refs/heads/../main": tip}, "which git has no place for"),
        (lambda _: {MAIN: "1" * 64}, "was neither sent nor is here"),
        (lambda tip: {MAIN: tip, "refs/heads/main/x": tip}, "as if it were a directory"),
    ],
    ids=["a name with dots", "an object that is not in it", "a name that is a directory"],
)
def test_one_that_lies_is_refused(theirs, tmp_path, refs_of, reason):
    tree = GitObject("tree", b"")
    made = b"tree %b\nauthor A <> 1 +0000\ncommitter A <> 1 +0000\n\njoin\n" % str(tree.id).encode()
    tip = GitObject("commit", made)
    lines = "".join(f"{value if isinstance(value, str) else value.id} {name}\n" for name, value in refs_of(tip).items())
    path = tmp_path / "lies.bundle"
    path.write_bytes(f"# v3 git bundle\n@object-format=sha256\n{lines}\n".encode() + pack(whole(tip), whole(tree)))
    before = listing(theirs.path)
    with pytest.raises(RemoteProblem, match=reason):
        taken(path, theirs)
    assert listing(theirs.path) == before


def test_what_is_no_bundle_of_ours_is_refused(theirs, tmp_path):
    (tmp_path / "text").write_text("# v3 git\n")
    run_git(tmp_path, "init", "-q", "sha1")
    other = tmp_path / "sha1"
    run_git(other, "update-ref", "refs/heads/main", commit(other, "of SHA-1"))
    run_git(other, "bundle", "create", "-q", "../sha1.bundle", "main")
    for name, problem in (("text", NoCapsuleStore), ("sha1.bundle", NoCapsuleStore), ("sha1", RemoteUnreachable)):
        with pytest.raises(problem, match=f"^`{tmp_path / name}`: "):
            taken(tmp_path / name, theirs)
    with pytest.raises(RemoteRefused, match="it is a bundle"):
        push(theirs, of(tmp_path / "text", theirs))


def test_a_file_that_cannot_be_read_to_its_end_is_named(theirs):
    """The kernel gives no first byte of the memory of a process."""
    with pytest.raises(RemoteUnreachable, match=r"^`/proc/self/mem`: it cannot be read: "):
        taken(Path("/proc/self/mem"), theirs)


def test_a_file_that_was_there_is_replaced_when_the_new_one_is_whole(ours, two, tmp_path):
    path, link = tmp_path / "a.bundle", tmp_path / "link"
    path.write_bytes(b"before")
    link.symlink_to(path.name)
    write_bundle(ours, str(link))
    assert link.is_symlink()
    run_git(Path(ours.path), "bundle", "verify", str(path))
    assert sorted(name for name in os.listdir(tmp_path) if "bundle" in name) == ["a.bundle"]


@pytest.mark.parametrize("place", ["/dev/null", "directory", "nowhere/a.bundle", "file/a.bundle"])
def test_where_no_file_can_be_written_that_is_told_and_nothing_is_left(ours, two, tmp_path, place):
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").write_bytes(b"stays")
    before = listing(tmp_path)
    with pytest.raises(FileProblem, match="cannot write the bundle"):
        write_bundle(ours, os.path.join(tmp_path, place))
    assert listing(tmp_path) == before
    assert Path("/dev/null").is_char_device()


def test_of_nothing_there_is_no_bundle(ours, tmp_path):
    with pytest.raises(UsageError, match="there is no capsule"):
        write_bundle(ours, str(tmp_path / "a.bundle"))
    assert not (tmp_path / "a.bundle").exists()
    assert left_over(ours.path) == []
