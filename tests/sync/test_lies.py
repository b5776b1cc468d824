"""A remote that lies: what it sends is refused in one line that names it, and the store is as it was.

The remotes are real repositories, in which somebody has written what no store would write.
"""

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from exchanges import add, listing, pull_from, push_to, refs, remote_at, sound, state
from git_peers import run_git

from capsulestore.errors import RemoteMisbehaved, RemoteProblem
from capsulestore.model.digest import Digest
from capsulestore.sync.clone import clone
from capsulestore.sync.limits import LIMITS, Limits
from capsulestore.sync.pull import pull

pytest_plugins = ["exchange_fixtures"]

MAIN = "refs/heads/main"


@pytest.fixture
def refused(hub, ours, tmp_path) -> Callable[..., str]:
    """Pull from the hub, and clone it, which both fail and change nothing; return why."""
    ours.tags.set("ours", add(ours, "ours"))

    def refused(problem: type[RemoteProblem] = RemoteMisbehaved, limits: Limits = LIMITS) -> str:
        before = listing(ours.path)
        reasons = []
        for attempt in (
            lambda: pull(ours, remote_at(hub, limits=limits), limits=limits),
            lambda: clone(str(tmp_path / "clone"), lambda new: pull(new, remote_at(hub, limits=limits), limits=limits)),
        ):
            with pytest.raises(problem) as caught:
                attempt()
            assert caught.value.message.startswith(f"`origin` ({remote_at(hub).shown}): ")
            assert "\n" not in caught.value.message
            reasons.append(caught.value.reason)
        assert listing(ours.path) == before
        assert not (tmp_path / "clone").exists()
        sound(ours.path)
        return reasons[0]

    return refused


def blob(hub: Path, data: bytes) -> str:
    return run_git(hub, "hash-object", "-w", "--stdin", given=data)


def tree(hub: Path, **entries: str) -> str:
    """A tree of objects that are there already, by name; an underscore stands for a dot."""
    lines = []
    for name, entry in entries.items():
        kind = run_git(hub, "cat-file", "-t", entry)
        lines.append(f"{'040000' if kind == 'tree' else '100644'} {kind} {entry}\t{name.replace('_', '.')}")
    return run_git(hub, "mktree", given="\n".join([*lines, ""]).encode())


def on_main(hub: Path, tree: str, *parents: str) -> str:
    options = [option for parent in parents for option in ("-p", parent)]
    commit = run_git(hub, "commit-tree", tree, *options, "-m", "a lie")
    run_git(hub, "update-ref", MAIN, commit)
    return commit


@pytest.fixture
def theirs_on_hub(hub, theirs) -> Digest:
    """A sound capsule, with a statement, that is on the hub."""
    capsule = add(theirs, "theirs", environment="theirs")
    state(theirs, capsule)
    push_to(hub, theirs)
    return capsule


def manifest_of(hub: Path, capsule: Digest) -> dict:
    return json.loads(run_git(hub, "cat-file", "blob", f"{capsule}:capsule.json"))


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def test_a_capsule_that_is_not_canonical(hub, theirs_on_hub, refused):
    manifest = json.dumps(manifest_of(hub, theirs_on_hub), indent=1).encode()
    environment = run_git(hub, "rev-parse", f"{theirs_on_hub}:environment")
    lie = tree(hub, capsule_json=blob(hub, manifest), environment=environment)
    on_main(hub, lie, str(refs(hub)[MAIN]))
    assert lie in refused()


def test_a_capsule_that_names_another_environment(hub, theirs_on_hub, refused):
    manifest = manifest_of(hub, theirs_on_hub) | {"environment_digest": "1" * 64}
    environment = run_git(hub, "rev-parse", f"{theirs_on_hub}:environment")
    lie = tree(hub, capsule_json=blob(hub, canonical(manifest)), environment=environment)
    on_main(hub, lie)
    assert lie in refused()


def test_an_environment_with_a_value_that_is_not_canonical(hub, theirs_on_hub, refused):
    layer = tree(hub, rules_json=blob(hub, b"1 "))
    environment = tree(hub, python=layer)
    manifest = manifest_of(hub, theirs_on_hub) | {"environment_digest": environment}
    on_main(hub, tree(hub, capsule_json=blob(hub, canonical(manifest)), environment=environment))
    assert f"`environment/python/rules.json` of {run_git(hub, 'rev-parse', f'{MAIN}^{{tree}}')}" in refused()


def test_a_statement_about_another_capsule_than_lies_beside_it(hub, theirs_on_hub, refused):
    subject = [{"name": "a capsule", "digest": {"gitTree": "1" * 64}}]
    statement = {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": "x:y"}
    lie = tree(hub, statement_json=blob(hub, canonical(statement)), subject=str(theirs_on_hub))
    on_main(hub, lie)
    assert lie in refused()


def lose(hub: Path, name: str) -> None:
    """Have the hub say nothing of what it lacks: what somebody who means harm would serve."""
    Path(hub, "objects", name[:2], name[2:]).unlink()


@pytest.mark.parametrize("what", ["^{tree}", ":environment", ":capsule.json", ":environment/python/rules.json"])
def test_a_commit_of_which_a_part_is_missing(hub, theirs_on_hub, refused, what):
    lose(hub, run_git(hub, "rev-parse", f"{theirs_on_hub}{what}".removesuffix("^{tree}")))
    refused(RemoteProblem)


@pytest.mark.parametrize("what", [":capsule.json", ":environment"])
def test_another_object_under_an_id(hub, theirs_on_hub, refused, what):
    """Sound in itself; git sends what lies there, and its own checks come too late for us."""
    name = run_git(hub, "rev-parse", f"{theirs_on_hub}{what}")
    path = Path(hub, "objects", name[:2], name[2:])
    other = b"blob 2\0{}" if what == ":capsule.json" else b"tree 0\0"
    path.chmod(0o644)
    path.write_bytes(zlib.compress(other))
    refused(RemoteProblem)


def test_a_rolled_back_tip_takes_nothing_away(hub, ours):
    add(ours, "first")
    push_to(hub, ours)
    old = refs(hub)[MAIN]
    ours.tags.set("paper", add(ours, "second"))
    push_to(hub, ours)
    run_git(hub, "update-ref", MAIN, old)
    run_git(hub, "update-ref", "refs/tags/paper", run_git(hub, "rev-parse", f"{MAIN}^{{tree}}"))
    before = refs(ours.path)
    received = pull_from(hub, ours)
    assert (received.new, received.kept_tags) == (False, ("paper",))
    assert refs(ours.path) == before


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(object_bytes=2**20), "unpacks to 2097152 bytes; 1048576 is the most"),
        (Limits(unpacked_bytes=2**21), "a pack that unpacks to more than 2097152 bytes"),
        (Limits(pack_bytes=500), "500 bytes"),
        (Limits(objects=3), "a pack of 4 objects; 3 is the most"),
    ],
    ids=["one object", "all of them", "on the wire", "many"],
)
def test_a_pack_bomb(hub, refused, limits, reason):
    on_main(hub, tree(hub, zeros=blob(hub, bytes(2**21)), more=blob(hub, b"x")))
    assert reason in refused(limits=limits)


@pytest.mark.parametrize("name", ["refs/heads/../../config", "refs/tags/..", "refs/tags/a.lock", "refs/tags/a b"])
def test_a_ref_with_a_name_that_leads_elsewhere(hub, theirs_on_hub, refused, name):
    packed = Path(hub, "packed-refs")
    packed.write_text(f"{refs(hub)[MAIN]} {name}\n")
    refused(RemoteProblem)


def test_a_branch_that_is_no_commit(hub, theirs_on_hub, refused):
    Path(hub, MAIN).write_text(f"{theirs_on_hub}\n")
    assert f"object {theirs_on_hub}, which `{MAIN}` names, is a tree, where a commit should be" in refused()


def test_a_tag_on_a_lie_keeps_all_back(hub, theirs_on_hub, refused):
    lie = tree(hub, capsule_json=blob(hub, b"{}"), environment=tree(hub))
    run_git(hub, "update-ref", "refs/tags/lie", lie)
    assert lie in refused()
