"""What moving stores is measured with: stores that are made by the thousand, and what counts the bytes."""

import subprocess
import sys
from pathlib import Path

from exchanges import remote_at, sound

from capsulestore.model.mapping import decode_mapping
from capsulestore.store import Store
from capsulestore.sync.clone import clone
from capsulestore.sync.pull import pull

HOME = Path(__file__).parents[1] / "benchmarks"


def make(*arguments):
    subprocess.run([sys.executable, "-I", HOME / "stores.py", *map(str, arguments)], check=True)


def environments(store):
    """Return the environments of the capsules by their digests, oldest first."""
    digests = [registered.environment for registered in reversed(store.index.capsules())]
    return {digest: decode_mapping(digest, store.read) for digest in digests}


def test_a_store_that_is_made_has_capsules_as_others_have(tmp_path):
    make(tmp_path / "made", 25)
    with Store(str(tmp_path / "made")) as store:
        capsules = [store.capsule(registered.digest) for registered in store.index.capsules()]
        assert len({capsule.context for capsule in capsules}) == len(capsules) == 25
        first, second, third = environments(store).values()
        assert len(first["python"]["packages"]) == 60
        for one, other in ((first, second), (second, third)):
            pairs = zip(one["python"]["packages"].items(), other["python"]["packages"].items(), strict=True)
            assert sum(a != b for a, b in pairs) == 3
        assert store.last() == store.index.capsules()[0].digest
        sound(store.path)
        # Where each object is looked at.
        received = clone(str(tmp_path / "cloned"), lambda new: pull(new, remote_at(store.path)))[1]
        assert len(received.capsules) == 25


def test_a_store_that_was_made_is_given_more_with_an_environment_of_choice(tmp_path):
    make(tmp_path, 12)
    make(tmp_path, 13, 0)
    with Store(str(tmp_path)) as store:
        newest, *_, oldest = store.index.capsules()
        assert len(store.index.capsules()) == 13
        assert newest.environment == oldest.environment
        make(tmp_path, 14, 7)
        assert len(environments(store)) == 3


def test_all_bytes_are_counted_in_both_directions(tmp_path):
    make(tmp_path, 10)
    repository = tmp_path / ".capsules"
    nothing_wanted = b"0000"
    serve = ["git", "upload-pack", repository]
    said = subprocess.run(serve, input=nothing_wanted, capture_output=True, check=True).stdout
    counter = f"{sys.executable} -I -S {HOME / 'wire.py'} {tmp_path / 'count'}"
    subprocess.run(
        ["git", "-c", "protocol.version=0", "ls-remote", f"ssh://nowhere{repository}"],
        env={"GIT_SSH_COMMAND": counter, "GIT_SSH_VARIANT": "simple", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    assert int((tmp_path / "count").read_text("ascii")) == len(said + nothing_wanted)
