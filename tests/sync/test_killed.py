"""A push, a pull, a clone or a bundle that comes to grief at any moment: nothing is half there, and the next one works.

Moments are those just before a file or directory is changed, and those in which bytes or objects go over.
"""

import itertools
import re
import shutil
import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from exchangers import Ended, Job, run
from exchanges import add, left_over, push_to, sound
from git_peers import make_bare, run_git

from capsulestore.store import Store

pytest_plugins = ["exchange_fixtures"]

WELL = Ended(0, "")
STEP, AT_A_TIME = 4, 10
OPERATIONS = ("push", "pull", "clone", "bundle")
ERRORS = {"FileProblem", "RemoteRefused", "RemoteUnreachable", "StoreUnwritable"}


@dataclass(frozen=True)
class Place:
    """A directory with a store, `ours`, and a repository, `hub.git`; each has a capsule that the other lacks."""

    directory: Path

    @property
    def ours(self) -> Path:
        return self.directory / "ours" / ".capsules"

    @property
    def hub(self) -> Path:
        return self.directory / "hub.git"

    @property
    def bundle(self) -> Path:
        return self.directory / "all.bundle"

    @property
    def cloned(self) -> Path:
        return self.directory / "clone" / ".capsules"

    def job(self, operation: str) -> Job:
        other = {"bundle": self.bundle}.get(operation, self.hub)
        store = {"clone": self.cloned.parent}.get(operation, self.ours)
        return Job(operation, str(store), str(other))

    def visible(self) -> set[str]:
        """What anybody sees: the refs that travel, with what they hold, and whether there are a clone and a bundle."""
        found = {str(path.relative_to(self.directory)) for path in (self.cloned, self.bundle) if path.exists()}
        for path in (*self.directory.glob("*/refs/*/*"), *self.directory.glob("*/.capsules/refs/[ht]*/*")):
            if path.suffix != ".lock":
                found.add(f"{path.relative_to(self.directory)} {path.read_text()}")
        return found

    def left_over(self) -> list[str]:
        """What the next success should have removed; unfinished objects, known by their names, are for git's gc."""
        beside = [path.name for path in self.directory.glob("**/*.draft")]
        found = left_over(self.ours) + left_over(self.hub)
        return beside + [path for path in found if not re.fullmatch("objects/.*/tmp_obj_.*", path)]

    def assert_done(self, operation: str) -> None:
        """Assert that the operation has done what it should, and all that it takes is there."""
        if operation == "bundle":
            run_git(self.ours, "bundle", "verify", "-q", str(self.bundle))
        else:
            target = {"push": self.hub, "pull": self.ours, "clone": self.cloned}[operation]
            titles = {"clone": {"there"}}.get(operation, {"here", "there", "join"})
            assert set(run_git(target, "log", "--format=%s", "main").splitlines()) == titles
            run_git(target, "rev-list", "--objects", "--quiet", "--all")


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Place:
    place = Place(tmp_path_factory.mktemp("original"))
    make_bare(place.hub, receive__fsckObjects="true")
    place.ours.parent.mkdir()
    with Store.init(str(place.ours.parent)) as ours, Store.init(str(place.directory / "theirs")) as theirs:
        theirs.tags.set("there", add(theirs, "there", environment="there"))
        push_to(place.hub, theirs)
        ours.tags.set("here", add(ours, "here", environment="here"))
    return place


@dataclass(frozen=True)
class Grief:
    """A copy of the original place in which an operation came to grief."""

    operation: str
    place: Place
    ended: Ended


def come_to_grief(original: Place, directory: Path, operations: Iterable[str], **how: Iterable[int]) -> list[Grief]:
    """Do operations, each again and again, each time in a copy of the place; return those that did not succeed.

    `how` says when a process dies, or how large its files may get: of one number after the other.
    """
    jobs: list[Job] = []
    places: list[Place] = []
    ((what, numbers),) = how.items()
    for operation, number in itertools.product(operations, numbers):
        places.append(Place(directory / f"{operation}-{number}"))
        shutil.copytree(original.directory, places[-1].directory)
        jobs.append(replace(places[-1].job(operation), **{what: number}))
    ended = zip(jobs, places, run(jobs), strict=True)
    return [Grief(job.do, place, one) for job, place, one in ended if one != WELL]


def assert_recovered(original: Place, all_grief: list[Grief]) -> None:
    """Assert that nothing is half there, and that after the next success, and the next capsule, nothing is left over.

    A tag may be still to come where all else is there.
    """
    before = original.visible()
    for one in all_grief:
        if one.place.visible() != before:
            one.place.assert_done(one.operation)
        if one.operation == "clone":
            shutil.rmtree(one.place.cloned, ignore_errors=True)
    again = [one.place.job(one.operation) for one in all_grief]
    adds = [Job("add", str(one.place.ours), titles=["after"]) for one in all_grief]
    assert set(run([*again, *adds])) == {WELL}
    for one in all_grief:
        assert one.place.left_over() == []
    for one in all_grief:
        run_git(one.place.ours, "update-ref", "refs/heads/main", "main~")
        one.place.assert_done(one.operation)
    sound(all_grief[0].place.hub, all_grief[-1].place.hub)


def test_killed_at_some_moments(original, tmp_path):
    killed = come_to_grief(original, tmp_path, OPERATIONS, dies_at=(8, 30))
    assert {one.ended for one in killed} == {Ended(-signal.SIGKILL, "")}
    assert {one.operation for one in killed} == set(OPERATIONS)
    assert_recovered(original, killed)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_all_the_way_through(original, tmp_path, operation):
    killed: list[Grief] = []
    for first in itertools.count(1, STEP * AT_A_TIME):
        some = come_to_grief(original, tmp_path, [operation], dies_at=range(first, first + STEP * AT_A_TIME, STEP))
        killed += some
        if len(some) < AT_A_TIME:
            break
    assert {one.ended for one in killed} == {Ended(-signal.SIGKILL, "")}
    assert_recovered(original, killed)


@pytest.mark.slow
def test_interrupted_at_many_moments(original, tmp_path):
    interrupted = come_to_grief(original, tmp_path, OPERATIONS, interrupted_at=range(2, 100, 20))
    assert {one.ended for one in interrupted} == {Ended(130, "")}
    assert {one.operation for one in interrupted} == set(OPERATIONS)
    assert_recovered(original, interrupted)


@pytest.mark.slow
def test_on_a_full_disk_it_is_an_error_of_ours_and_the_next_one_works(original, tmp_path):
    """As far as a process can be told that no file of its own, or of those that it starts, may grow any more."""
    failed = come_to_grief(original, tmp_path, OPERATIONS, limit=(0, 100, 300, 1000, 3000))
    assert {one.operation for one in failed} == set(OPERATIONS)
    for one in failed:
        assert one.ended.error.partition(":")[0] in ERRORS
        assert one.place.visible() == original.visible()
    assert_recovered(original, failed)
