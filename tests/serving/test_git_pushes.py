"""What a push to a store that is served may do, and what it is told where it may not: all of it is done, or nothing."""

import subprocess
import zlib

import pytest
from exchanges import objects
from git_peers import commit, make_bare, run_git, sound
from pack_making import copy, delta, delta_by_place, finished, head, pack, whole
from remote_exchanges import MAIN, NO_OBJECT, Heard, pack_of, pushed, remote_of, tip
from shelf_objects import alone, capsule, objects_of, tree_of
from shelf_objects import commit as commit_of

from capsulestore.errors import RemoteRefused
from capsulestore.model.digest import Digest
from capsulestore.model.objects import GitObject
from capsulestore.sync.remote import Update

pytest_plugins = ["remote_fixtures"]
pytestmark = pytest.mark.parametrize("way", ["served"], indirect=True)

NO_OTHER_REFS = "declined: a store of capsules takes its branch `main` and new tags, and no other refs"
NO_DIRECTORY = "declined: a tag cannot be called as others are, and a `/` after it"


@pytest.fixture
def tagged(filled, history):
    """The store with a capsule called `paper/1`."""
    run_git(filled.repository, "update-ref", "refs/tags/paper/1", f"{history.first}^{{tree}}")
    return filled


def refs(repository) -> str:
    return run_git(repository, "for-each-ref")


def tree_at(repository, name) -> Digest:
    return Digest(run_git(repository, "rev-parse", f"{name}^{{tree}}"))


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ("refs/heads/topic", NO_OTHER_REFS),
        ("refs/notes/commits", NO_OTHER_REFS),
        ("refs/capsules/last", "deny updating a hidden ref"),
        ("refs/capsules/sent/origin", "deny updating a hidden ref"),
        ("refs/remotes/origin/main", "deny updating a hidden ref"),
        ("refs/tags/c0ffee", "declined: `c0ffee` could be a digest, and so cannot be a tag"),
        ("refs/tags/@", "declined: `@` cannot be a tag"),
        ("refs/tags/paper", NO_DIRECTORY),
        ("refs/tags/paper/1/draft", NO_DIRECTORY),
        ("refs/tags/paper/1", "already exists"),
    ],
)
def test_no_other_refs_are_made(tagged, history, ref, reason):
    before = refs(tagged.repository), objects(tagged.repository)
    update = Update(ref, None, history.other if ref.endswith("main") else tree_at(history.repository, history.other))
    assert pushed(tagged, pack_of(history.repository, history.other), update).refusals == {ref: reason}
    assert (refs(tagged.repository), objects(tagged.repository)) == before
    sound(tagged.repository)


def test_a_tag_neither_moves_nor_goes_away(tagged, history):
    here, there = (tree_at(history.repository, name) for name in (history.first, history.second))
    ref = "refs/tags/paper/1"
    assert pushed(tagged, pack_of(history.repository, there), Update(ref, here, there)).refusals == {
        ref: "declined: a tag never moves"
    }
    assert pushed(tagged, b"", Update(ref, here, NO_OBJECT)).refusals == {ref: "deletion prohibited"}
    assert run_git(tagged.repository, "rev-parse", ref) == here.hex


def test_tags_are_taken_with_and_without_what_they_name(empty, history):
    there = tree_at(history.repository, history.first)
    updates = [Update(MAIN, None, history.second), Update("refs/tags/paper/1", None, there)]
    assert pushed(empty, pack_of(history.repository, history.second), *updates).refusals == {}
    # Nothing new has to come for another, nor for the same once more.
    for name in ("paper/2", "paper/1"):
        assert pushed(empty, pack(), Update(f"refs/tags/{name}", None, there)).refusals == {}
    assert run_git(empty.repository, "tag", "--list").split() == ["paper/1", "paper/2"]
    sound(empty.repository)


def test_what_was_forgotten_is_taken(filled):
    blob = GitObject("blob", b"a list")
    update = Update("refs/capsules/forgotten", None, blob.id)
    assert pushed(filled, pack(whole(blob)), update).refusals == {}
    assert remote_of(filled).push(lambda _: None).advertised.refs["refs/capsules/forgotten"] == blob.id
    sound(filled.repository)


def test_what_is_refused_for_one_ref_is_refused_for_all(filled, history):
    third = Digest(commit(history.repository, "third", history.second.hex))
    before = refs(filled.repository), objects(filled.repository)
    for bad, reason in (("refs/heads/topic", NO_OTHER_REFS), ("refs/capsules/last", "deny updating a hidden ref")):
        updates = [Update(MAIN, history.second, third), Update(bad, None, third)]
        answer = pushed(filled, pack_of(history.repository, third, f"^{history.second}"), *updates)
        assert answer.refusals == {MAIN: "atomic push failure", bad: reason}
    assert (refs(filled.repository), objects(filled.repository)) == before


def test_a_push_that_lacks_objects_is_refused(empty, history):
    pack = pack_of(history.repository, history.second, f"^{history.first}")
    with pytest.raises(RemoteRefused, match="did not receive expected object"):
        pushed(empty, pack, Update(MAIN, None, history.second))
    assert objects(empty.repository) == set()


def test_a_repository_of_something_else_is_refused(empty, tmp_path):
    sources = make_bare(tmp_path / "sources.git")
    first = Digest(commit(sources, "first"))
    answer = pushed(empty, pack_of(sources, first), Update(MAIN, None, first))
    assert answer.refusals == {MAIN: "declined: nothing of what was sent is a capsule"}
    assert objects(empty.repository) == set()


def test_what_is_no_sound_capsule_is_refused_by_its_name_and_nobody_sees_it(filled, history):
    wrong = capsule("a title")
    manifest = next(value for value in wrong.objects.values() if value.kind == "blob" and b"a title" in value.data)
    spaced = GitObject("blob", manifest.data.replace(b":", b": "))
    environment = next(value for value in wrong.objects.values() if value.id.hex.encode() in manifest.data)
    tree = tree_of(**{"capsule.json": spaced, "environment": alone(environment, *wrong.objects.values())})
    new = commit_of(tree.id, history.second)
    before = objects(filled.repository)
    given = pack(*map(whole, objects_of(new, tree).values()))
    reason = pushed(filled, given, Update(MAIN, history.second, new.id)).refusals[MAIN]
    assert reason.startswith("declined: object ")
    assert tree.id.hex in reason or spaced.id.hex in reason
    assert (tip(filled.repository), objects(filled.repository)) == (history.second, before)
    sound(filled.repository)


def zeros(size: int) -> bytes:
    stream = zlib.compressobj(9)
    return head(3, size) + b"".join(stream.compress(bytes(2**20)) for _ in range(size // 2**20)) + stream.flush()


def test_an_object_that_is_too_large_is_refused(filled, history):
    """As large as no object of a store is, in a hundred kilobytes."""
    new = commit_of(capsule().id, history.second)
    given = pack(zeros(2**26 + 2**20), *map(whole, objects_of(new, capsule()).values()))
    reason = pushed(filled, given, Update(MAIN, history.second, new.id)).refusals[MAIN]
    assert reason.startswith("declined: the object at byte 12 unpacks to")
    assert tip(filled.repository) == history.second


def test_a_delta_that_makes_gigabytes_of_a_little_is_refused(filled, history):
    base = whole(GitObject("blob", bytes(2**16)))
    bomb = delta(2**16, 2**33, *[copy(0, 2**16)] * 29)
    given = pack(base, delta_by_place(len(base), bomb))
    with pytest.raises(RemoteRefused, match="could not take what it was sent"):
        pushed(filled, given, Update(MAIN, history.second, history.other))
    sound(filled.repository)


@pytest.mark.parametrize(
    "given", [b"", b"no pack", finished(b"PACK\0\0\0\2\0\0\0\5"), pack(whole(GitObject("blob", b"x")) * 2)]
)
def test_what_is_no_pack_is_refused(filled, history, given):
    with pytest.raises(RemoteRefused):
        pushed(filled, given, Update(MAIN, history.second, history.other))
    assert tip(filled.repository) == history.second


def test_a_pusher_reads_why_in_git_s_own_words(filled, tmp_path):
    run_git(tmp_path, "clone", "-q", filled.url, "clone")
    done = subprocess.run(
        ["git", "-C", tmp_path / "clone", "push", "origin", "main~1:main", "main:topic", "--force"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "! [remote rejected] main -> topic (declined: a store of capsules takes its branch" in done.stderr
    sound(filled.repository)


def test_progress_and_complaints_of_git_reach_the_pusher(filled, history):
    tree = run_git(history.repository, "mktree", given=b"")
    bad = GitObject("commit", f"tree {tree}\nauthor nobody\n\nx".encode())
    heard = Heard()
    with pytest.raises(RemoteRefused, match="could not take"):
        pushed(filled, pack(whole(bad)), Update(MAIN, history.second, bad.id), progress=heard)
    assert "fsck error in packed object" in heard.text
