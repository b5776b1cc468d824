"""A process that an analysis forks or starts registers nothing in its place, and may record its own."""

import pytest

pytestmark = pytest.mark.slow

FORK = """
import os, sys
from capsulestore import record
with record("outer") as run:
    child = os.fork()
    if child == 0:
        run.parameters["of"] = "the child"
        {leaves}
    else:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == {status}
        run.parameters["of"] = "the parent"
if child == 0:
    assert run.capsule_id is None
"""

LEAVES = {"by the end of the block": ("pass", 0), "by sys.exit": ("sys.exit(3)", 3), "at once": ("os._exit(4)", 4)}


@pytest.mark.parametrize(("leaves", "status"), LEAVES.values(), ids=LEAVES)
def test_a_fork_within_an_analysis_registers_nothing(leaves, status, project):
    project.script(FORK.format(leaves=leaves, status=status))
    assert project.manifest()["parameters"] == {"of": "the parent"}


def test_a_fork_records_what_it_begins_itself(project):
    leaves = "exec('with record(\"inner\", parameters={1: 1}): pass')"
    project.script(FORK.format(leaves=leaves, status=0))
    inner, outer = project.manifests()
    assert (inner["title"], outer["title"]) == ("inner", "outer")


POOL = """
import multiprocessing
from capsulestore import record
from capsulestore.agent import current

@record("fit")
def fit(n):
    return n, current().parameters

if __name__ == "__main__":
    with record("outer") as run, multiprocessing.get_context({method!r}).Pool(2) as pool:
        assert pool.map(fit, range(4)) == [(n, {{"n": n}}) for n in range(4)]
        run.parameters["done"] = True
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_what_a_pool_of_processes_calls_is_recorded_there_and_what_uses_it_here(method, project):
    project.script(POOL.format(method=method))
    *inner, outer = project.manifests()
    assert sorted(one["parameters"]["n"] for one in inner) == [0, 1, 2, 3]
    assert outer["parameters"] == {"done": True}
    assert {one["entry_point"] for one in [*inner, outer]} <= {"fit.py"}
