"""Recording leaves an analysis as it is: its variables, threads, memory; and calls nothing one that is none."""

import asyncio
import functools
import gc
import logging
import os
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from capsulestore import record
from capsulestore.agent import current
from capsulestore.errors import UsageError

SETS_FOR_A_CHILD = """
import os
from capsulestore import record
from capsulestore.artifact_registry import list_capsules
with record("before"):
    pass
with record("after"):
    os.environ["PYTHONPATH"] = "elsewhere"
    os.environ["PYTHONHOME"] = "/nowhere"
first, second = (one["environment_digest"] for one in list_capsules())
print(first == second)
"""


@pytest.mark.slow
def test_variables_that_python_reads_at_its_start_are_those_of_the_start(project):
    project.write("elsewhere/ghost-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: ghost\nVersion: 1.0\n")
    assert project.script(SETS_FOR_A_CHILD).out == "True\n"


def test_no_variable_is_another_afterwards(store, quickly):
    before = dict(os.environ)
    with record("fit", **quickly):
        pass
    assert dict(os.environ) == before


def test_where_all_threads_of_the_loop_wait_for_recorded_coroutines_these_begin(store, quickly, recorded):
    @record("fit", **quickly)
    async def fit(n):
        return n

    async def analysis():
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(2))
        waiting = [
            asyncio.to_thread(lambda n=n: asyncio.run_coroutine_threadsafe(fit(n), loop).result()) for n in range(2)
        ]
        return await asyncio.gather(*waiting)

    assert asyncio.run(asyncio.wait_for(analysis(), 60)) == [0, 1]
    assert len(recorded()) == 2


def test_blocks_that_overlap_are_each_current_as_long_as_they_last(store, quickly):
    first, second = record("first", **quickly), record("second", **quickly)
    first.__enter__()
    later = second.__enter__()
    first.__exit__(None, None, None)
    assert current() is later
    second.__exit__(None, None, None)
    assert current() is None


class Large:
    """What a call is given."""


def test_what_a_call_was_given_is_not_held(store, quickly):
    @record("fit", **quickly)
    def fit(data):
        return None

    data = Large()
    seen = weakref.ref(data)
    fit(data)
    del data
    gc.collect()
    assert seen() is None
    assert list(fit.recording.parameters) == ["data"]


def wrapped(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


async def coroutine():
    return 1


def generator():
    yield 1


@pytest.mark.parametrize("function", [coroutine, generator])
def test_what_has_not_run_yet_is_not_recorded_as_completed(function, store, quickly, recorded, caplog):
    with caplog.at_level(logging.WARNING):
        result = record("fit", **quickly)(wrapped(function))()
    getattr(result, "close", lambda: None)()
    assert recorded() == []
    assert "has not run yet; put `@record(...)` right above the `def`" in caplog.text


def test_layers_that_hold_no_environment_are_refused_at_once(store):
    for layers in (["system"], []):
        with pytest.raises(UsageError):
            record("fit", layers=layers)


def test_a_recording_says_what_it_is(store, quickly):
    with record("fit", **quickly) as run:
        assert repr(run) == "<Recording 'fit': running>"
    assert repr(run) == f"<Recording 'fit': capsule {run.capsule_id}>"
