"""Coroutines are recorded as functions are, and the event loop goes on meanwhile."""

import asyncio
import functools

import pytest

from capsulestore import record
from capsulestore.agent import current
from capsulestore.errors import UsageError


def test_a_coroutine_function_stays_one_and_is_recorded(store, quickly, recorded):
    @record("fit", **quickly)
    async def fit(n, tol=1):
        await asyncio.sleep(0)
        assert current() is fit.recording
        return n

    assert asyncio.iscoroutinefunction(fit)
    assert asyncio.run(fit(3)) == 3
    assert fit.recording.capsule_id == str(store.last())
    assert [one["parameters"] for one in recorded()] == [{"n": 3, "tol": 1}]


def test_a_block_is_recorded(store, quickly, recorded):
    async def analysis():
        async with record("block", parameters={"n": 1}, **quickly) as run:
            assert current() is run
        assert current() is None
        return run

    run = asyncio.run(analysis())
    assert run.capsule_id == str(store.last())


class Called:
    async def __call__(self, n):
        await asyncio.sleep(0)
        return n


async def plain(n):
    await asyncio.sleep(0)
    return n


@pytest.mark.parametrize("function", [Called(), functools.partial(plain)], ids=["an object", "a partial"])
def test_what_is_called_like_a_coroutine_function_ends_with_its_coroutine(function, store, quickly, recorded):
    wrapped = record("fit", **quickly)(function)

    async def analysis():
        waiting = wrapped(5)
        assert recorded() == []
        return await waiting

    assert asyncio.run(analysis()) == 5
    assert [one["parameters"] for one in recorded()] == [{"n": 5}]


def test_an_asynchronous_generator_is_refused():
    async def several():
        yield 1

    with pytest.raises(UsageError):
        record("fit")(several)


def test_many_at_once_are_each_recorded_with_what_is_theirs(known, quickly, recorded):
    @record("fit", **quickly)
    async def fit(n):
        mine = current()
        mine.labels["n"] = n
        await asyncio.sleep(0)
        assert current() is mine
        return n

    async def analysis():
        return await asyncio.gather(*map(fit, range(10)))

    assert asyncio.run(analysis()) == list(range(10))
    _, *manifests = recorded()
    assert sorted(one["parameters"]["n"] for one in manifests) == list(range(10))
    assert all(one["labels"] == one["parameters"] for one in manifests)


def test_one_record_around_many_tasks_keeps_them_apart(known, quickly, recorded):
    together = record("together", **quickly)

    async def one(number, first):
        async with together as run:
            # Those that were entered first are not left last.
            await asyncio.sleep(0 if first else 0.01)
            run.parameters["n"] = number

    async def analysis():
        await asyncio.gather(*(one(number, number % 2) for number in range(8)))

    asyncio.run(analysis())
    _, *manifests = recorded()
    assert sorted(one["parameters"]["n"] for one in manifests) == list(range(8))


def test_a_task_is_within_what_started_it_and_a_thread_of_the_loop_too(store, quickly):
    async def analysis():
        async with record("outer", **quickly) as run:
            assert await asyncio.create_task(asyncio.to_thread(current)) is run
            async with record("inner", **quickly) as inner:
                assert current() is inner
            assert current() is run

    asyncio.run(analysis())


FAILURES = (ValueError("no"), asyncio.CancelledError(), ExceptionGroup("several", [ValueError()]))


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_an_exception_goes_on_unchanged(failure, store, quickly, recorded):
    @record("fit", **quickly)
    async def fit():
        await asyncio.sleep(0)
        raise failure

    async def analysis():
        try:
            await fit()
        except BaseException as caught:
            return caught

    assert asyncio.run(analysis()) is failure
    assert [(one["status"], one["run"]["exception"]) for one in recorded()] == [("failed", type(failure).__name__)]


def test_a_task_that_is_cancelled_is_registered_and_stays_cancelled(store, quickly, recorded):
    async def analysis():
        begun = asyncio.Event()
        limits = []

        @record("fit", **quickly)
        async def fit():
            begun.set()
            for limit in limits:
                limit.reschedule(0)
            await asyncio.sleep(60)

        task = asyncio.create_task(fit())
        await begun.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        limits.append(asyncio.timeout(None))
        with pytest.raises(TimeoutError):
            async with limits[0]:
                await fit()

    asyncio.run(analysis())
    assert [one["run"]["exception"] for one in recorded()] == ["CancelledError"] * 2


def test_the_event_loop_goes_on_while_it_is_recorded(store, quickly):
    async def analysis():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1

        ticking = asyncio.create_task(tick())
        async with record("fit", **quickly):
            within = ticks
        ticking.cancel()
        return within, ticks - within

    before, after = asyncio.run(analysis())
    assert before > 0
    assert after > 0


def test_another_event_loop_than_asyncios_waits(store, quickly, recorded):
    @record("fit", **quickly)
    async def fit(n):
        return n

    # As such a loop does it: it sends, and gets back what was awaited.
    with pytest.raises(StopIteration) as ended:
        fit(3).send(None)
    assert ended.value.value == 3
    assert [one["parameters"] for one in recorded()] == [{"n": 3}]


def test_a_loop_that_is_being_closed_loses_no_run(store, quickly, recorded):
    async def analysis():
        loop = asyncio.get_running_loop()
        async with record("late", **quickly):
            await loop.shutdown_default_executor()

    asyncio.run(analysis())
    assert [one["title"] for one in recorded()] == ["late"]


def test_strict_raises_before_a_coroutine_begins(store, quickly):
    began = []

    @record("fit", inputs=["nowhere.csv"], strict=True, **quickly)
    async def fit():
        began.append(1)

    with pytest.raises(Exception, match=r"nowhere\.csv"):
        asyncio.run(fit())
    assert began == []
